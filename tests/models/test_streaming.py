"""The streaming graph equals the full causal computation, written out in numpy from the same weights."""

import json

import numpy as np

from gateway.core.records import Features
from gateway.testing import FakeContext
from models.attention import PackageModel
from models.ecg.oracle import Oracle
from models.package import folder_of


def test_the_step_equals_the_full_computation():
    weights = np.load(folder_of("ecg") / "weights.npz")
    manifest = json.loads((folder_of("ecg") / "manifest.json").read_text())
    rng = np.random.default_rng(3)
    beats, rrs = rng.integers(-200, 200, (60, 208)), rng.integers(-300, 300, (60, 15))
    oracle = Oracle(weights, {name: np.array(c["default"]) for name, c in manifest["controls"].items()})
    logits, maps = oracle.run(beats.reshape(60, 104, 2) / 64, rrs / 256)
    model = PackageModel({"package": "ecg", "variant": "float"}, FakeContext())
    model.load()
    for i in range(60):
        answer = model.infer(Features("s", i, 0, [beats[i], rrs[i]], {}))
        expected = np.exp(logits[i] - logits[i].max())
        assert np.abs(np.array(answer.scores) - expected / expected.sum()).max() < 1e-5
        assert np.abs(answer.maps - maps[i]).max() < 1e-5
