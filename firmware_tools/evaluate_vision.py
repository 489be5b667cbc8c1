"""Figures of a vision package on the 2,000 CIFAR-10 pictures that judge, or on pictures of the user's."""

from pathlib import Path

import numpy as np

from firmware_tools.recordings import cifar, decoded
from gateway.core.errors import HeedError
from gateway.core.records import Features
from models.runtimes.litert import LiteRt
from models.vision.recipe.data import CLASSES

PATTERNS = ("*.jpg", "*.jpeg", "*.png", "*.bmp")
LINEAR_CELL = 2  # the linear rival sees means of 2 x 2 pixels
RIDGE = 10.0


def figures_on(model, own):
    """Tables and lines of an evaluation; own["data"]: folder of folders called as the classes, with pictures."""
    pictures, labels = own_pictures(own["data"]) if own else cifar("val")
    table = confusion(labels, answers(model, pictures))
    accuracy = float(np.trace(table) / max(1, table.sum()))
    gate = [] if own or model.variant != "baseline" else [gate_line()]  # the gate is the same beside every variant
    title = "%d pictures of %s" % (len(labels), own["data"] if own else "CIFAR-10, as JPEG")
    lines = ["%s: accuracy %.2f %%" % (title, 100 * accuracy), *gate]
    return {"tables": {title: by_class(table)}, "lines": lines, "figures": {"accuracy": accuracy}}


def gate_line():
    """The saliency gate, judged on the recorded video."""
    from firmware_tools.judge_gate import video
    figures, _ = video()
    return "saliency: %.1f %% of the tiles looked at, F1 %.3f against looking at all, %.1f times less CPU time with decoding" % (
        100 * figures["video_tile_share"], figures["video_f1"], figures["video_time_gain"])


def rival_answers(folder, manifest, pictures):
    """Class indices by the plain convolutional net of equal cost that was trained the same way, int8."""
    graph = LiteRt((folder / manifest["rival"]["file"]).read_bytes(), "rival")
    return np.array([graph.run({"picture": (picture[None].astype(np.float32) - 128) / 128})["logits"].argmax() for picture in pictures])


def answers(model, pictures):
    """Class index for each picture (n, 32, 32, 3) uint8."""
    return np.array([CLASSES.index(model.infer(Features("judge", i, 0, [picture.astype(np.int16).ravel() - 128], {})).label)
                     for i, picture in enumerate(pictures)])


def own_pictures(folder):
    """(pictures, labels) of folder/CLASS/FILE, each made 32 x 32."""
    found = [(path, label) for label, name in enumerate(CLASSES) for pattern in PATTERNS
             for path in sorted((Path(folder) / name).glob(pattern))]
    if not found:
        raise HeedError("no pictures in %s" % folder, "folders called %s, each with pictures" % ", ".join(CLASSES))
    return np.stack([decoded(path, 32) for path, _ in found]), np.array([label for _, label in found])


def confusion(labels, given):
    """(10, 10) counts, rows the truth."""
    table = np.zeros((len(CLASSES),) * 2, int)
    np.add.at(table, (labels, given), 1)
    return table


def by_class(table):
    """{class: {se, pp, f1}}."""
    out = {}
    for i, name in enumerate(CLASSES):
        se, pp = table[i, i] / max(1, table[i].sum()), table[i, i] / max(1, table[:, i].sum())
        out[name] = {"se": float(se), "pp": float(pp), "f1": float(2 * se * pp / max(1e-9, se + pp))}
    return out


def linear_accuracy():
    """Of the linear rival: ridge regression on shrunken pixels, trained on the same pictures."""
    from models.vision.recipe.data import split
    (pictures, labels), _ = split(*cifar("train"))
    test, truth = cifar("val")
    x, y = shrunken(pictures), np.eye(len(CLASSES))[labels]
    mean = x.mean(0)
    weights = np.linalg.solve((x - mean).T @ (x - mean) + RIDGE * np.eye(x.shape[1]), (x - mean).T @ (y - y.mean(0)))
    return float((((shrunken(test) - mean) @ weights).argmax(1) == truth).mean())


def shrunken(pictures):
    """Means of small squares, as rows, 0 to 1."""
    n, side = len(pictures), pictures.shape[1] // LINEAR_CELL
    return pictures.reshape(n, side, LINEAR_CELL, side, LINEAR_CELL, 3).mean((2, 4)).reshape(n, -1) / 255
