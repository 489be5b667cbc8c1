"""The vision part of heed bench models: the classifier beside its rivals, and what looking only at changed tiles saves."""

import numpy as np

from firmware_tools.evaluate import ready
from firmware_tools.evaluate_vision import answers, linear_accuracy, rival_answers
from firmware_tools.judge_gate import theirs, video
from firmware_tools.recordings import cifar
from models.package import Package, folder_of
from models.runtimes.litert import LiteRt

GATES = {"vision_accuracy_int8": (.78, .83, True), "vision_parameters": (300000, 300000, False), "video_tile_share": (.15, .07, False),
         "video_f1": (.99, .99, True), "video_time_gain": (3, 5, True)}
QUICK_PICTURES, QUICK_FRAMES = 200, 120


def accuracy(quick):
    """Shares of test pictures named rightly: ours, the convolutional rival, ResNet-8 of others, a linear one, the rule."""
    pictures, labels = cifar("val")
    step = len(labels) // QUICK_PICTURES if quick else 1
    pictures, labels = pictures[::step], labels[::step]
    right = lambda given: float((np.asarray(given) == labels).mean())
    package = Package(folder_of("vision"))
    found = {variant: right(answers(ready("vision", variant), pictures)) for variant in ("int8", "float", "baseline")}
    figures = {"vision_accuracy_int8": found["int8"], "vision_accuracy_float": found["float"],
               "vision_conv_accuracy_int8": right(rival_answers(package.folder, package.manifest, pictures)),
                "vision_resnet8_accuracy": right(resnet8(pictures)),
               "vision_parameters": package.manifest["variants"][0]["parameters"]}
    figures["vision_attention_gain"] = figures["vision_accuracy_int8"] - figures["vision_conv_accuracy_int8"]
    return figures, {"vision": {"rule_accuracy": found["baseline"], "linear_accuracy": linear_accuracy(),
                                "conv_parameters": package.manifest["rival"]["parameters"]}}


def resnet8(pictures):
    """Classes by the int8 ResNet-8 of MLPerf Tiny, trained by others on all 50,000 original pictures."""
    graph = LiteRt(theirs("pretrainedResnet_quant").read_bytes(), "ResNet-8")
    name = next(iter(graph.inputs))
    return [next(iter(graph.run({name: (picture[None].astype(np.int16) - 128).astype(np.int8)}).values())).argmax() for picture in pictures]


def parts(quick):
    """(figures, gates, baselines) of the classifier and the gate."""
    figures, baselines = accuracy(quick)
    found, rows = video(QUICK_FRAMES if quick else None)
    figures.update(found)
    gates = [{"key": key, "value": figures[key], "gate": gate, "moonshot": moon,
              "met": bool(figures[key] >= gate if more else figures[key] <= gate)} for key, (gate, moon, more) in GATES.items()]
    return figures, gates, dict(baselines, **rows)
