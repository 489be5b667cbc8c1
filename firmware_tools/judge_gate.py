"""The plugin's gate on the recorded video, asked two questions that models of others answer: a vehicle? a person?"""

import tempfile
from pathlib import Path

from firmware_tools.judge_video import Question, curve, everywhere, f1, gated
from firmware_tools.recordings import video_file
from gateway import data
from gateway.context import GatewayContext
from gateway.core.errors import HeedError
from models.attention import PackageModel
from models.importer import import_tflite
from plugins.vision.plugin import MANIFEST

VIDEO = "vision/video/car-detection.mp4"
THRESHOLD = MANIFEST["options"]["threshold"]["default"]
# what MobileNet's thousand classes call a road vehicle
VEHICLES = ("ambulance", "beach wagon", "cab", "car wheel", "convertible", "fire engine", "garbage truck", "golfcart", "jeep", "limousine",
            "minibus", "minivan", "Model T", "moving van", "pickup", "police van", "racer", "recreational vehicle", "school bus",
            "sports car", "tow truck", "trailer truck", "trolleybus")


def theirs(name):
    """A TFLite file that others made, or HeedError."""
    found = data.find("vision/models/%s.tflite" % name)
    if not found:
        raise HeedError("%s.tflite is not here" % name, "set HEED_DATA to a folder with vision/models")
    return found


def questions(folder):
    """Two models of others, imported: is there a vehicle in the tile, is there a person?"""
    labels = (theirs("mobilenet_v1_0.25_128_quant").parents[1] / "images" / "imagenet_labels.txt").read_text().splitlines()
    vehicles = [label for label in labels if label.split(",")[0] in VEHICLES]
    vehicle = import_tflite(theirs("mobilenet_v1_0.25_128_quant"), "vehicle", folder, labels, {"vehicle": vehicles})
    person = import_tflite(theirs("vww_96_int8"), "person", folder, ["nobody", "person"])
    return [Question("vehicle", opened(vehicle), [0], .1, 128, 0), Question("person", opened(person), [1], .5, 96, -128)]


def opened(folder):
    """The model of a package."""
    model = PackageModel({"package": str(folder)}, GatewayContext("judge", "."))
    model.load()
    return model


def video(most=None):
    """Share of the tiles looked at, agreement with looking at all, and the CPU time of both, decoding counted, over `most` frames."""
    path = video_file(VIDEO)
    with tempfile.TemporaryDirectory(prefix="heed-") as folder:
        asked = questions(Path(folder))
        truth, seen, all_s = everywhere(path, asked, most)
        found, share, gated_s = gated(path, asked, THRESHOLD, most)
        scores = {q.what: f1(truth[..., i], found[..., i]) for i, q in enumerate(asked)}
        figures = {"video_tile_share": share, "video_f1": min(scores.values()), "video_time_gain": all_s / gated_s}
        figures.update({"video_f1_" + what: score for what, score in scores.items()}, video_ms_per_frame=1000 * gated_s / len(truth))
        rows = curve(truth, seen, asked, THRESHOLD)
    positives = {"tile_frames_with_" + q.what: int(truth[..., i].sum()) for i, q in enumerate(asked)}
    return figures, {"video": dict(positives, ms_per_frame_everywhere=1000 * all_s / len(truth)), **curves(rows)}


def curves(rows):
    """The curve as baselines: share of the tiles and the worse F1 for each rule."""
    out = {}
    for row in rows:
        words = "video, %s %d" % (row["rule"], row["at"])
        out[words] = {"share": row["share"], "f1": min(row["vehicle"], row["person"]), "f1_second_half": row["second"]}
    return out
