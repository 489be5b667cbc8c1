"""The vision package: its graphs are its weights, its figures beat the linear and the conventional, its controls act."""

import numpy as np
import pytest

from firmware_tools import evaluate_vision
from firmware_tools.evaluate import ready
from firmware_tools.recordings import cifar
from gateway import data
from models.package import Package, folder_of
from models.runtimes.litert import LiteRt
from models.vision import oracle


@pytest.fixture
def package():
    return Package(folder_of("vision"))


@pytest.fixture
def pictures():
    if not data.find("vision/images/cifar10_val_jpg.zip"):
        pytest.skip("no CIFAR-10 pictures here: set HEED_DATA")
    return cifar("val")


def inputs(seed):
    rng = np.random.default_rng(seed)
    return {"picture": rng.uniform(-1, 1, (1, 32, 32, 3)).astype(np.float32), "bias": rng.normal(0, 1, (2, 4, 64)).astype(np.float32),
            "temperature": rng.uniform(.5, 2, (2, 4)).astype(np.float32)}


def test_the_float_graph_equals_the_numpy_oracle(package):
    graph, weights = LiteRt(package.variants["float"].data(), "float"), dict(np.load(package.folder / "weights.npz"))
    for seed in range(3):
        values = inputs(seed)
        out = graph.run(values)
        logits, maps = oracle.forward(weights, values["picture"][0], values["bias"], values["temperature"])
        assert np.abs(out["logits"][0] - logits).max() < 1e-4 and np.abs(out["maps"] - maps).max() < 1e-5
        assert np.abs(out["maps"].sum(-1) - 1).max() < 1e-5, "each head's weights over the places"


def test_attention_goes_where_the_bias_sends_it(package):
    graph = LiteRt(package.variants["float"].data(), "float")
    values = dict(inputs(1), bias=np.zeros((2, 4, 64), np.float32))
    before = graph.run(values)["maps"]
    values["bias"][..., 20] = 4
    after = graph.run(values)["maps"]
    assert (after[..., 20] > 4 * before[..., 20]).all()


def test_integers_cost_little_and_the_net_beats_the_linear_and_the_rule(package, pictures):
    some, labels = pictures[0][::5], pictures[1][::5]
    right = {v: float((evaluate_vision.answers(ready("vision", v), some) == labels).mean())
             for v in ("float", "dynamic", "int8", "baseline")}
    assert min(right["dynamic"], right["int8"]) > right["float"] - .03
    assert right["int8"] > evaluate_vision.linear_accuracy() + .2 and right["int8"] > right["baseline"] + .4
    assert package.manifest["variants"][0]["parameters"] <= 300000


def test_figures_of_the_manifest_are_those_of_the_weights(package, pictures):
    claimed = next(v for v in package.manifest["variants"] if v["name"] == "int8")["figures"]["test_accuracy"]
    found = evaluate_vision.figures_on(ready("vision", "int8"), None)
    assert abs(found["figures"]["accuracy"] - claimed) < .004  # other versions of the runtime round a little otherwise
    assert "2000 pictures" in found["lines"][0]


def test_pictures_of_ones_own(tmp_path):
    from PIL import Image
    for name, value in (("cat", 30), ("ship", 220)):
        (tmp_path / name).mkdir()
        Image.new("RGB", (80, 50), (value, value, 255 - value)).save(tmp_path / name / "a.png")
    found = evaluate_vision.figures_on(ready("vision", "int8"), {"data": tmp_path})
    assert found["lines"][0].startswith("2 pictures")
