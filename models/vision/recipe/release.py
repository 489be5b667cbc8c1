"""Writes the package: files, digests, manifest. The card is written by the evaluation that follows."""

import hashlib
import json
from pathlib import Path

import numpy as np

from models.vision.recipe import export
from models.vision.recipe.data import CLASSES, UNIT
from models.vision.recipe.net import HEADS, PLACES, SIDE, layers
from models.vision.recipe.train import folded


def mflop(kind):
    """MFLOP of one picture, multiply-adds counted as two, from the shapes."""
    total, side, width = 0, SIDE, layers(kind)["same2"][2]
    for kernel, n, m, stride, _ in layers(kind).values():
        side //= stride
        total += side * side * kernel * kernel * n * m
    if kind != "conv":
        total += 2 * PLACES * PLACES * width + PLACES * width * (HEADS + 1)
    return round(2e-6 * (total + width * len(CLASSES)), 1)


def write(folder, trained, pictures, version, rival, seconds):
    """Export a trained net into `folder` as float, dynamic range and int8 graphs, with the int8 rival beside them.

    rival: the trained rival; seconds: CPU time that each took in training.
    """
    folder, net, size, other = Path(folder), folded(trained, pictures), trained.size(), folded(rival, pictures)
    folder.mkdir(parents=True, exist_ok=True)
    variants = [kept(folder, "look_%s.tflite" % name, name, data, size, net.kind) for name, data in (
        ("float", export.converted(net)), ("dynamic", export.converted(net, dynamic=True)), ("int8", export.converted(net, pictures)))]
    np.savez_compressed(folder / "weights.npz", **{name: value.numpy() for name, value in net.names.items()})
    np.savez_compressed(folder / "trained.npz", **{name: value.astype(np.float16) for name, value in trained.weights().items()})
    beside = kept(folder, "rival_conv.tflite", "conv", export.converted(other, pictures), rival.size(), other.kind)
    facts = dict(manifest(version, variants), rival=beside, training={"cpu_s": seconds, "pictures": len(pictures)})
    (folder / "manifest.json").write_text(json.dumps(facts, indent=1) + "\n")


def kept(folder, file, name, data, size, kind):
    """Write one graph; gives what the manifest says of it."""
    (folder / file).write_bytes(data)
    return {"name": name, "runtime": "litert", "file": file, "bytes": len(data), "parameters": size, "mflop": mflop(kind),
            "sha256": hashlib.sha256(data).hexdigest()}


def manifest(version, variants):
    """The manifest as a dict; see docs/models.md."""
    ranges = {name: {"shape": list(value.shape), "min": export.CONTROLS[name][0], "max": export.CONTROLS[name][1],
                     "default": value.tolist()}
              for name, value in export.DEFAULTS.items()}
    return {
        "name": "vision", "version": version, "api": 1, "domain": "vision",
        "licence": "Apache-2.0; trained on CIFAR-10 (Krizhevsky 2009; no licence is stated by its authors)",
        "inputs": [{"name": "picture", "shape": [1, SIDE, SIDE, 3], "dtype": "int16", "scale": 1 / UNIT, "unit": "1/128 of full light",
                    "meaning": "red, green and blue of a picture or a part of one, each less 128"}],
        "classes": list(CLASSES), "controls": ranges,
        "maps": {"name": "maps", "axes": ["block", "head", "place, rows of 8"]}, "state": [],
        "variants": variants, "fallback": ["dynamic", "float", "int8", "baseline"]}
