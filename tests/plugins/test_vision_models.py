"""Classifiers and detectors that no one here wrote, behind the same gate, by settings alone."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from firmware_tools.cli import main
from gateway import app, config, data
from gateway.context import GatewayContext
from gateway.core.errors import ModelError
from gateway.core.records import Features
from models.attention import PackageModel
from models.package import names
from plugins.vision.retina import close
from sensors.media import Media, planes
from tests.video import FILE, recording

SETTINGS = """
[gateway]
data = '%s'
[[sensor]]
name = "yard"
kind = "video"
feeds = "watch"
options = { file = "%s", speed = 0.0, start_s = 14.0, duration_s = 5.0 }
[[plugin]]
name = "watch"
kind = "vision"
model = "mobilenet"
options = { classes = ["vehicle", "other"], watch = ["vehicle"], share = 10, input = [%s], zero = 0 }
[[uplink]]
name = "file"
kind = "file"
"""


@pytest.fixture
def models(tmp_path, monkeypatch):
    monkeypatch.setenv("HEED_MODELS", str(tmp_path / "models"))
    found = data.find("vision/models")
    if not found:
        pytest.skip("no models of others here: set HEED_DATA")
    return found


def heed(*words):
    result = CliRunner().invoke(main, list(map(str, words)))
    assert result.exit_code == 0, result.output


def played(tmp_path, size):
    """(counters, lines upstream) of the recording played with an imported MobileNet."""
    chosen, faults = config.check_text(SETTINGS % (tmp_path / "data", FILE, size), "test", names())
    assert not faults
    gateway = app.serve(chosen, until_end=True)
    return gateway.sources["watch"](), [json.loads(line) for line in (tmp_path / "data" / "summaries.jsonl").read_text().splitlines()]


def test_a_classifier_runs_on_the_tiles_that_changed(tmp_path, models):
    recording()
    heed("model", "import", models / "mobilenet_v1_0.25_128_quant.tflite", "--name", "mobilenet", "--labels",
         models.parent / "images" / "imagenet_labels.txt", "--group", "vehicle=minivan;sports car, sport car;cab, hack, taxi, taxicab")
    counters, lines = played(tmp_path, "128, 128")
    assert [line["data"]["way"] for line in lines if line["data"].get("event") == "crossed"] == ["down", "up"]
    assert counters["looked"] < .35 * counters["tiles"], "a busy stretch: two cars for most of it"
    assert counters["peak"] <= 4, "frames do not pile up"
    assert not [name for name in counters if name.startswith("held_back")], "what is said is what the manifest states"


def test_it_runs_in_a_process_of_its_own(tmp_path):
    recording()
    text = SETTINGS.replace("mobilenet", "vision").replace("duration_s = 5.0", "duration_s = 4.0, widest = 192").replace(
        'kind = "vision"', 'kind = "vision"\nisolation = "process"')
    text = text[:text.index("options = { classes")] + '[[uplink]]\nname = "file"\nkind = "file"\n'
    chosen, faults = config.check_text(text % (tmp_path / "data", FILE), "test", names())
    assert not faults
    gateway = app.serve(chosen, until_end=True)
    lines = [json.loads(line) for line in (tmp_path / "data" / "summaries.jsonl").read_text().splitlines()]
    assert [line["data"]["way"] for line in lines if line["data"].get("event") == "crossed"] == ["down", "up"]
    assert gateway.sources["watch"]()["inferences"] > 50


def test_a_picture_of_the_wrong_size_is_a_wrong_setting(tmp_path, models):
    heed("model", "import", models / "mobilenet_v1_0.25_128_quant.tflite", "--name", "mobilenet")
    model = PackageModel({"package": "mobilenet"}, GatewayContext("test", tmp_path))
    model.load()
    with pytest.raises(ModelError, match="has 3072 numbers, .* takes 49152"):
        model.infer(Features("s", 0, 0, [np.zeros(3072, int)], {}))


def test_a_detector_finds_the_face_and_none_on_the_road(tmp_path, models):
    labels = tmp_path / "labels.txt"
    labels.write_text("face\n")
    heed("model", "import", models / "face_detection_short_range.tflite", "--name", "face", "--labels", labels, "--scores",
         "classificators", "--detector", "--scale", 1 / 128)
    model = PackageModel({"package": "face"}, GatewayContext("test", tmp_path))
    model.load()
    portrait = planes(Media(str(models.parent / "images" / "grace_hopper.bmp"), "video", False).frame(), 960)
    road = planes(Media(str(recording()), "video", False).frame(), 960)
    found = [model.infer(Features("s", 0, 0, [close(frame, (0, 0, 1, 1), 128, 128).ravel() - 128], {})) for frame in (portrait, road)]
    assert [inference.label for inference in found] == ["face", "nothing"] and all(abs(sum(i.scores) - 1) < .01 for i in found)


def test_labels_that_do_not_fit_are_refused(tmp_path, models):
    labels = tmp_path / "labels.txt"
    labels.write_text("face\n")
    result = CliRunner().invoke(main, ["model", "import", str(models / "vww_96_int8.tflite"), "--labels", str(labels)])
    assert result.exit_code == 1 and "1 labels for 2 classes" in result.output
    labels.write_text("nobody\nperson\n")
    result = CliRunner().invoke(main, ["model", "import", str(models / "vww_96_int8.tflite"), "--labels", str(labels), "--group", "x=dog"])
    assert result.exit_code == 1 and "no label is called dog" in result.output
