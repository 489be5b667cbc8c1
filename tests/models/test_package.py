"""Packages are checked before they run; a broken variant costs one rung, never the gateway."""

import json
import shutil

import numpy as np
import pytest

from gateway.core.errors import ModelError
from gateway.core.records import Features
from gateway.testing import FakeContext, check_model
from models.attention import PackageModel
from models.package import Package, folder_of
from models.runtimes.litert import LiteRt
from plugins.ecg.baseline import Rules


@pytest.fixture
def package(tmp_path):
    """A copy of the ECG package that a test may harm."""
    shutil.copytree(folder_of("ecg"), tmp_path / "ecg", ignore=shutil.ignore_patterns("recipe", "__pycache__"))
    return tmp_path / "ecg"


def model(folder, variant="", baseline=True):
    made = PackageModel({"package": str(folder), "variant": variant}, FakeContext(), Rules({}, None) if baseline else None)
    made.load()
    return made


def features(stream="s", seq=0):
    rng = np.random.default_rng(seq)
    return Features(stream, seq, 0, [rng.integers(-200, 200, 208), rng.integers(-100, 100, 15).tolist()], {"unlike": 10})


def test_contract():
    check_model(lambda: PackageModel({"package": "ecg"}, FakeContext(), None), features())


@pytest.mark.parametrize("variant", ["float", "dynamic", "int8"])
def test_each_variant_runs_and_attends(variant):
    made = model("ecg", variant)
    for i in range(40):
        answer = made.infer(features(seq=i))
    maps = np.asarray(answer.maps)
    assert answer.variant == variant and answer.label in made.package.classes
    assert maps.shape == (2, 4, 32) and np.allclose(maps.sum(-1), 1, atol=.05)


def test_streams_do_not_mix():
    alone, mixed = model("ecg"), model("ecg")
    for i in range(30):
        a = alone.infer(features("a", i))
        b = mixed.infer(features("a", i))
        mixed.infer(features("b", 1000 + i))
    assert np.allclose(a.scores, b.scores)
    mixed.forget("a")
    assert not np.allclose(mixed.infer(features("a", 30)).scores, alone.infer(features("a", 30)).scores)


def test_the_stream_unused_for_longest_makes_room(monkeypatch):
    monkeypatch.setattr("models.caches.MAX_STREAMS", 3)
    made, alone = model("ecg", "float"), model("ecg", "float")
    for i in range(12):
        for name in "abc":
            made.infer(features(name, i))
        alone.infer(features("b", i))
    assert all(np.array_equal(made.caches.of("b")[name], alone.caches.of("b")[name]) for name in "kv")
    made.infer(features("d"))
    assert made.context.counters["streams_forgotten"] == 1 and not made.caches.of("a")["k"].any() and made.caches.of("b")["k"].any()


def test_a_changed_file_is_refused_and_the_next_variant_taken(package):
    data = bytearray((package / "step_float.tflite").read_bytes())
    data[5000] ^= 1
    (package / "step_float.tflite").write_bytes(data)
    made = model(package)
    assert made.variant == "int8" and made.context.counters["variants_failed"] == 1
    with pytest.raises(ModelError) as caught:
        model(package, "float")
    assert "is not the file that manifest.json names" in caught.value.message


def test_without_any_sound_file_the_rules_go_on(package):
    for path in package.glob("step_*"):
        path.unlink()
    made = model(package)
    assert made.infer(features()).variant == "baseline"
    with pytest.raises(ModelError):
        model(package, baseline=False)


def test_shapes_that_disagree_with_the_manifest(package):
    manifest = json.loads((package / "manifest.json").read_text())
    manifest["inputs"][1]["shape"] = [1, 14]
    (package / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelError) as caught:
        model(package, "float")
    assert "the manifest says (1, 14)" in caught.value.message


@pytest.mark.parametrize("text", ["", "{", "{}", '{"name": "x"}'])
def test_a_broken_manifest(package, text):
    (package / "manifest.json").write_text(text)
    with pytest.raises(ModelError) as caught:
        Package(package)
    assert "manifest.json" in caught.value.message and caught.value.hint


@pytest.mark.parametrize("harm", [lambda d: b"", lambda d: d[:2000], lambda d: b"X" * len(d), lambda d: d[:4] + b"ABCD" + d[8:],
                                  lambda d: b"\xff\xff\xff\x7f" + d[4:]])
def test_hostile_files_are_refused(harm):
    data = (folder_of("ecg") / "step_float.tflite").read_bytes()
    with pytest.raises(ModelError) as caught:
        LiteRt(harm(data), "bad.tflite")
    assert "bad.tflite" in caught.value.message and caught.value.hint


def test_a_runtime_that_fails_in_use_costs_one_rung(package):
    made = model(package)
    before = made.infer(features()).variant
    made.caches.run = lambda stream: (_ for _ in ()).throw(ModelError("the accelerator is gone"))
    assert made.infer(features(seq=1)).variant == "int8" != before
    assert made.context.counters["inferences_failed"] == 1


def test_input_that_is_not_finite_is_refused_and_answers_that_are_not_cost_one_rung(package):
    made = model(package)
    for values in (np.full(208, np.nan), np.full(208, np.inf, np.float32), [float("nan")] * 208):
        broken = features()
        broken.values[0] = values
        with pytest.raises(ModelError) as caught:
            made.infer(broken)
        assert "not finite" in caught.value.message and made.variant == "float"
    broken.values[0] = ["1"] * 208
    with pytest.raises(ModelError) as caught:
        made.infer(broken)
    assert "no row of numbers" in caught.value.message
    broken.values[0] = [1] * 207
    with pytest.raises(ModelError) as caught:
        made.infer(broken)
    assert "has 207 numbers" in caught.value.message and "takes 208" in caught.value.message
    run = made.caches.run
    made.caches.run = lambda stream: dict(run(stream), logits=np.full((1, 4), np.nan, np.float32))
    assert made.infer(features()).variant == "int8" and made.context.counters["inferences_failed"] == 1


def test_a_wrong_shape_is_named():
    graph = LiteRt((folder_of("ecg") / "step_float.tflite").read_bytes(), "step_float.tflite")
    with pytest.raises(ModelError) as caught:
        graph.run({"rr": np.zeros((1, 14), np.float32)})
    assert "(1, 14)" in caught.value.message
    with pytest.raises(ModelError) as caught:
        graph.run({"rrr": np.zeros((1, 15), np.float32)})
    assert "no input" in caught.value.message
