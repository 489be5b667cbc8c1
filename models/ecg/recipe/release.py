"""Writes the package: files, digests, manifest. The card is written by the evaluation that follows."""

import hashlib
import json
from pathlib import Path

import numpy as np

from models import tiny_export
from models.ecg.recipe import export, gradient, speed
from models.ecg.recipe.data import CLASSES
from models.ecg.recipe.net import BAND, BLOCKS, DEPTH, HEADS
from plugins.ecg.beats import LENGTH, UNIT
from plugins.ecg.rhythm import NAMES
from plugins.ecg.rr import COUNT, UNIT as RR_UNIT

MFLOP = 0.078  # multiply-adds of one step counted as two, from the shapes


def offset_head(net, offset):
    """Put the offset on the S logit into the head, where it belongs to the weights."""
    bias = net.head_b.numpy()
    bias[CLASSES.index("S")] += offset
    net.head_b.assign(bias)


def write(folder, net, records, version, offset):
    """Export `net` into `folder` as float, dynamic range and int8 step graphs with their manifest."""
    folder = Path(folder)
    offset_head(net, offset)
    controls = export.defaults(net)
    files = {"float": export.converted(net), "dynamic": export.converted(net, dynamic=True),
             "int8": export.converted(net, records, controls)}
    variants = []
    for name, data in files.items():
        path = folder / ("step_%s.tflite" % name)
        path.write_bytes(data)
        variants.append({"name": name, "runtime": "litert", "file": path.name, "bytes": len(data), "parameters": net.size(),
                         "mflop": MFLOP, "sha256": hashlib.sha256(data).hexdigest()})
    np.savez_compressed(folder / "weights.npz", **net.weights())
    data = tiny_export.export(net.weights(), controls)
    (folder / "step_tiny.bin").write_bytes(data)
    variants.append({"name": "tiny", "runtime": "tiny", "file": "step_tiny.bin", "bytes": len(data), "parameters": net.size(),
                     "mflop": MFLOP, "sha256": hashlib.sha256(data).hexdigest()})
    graph = gradient.converted(net)
    (folder / "grad.tflite").write_bytes(graph)
    speed.write(folder / "speed", net)
    facts = manifest(version, variants, controls, offset)
    facts["grad"] = gradient.facts("grad.tflite", graph, hashlib.sha256(graph).hexdigest())
    (folder / "manifest.json").write_text(json.dumps(facts, indent=1) + "\n")


def manifest(version, variants, controls, offset):
    """The manifest as a dict; see docs/models.md."""
    cache = [BLOCKS, HEADS, BAND, DEPTH]
    ranges = {name: {"shape": list(np.shape(value)), "min": export.CONTROLS[name][0], "max": export.CONTROLS[name][1],
                     "default": np.round(value, 5).tolist()} for name, value in controls.items()}
    return {
        "name": "ecg", "version": version, "api": 1, "domain": "ecg", "licence": "Apache-2.0; trained on MIT-BIH, ODC-By 1.0",
        "inputs": [{"name": "beat", "shape": [1, LENGTH, 2], "dtype": "int16", "scale": 1 / UNIT, "unit": "height of the usual beat",
                    "rate_hz": 128, "meaning": "the beat, and its difference from the patient's usual beat"},
                   {"name": "rr", "shape": [1, COUNT], "dtype": "int16", "scale": 1 / RR_UNIT, "unit": "ln",
                    "meaning": "log ratios of RR intervals, see plugins/ecg/rr.py"}],
        "classes": list(CLASSES), "class_names": {name: NAMES[name] for name in CLASSES},
        "s_offset": offset, "controls": ranges,
        "maps": {"name": "maps", "axes": ["block", "head", "beat, newest last"]},
        "state": [{"name": "k", "output": "k_out", "shape": cache}, {"name": "v", "output": "v_out", "shape": cache}],
        "variants": variants, "fallback": ["float", "int8", "tiny", "baseline"]}
