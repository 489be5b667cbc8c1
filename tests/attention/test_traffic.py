"""Free labels on real roads: what is imposed is what is said, and the benchmark's object has the keys that others rely on."""

import json
from datetime import datetime, timedelta

import numpy as np
import pytest
from click.testing import CliRunner

from firmware_tools.bench.adapt_traffic import Change, Course
from firmware_tools.cli import main
from firmware_tools.evaluate import ready
from firmware_tools.recordings import pems08
from models.traffic.recipe.data import Series

SENSORS = (0, 33, 77, 100, 150)
KEYS = {"traffic_static_mae_real", "traffic_online_mae_real", "traffic_scaled_mae", "traffic_scaled_mae_day1", "traffic_shift_mae",
        "traffic_sensors_unharmed_share"}


@pytest.fixture(scope="module")
def roads():
    from gateway import data
    if not data.find("traffic/pems08"):
        pytest.skip("no PEMS08 here: heed data fetch traffic/pems08, or set HEED_DATA")
    series = pems08()
    return Series(series.values[:, SENSORS], [series.names[n] for n in SENSORS], 5, series.first_min, series.first, series.gain)


def test_a_change_is_what_it_says(roads):
    at, sensors = 15000, np.array([1, 3])
    scaled, shift, dead = (Change(roads, kind, sensors, at) for kind in ("scaled", "shift", "dead"))
    assert (scaled.series.values[at:, sensors] == np.round(roads.values[at:, sensors] * .6)).all()
    assert (shift.series.values[at:, sensors] == roads.values[at - 24:-24, sensors]).all()
    assert (shift.real[at:, sensors] == ~roads.copied()[at - 24:-24, sensors]).all()
    assert np.isnan(dead.series.values[at:, sensors]).all()
    for change in (scaled, shift, dead):
        assert (change.series.values[:at] == roads.values[:at]).all() and (change.series.values[:, [0, 2, 4]] == roads.values[:, [0, 2, 4]]).all()


def test_branches_do_not_touch_each_other(roads):
    course = Course(roads, ready("traffic_single", "float"), 1)
    before = course.road.online.state()[0]
    first = course.changed("scaled")
    course.calm()
    assert course.changed("scaled") == first
    assert all((array == course.road.online.state()[0][name]).all() for name, array in before.items())


def test_a_strangers_recording(roads, tmp_path):
    began, path = datetime(2024, 1, 1), tmp_path / "mine.csv"
    rows = [",".join([(began + timedelta(minutes=5 * i)).isoformat(" "), *["%d" % value for value in row]]) for i, row in enumerate(roads.values[:9000])]
    path.write_text("\n".join(["time," + ",".join(roads.names), *rows]) + "\n")
    result = CliRunner().invoke(main, ["bench", "adapt", "--only", "traffic", "--quick", "--csv", str(path), "--json"])
    facts = json.loads(result.output)
    assert KEYS <= set(facts["figures"]) and {"traffic, calm", "traffic, scaled, changed", "traffic, shift, others"} <= set(facts["baselines"])
    assert {"static, real", "online, all", "ridge, real", "ridge online, real", "mean, real"} <= set(facts["baselines"]["traffic, calm"])
    assert result.exit_code == (0 if all(gate["met"] for gate in facts["gates"]) else 1)
