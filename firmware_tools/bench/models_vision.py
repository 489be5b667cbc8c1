"""The vision part of heed bench models: the classifier beside its rivals, and what looking only at changed tiles saves."""

import tempfile
from pathlib import Path

import numpy as np

from firmware_tools import judge_video
from firmware_tools.evaluate import ready
from firmware_tools.evaluate_vision import answers, linear_accuracy
from firmware_tools.recordings import cifar, video_file
from gateway import data
from gateway.context import GatewayContext
from gateway.core.errors import HeedError
from models.attention import PackageModel
from models.importer import import_tflite
from models.package import Package, folder_of
from models.runtimes.litert import LiteRt
from plugins.vision.plugin import MANIFEST

GATES = {"vision_accuracy_int8": (.78, .83, True), "vision_parameters": (300000, 300000, False), "video_tile_share": (.15, .07, False),
         "video_f1": (.99, .99, True), "video_time_gain": (3, 5, True)}
VIDEO = "vision/video/car-detection.mp4"
THRESHOLD = MANIFEST["options"]["threshold"]["default"]
QUICK_PICTURES, QUICK_FRAMES = 200, 120
# what MobileNet's thousand classes call a road vehicle
VEHICLES = ("ambulance", "beach wagon", "cab", "car wheel", "convertible", "fire engine", "garbage truck", "golfcart", "jeep", "limousine",
            "minibus", "minivan", "Model T", "moving van", "pickup", "police van", "racer", "recreational vehicle", "school bus", "sports car",
            "tow truck", "trailer truck", "trolleybus")


def accuracy(quick):
    """Shares of test pictures named rightly: ours, the convolutional rival, ResNet-8 of others, a linear one, the rule."""
    pictures, labels = cifar("val")
    step = len(labels) // QUICK_PICTURES if quick else 1
    pictures, labels = pictures[::step], labels[::step]
    right = lambda given: float((np.asarray(given) == labels).mean())
    package = Package(folder_of("vision"))
    found = {variant: right(answers(ready("vision", variant), pictures)) for variant in ("int8", "float", "baseline")}
    figures = {"vision_accuracy_int8": found["int8"], "vision_accuracy_float": found["float"],
               "vision_conv_accuracy_int8": right(rival(package, pictures)), "vision_resnet8_accuracy": right(resnet8(pictures)),
               "vision_parameters": package.manifest["variants"][0]["parameters"]}
    figures["vision_attention_gain"] = figures["vision_accuracy_int8"] - figures["vision_conv_accuracy_int8"]
    return figures, {"vision": {"rule_accuracy": found["baseline"], "linear_accuracy": linear_accuracy(),
                                "conv_parameters": package.manifest["rival"]["parameters"]}}


def rival(package, pictures):
    """Classes by the plain convolutional net of equal cost that was trained the same way, int8."""
    graph = LiteRt((package.folder / package.manifest["rival"]["file"]).read_bytes(), "rival")
    return [graph.run({"picture": (picture[None].astype(np.float32) - 128) / 128})["logits"].argmax() for picture in pictures]


def resnet8(pictures):
    """Classes by the int8 ResNet-8 of MLPerf Tiny, trained by others on all 50,000 original pictures."""
    graph = LiteRt(theirs("pretrainedResnet_quant").read_bytes(), "ResNet-8")
    name = next(iter(graph.inputs))
    return [next(iter(graph.run({name: (picture[None].astype(np.int16) - 128).astype(np.int8)}).values())).argmax() for picture in pictures]


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
    return [judge_video.Question("vehicle", opened(vehicle), [0], .1, 128, 0), judge_video.Question("person", opened(person), [1], .5, 96, -128)]


def opened(folder):
    """The model of a package."""
    model = PackageModel({"package": str(folder)}, GatewayContext("bench", "."))
    model.load()
    return model


def video(quick):
    """Share of the tiles looked at, agreement with looking at all, and the CPU time of both, decoding counted."""
    path, most = video_file(VIDEO), QUICK_FRAMES if quick else None
    with tempfile.TemporaryDirectory(prefix="heed-") as folder:
        asked = questions(Path(folder))
        truth, seen, all_s = judge_video.everywhere(path, asked, most)
        found, share, gated_s = judge_video.gated(path, asked, THRESHOLD, most)
        scores = {q.what: judge_video.f1(truth[..., i], found[..., i]) for i, q in enumerate(asked)}
        figures = {"video_tile_share": share, "video_f1": min(scores.values()), "video_time_gain": all_s / gated_s}
        figures.update({"video_f1_" + what: score for what, score in scores.items()}, video_ms_per_frame=1000 * gated_s / len(truth))
        rows = judge_video.curve(truth, seen, asked, THRESHOLD)
    positives = {"tile_frames_with_" + q.what: int(truth[..., i].sum()) for i, q in enumerate(asked)}
    return figures, {"video": dict(positives, ms_per_frame_everywhere=1000 * all_s / len(truth)), **curves(rows)}


def curves(rows):
    """The curve as baselines: share of the tiles and the worse F1 for each rule."""
    out = {}
    for row in rows:
        words = "video, %s %d" % (row["rule"], row["at"])
        out[words] = {"share": row["share"], "f1": min(row["vehicle"], row["person"]), "f1_second_half": row["second"]}
    return out


def measure(quick):
    """(figures, baselines)."""
    figures, baselines = accuracy(quick)
    more, rows = video(quick)
    return dict(figures, **more), dict(baselines, **rows)
