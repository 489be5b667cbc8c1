"""A packaged model adapts to one patient's labels, in the same package form, and is not made worse on what it did not see."""

import json
import shutil

import numpy as np
import pytest

from firmware_tools.tune import tune
from gateway.core.errors import HeedError
from gateway.core.records import Features
from gateway.testing import FakeContext
from models.attention import PackageModel


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    from gateway import data
    mitdb = data.find("ecg/mitdb")
    if not mitdb:
        pytest.skip("no MIT-BIH records here: heed data fetch ecg/mitdb, or set HEED_DATA")
    folder = tmp_path_factory.mktemp("tune")
    (folder / "own").mkdir()
    for end in ("hea", "dat", "atr"):
        shutil.copy(mitdb / ("207." + end), folder / "own")
    return folder, tune("ecg", folder / "own", folder / "out", lambda text: None)


def test_the_held_out_part_gets_better(tuned):
    _, report = tuned
    assert report["held_out_loss_after"] < report["held_out_loss_before"]
    assert report["after"]["V"] >= report["before"]["V"] - .01


@pytest.mark.parametrize("variant", ["float", "dynamic", "int8", "tiny"])
def test_every_variant_carries_what_was_learnt(tuned, variant):
    folder, _ = tuned
    models = [PackageModel({"package": str(package), "variant": variant}, FakeContext()) for package in (folder / "out", "ecg")]
    rng, apart = np.random.default_rng(1), 0
    for model in models:
        model.load()
    for i in range(40):
        features = Features("s", i, 0, [rng.integers(-90, 90, 208), rng.integers(-60, 60, 15).tolist()], {})
        apart += abs(np.array(models[0].infer(features).scores) - models[1].infer(features).scores).max()
    assert apart / 40 > .01


def test_the_package_says_that_it_was_tuned(tuned):
    folder, _ = tuned
    manifest = json.loads((folder / "out" / "manifest.json").read_text())
    assert manifest["version"].endswith("+tuned") and "Tuned" in (folder / "out" / "card.md").read_text()
    for name, control in manifest["controls"].items():
        assert control["min"] <= np.min(control["default"]) and np.max(control["default"]) <= control["max"]


def test_too_little_to_learn_from(tmp_path):
    with pytest.raises(HeedError):
        tune("ecg", tmp_path, tmp_path / "out", print)
