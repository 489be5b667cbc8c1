"""The packaged traffic graphs are the nets that numpy computes; attention can be read and steered; strangers are told apart."""

import numpy as np
import pytest

from gateway.core.records import Features
from gateway.testing import FakeContext, check_model
from models.attention import PackageModel
from models.package import folder_of
from models.traffic.oracle import Oracle
from plugins.traffic.baseline import Rules, rule
from plugins.traffic.lags import AHEAD, LAGS

ROUNDED = .501


def model_of(name, variant="float"):
    made = PackageModel({"package": name, "variant": variant}, FakeContext(), Rules({}, None))
    made.load()
    return made


def rows_of(n, seed=1):
    rng = np.random.default_rng(seed)
    return rng.integers(20, 500, (n, 1)) + rng.integers(0, 60, (n, LAGS))


def features(rows, names=None, clock=(40, 2)):
    return Features("roads", 7, 0, [rows.tolist(), list(clock)], {"streams": names or ["%d" % i for i in range(len(rows))], "step_min": 5})


def test_contracts():
    check_model(lambda: PackageModel({"package": "traffic"}, FakeContext(), None), features(rows_of(170)))
    check_model(lambda: PackageModel({"package": "traffic_single"}, FakeContext(), None), features(rows_of(3)))


@pytest.mark.parametrize("name, n", [("traffic", 170), ("traffic_single", 4)])
def test_the_graph_is_the_net_that_numpy_computes(name, n):
    rows, weights = rows_of(n), np.load(folder_of(name) / "weights.npz")
    answer = model_of(name).infer(features(rows))
    expected, shares, near = Oracle(weights).run(rows, 40, 2)
    assert np.abs(np.array(answer.values) - expected).max() < ROUNDED
    assert np.abs(answer.maps["lags"] - shares).max() < 1e-4
    if near is not None:
        assert np.abs(answer.maps["neighbours"] - near).max() < 1e-4


@pytest.mark.parametrize("name, n", [("traffic", 170), ("traffic_single", 4)])
def test_eight_bits_are_near_the_float(name, n):
    rows = rows_of(n)
    a, b = (np.array(model_of(name, variant).infer(features(rows)).values) for variant in ("float", "dynamic"))
    assert np.abs(a - b).mean() < .02 * a.mean()


def test_attention_is_shares_and_can_be_steered():
    model, rows = model_of("traffic"), rows_of(170)
    maps = model.infer(features(rows)).maps
    assert np.allclose(maps["lags"].sum(-1), 1, atol=1e-4) and np.allclose(maps["neighbours"].sum(-1), 1, atol=1e-4)
    model.controls["bias"][3, :, 2] = 8
    steered = model.infer(features(rows)).maps
    assert steered["lags"][3, :, 2].min() > .5 and (steered["lags"][3, :, 2] > maps["lags"][3, :, 2]).all()
    assert np.allclose(steered["lags"][4], maps["lags"][4], atol=1e-5)


def test_nobody_attends_to_a_sensor_that_is_not_there():
    model, rows = model_of("traffic"), rows_of(170)
    names = ["%d" % i for i in range(170)]
    answer = model.infer(features(rows[:160], names[:160]))
    assert len(answer.values) == 160 and all(len(values) == AHEAD for values in answer.values)
    assert np.allclose(answer.maps["neighbours"].sum(-1), 1, atol=1e-4), "the absent ten get nothing"


def test_sensors_are_told_by_name_and_strangers_left_to_the_rule():
    model, rows = model_of("traffic"), rows_of(3)
    names = ["pems08/5", "elsewhere", "99"]
    mixed, turned = model.infer(features(rows, names)), model.infer(features(rows[::-1], names[::-1]))
    assert mixed.values[1] is None and mixed.values == turned.values[::-1]


def test_a_single_net_takes_each_sensor_by_itself():
    model, rows = model_of("traffic_single"), rows_of(5)
    together = model.infer(features(rows)).values
    assert together == [model.infer(features(rows[i:i + 1])).values[0] for i in range(5)]
    assert np.abs(np.array(model.infer(features(rows * 10)).values) / 10 - together).mean() < 3, "traffic ten times as heavy looks the same"


def test_without_a_graph_the_rule_goes_on():
    model = model_of("traffic_single", "baseline")
    rows = rows_of(2)
    answer = model.infer(features(rows))
    assert answer.variant == "baseline" and answer.values == [rule(row) for row in rows.tolist()]


def test_a_graph_that_gives_no_numbers_costs_one_rung():
    model = PackageModel({"package": "traffic_single"}, FakeContext(), Rules({}, None))
    model.load()
    model.controls["bias"][:] = np.nan
    assert model.infer(features(rows_of(1))).variant == "baseline" and model.context.counters["inferences_failed"] == 2


def test_slots_of_another_length_are_left_to_the_rule():
    model, asked = PackageModel({"package": "traffic_single"}, FakeContext(), Rules({}, None)), features(rows_of(1))
    model.load()
    asked.facts["step_min"] = 60
    assert model.infer(asked).variant == "baseline"
    assert any("forecasts slots of 5 min, these have 60" in text for _, text in model.context.lines)
