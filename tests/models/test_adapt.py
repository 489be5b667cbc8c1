"""A packaged model judges each stream by its own parameters, and its twin sees what it sees."""

import numpy as np
import pytest

from gateway.core.errors import ModelError
from gateway.core.records import Features
from gateway.testing import FakeContext
from models.attention import PackageModel
from models.package import Package, folder_of
from models.twin import Twin


def beats(n, seed=1):
    rng = np.random.default_rng(seed)
    return [[rng.integers(-90, 90, 208).astype(np.int16), rng.integers(-60, 60, 15).astype(np.int16)] for _ in range(n)]


def model_of(variant):
    model = PackageModel({"package": "ecg", "variant": variant}, FakeContext())
    model.load()
    model.learns = True
    return model


def scores(model, stream, values):
    return [model.infer(Features(stream, i, 0, each, {})).scores for i, each in enumerate(values)]


@pytest.fixture(scope="module")
def twin():
    return Twin(Package(folder_of("ecg")))


@pytest.mark.parametrize("variant", ["float", "dynamic", "int8"])
@pytest.mark.parametrize("name", ["bias", "temperature", "head_b"])
def test_only_the_stream_that_uses_other_parameters_is_judged_by_them(twin, variant, name):
    moved = {key: value.copy() for key, value in twin.parameters.items()}
    moved[name] = moved[name] * 2 + .5
    values = beats(40)
    plain = scores(model_of(variant), "a", values)
    model = model_of(variant)
    model.use("b", moved)
    mixed = [(scores(model, "a", [v])[0], scores(model, "b", [v])[0]) for v in values]
    assert np.array_equal([a for a, _ in mixed], plain)
    assert np.abs(np.array([b for _, b in mixed]) - plain).max() > .02
    model.use("b", None)
    model.forget("b")
    assert np.array_equal(scores(model, "b", values), plain)


def test_parameters_as_shipped_change_nothing(twin):
    values = beats(20)
    model = model_of("float")
    model.use("b", twin.parameters)
    assert np.allclose(scores(model, "b", values), scores(model_of("float"), "b", values), atol=1e-5)


def test_the_twin_sees_what_the_model_saw(twin):
    model, values = model_of("float"), beats(40)
    scores(model, "a", values)
    state, hidden = model.last
    moment = {"values": values[-1], "state": state, "hidden": hidden}
    assert np.allclose(twin.hidden(moment, twin.parameters), hidden, atol=1e-5)
    target = np.eye(4)[[2]]
    shares = np.exp(hidden @ twin.parameters["head"] + twin.parameters["head_b"])
    shares /= shares.sum()
    loss, gradients = twin.gradients([moment], target, twin.parameters)
    assert loss == pytest.approx(-np.log(shares[2]), rel=1e-3)
    assert np.allclose(gradients["head_b"], shares - target[0], atol=1e-4)


def test_anchors_are_checked_and_known(twin, tmp_path):
    import shutil
    package = Package(folder_of("ecg"))
    hidden, labels = package.anchors()
    answers = (hidden @ twin.parameters["head"] + twin.parameters["head_b"]).argmax(1)
    assert (answers[labels == 0] == 0).mean() > .9 and (answers[labels == 2] == 2).mean() > .9
    shutil.copytree(package.folder, tmp_path / "ecg", ignore=shutil.ignore_patterns("recipe", "speed"))
    (tmp_path / "ecg" / "anchors.npz").write_bytes(b"x")
    with pytest.raises(ModelError):
        Package(tmp_path / "ecg").anchors()


def test_a_variant_that_shows_no_hidden_vector_is_not_learnt_from():
    model = model_of("tiny")
    scores(model, "a", beats(3))
    assert model.last is None
