"""Writes a package: graphs, digests, manifest. The card is written by the evaluation that follows."""

import hashlib
import json
from pathlib import Path

import numpy as np

from models.traffic.recipe import export
from plugins.traffic.lags import AHEAD, GROUPS, LAGS


def mflop(net):
    """Multiply-adds of one slot counted as two, in millions, from the shapes."""
    n, d, forward = net.sensors or 1, net.width, net.blocks[0]["f1"][0].shape[1]
    own = LAGS * d * 2 + LAGS * AHEAD + d * AHEAD + d * net.heads * len(GROUPS)
    block = 2 * d * forward + (4 * d * d + 2 * n * d if net.sensors else 0)
    return round(2e-6 * n * (own + len(net.blocks) * block), 3)


def write(folder, net, series, version, licence):
    """Export `net` into `folder` as float and dynamic-range graphs with their manifest."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    variants = []
    for name in ("float", "dynamic"):
        data = export.converted(net, dynamic=name == "dynamic")
        (folder / ("step_%s.tflite" % name)).write_bytes(data)
        variants.append({"name": name, "runtime": "litert", "file": "step_%s.tflite" % name, "bytes": len(data), "parameters": net.size(),
                         "mflop": mflop(net), "sha256": hashlib.sha256(data).hexdigest()})
    np.savez_compressed(folder / "weights.npz", **net.weights())
    facts = manifest(folder.name, net, series, variants, version, licence)
    (folder / "manifest.json").write_text(json.dumps(facts, indent=1) + "\n")


def manifest(name, net, series, variants, version, licence):
    """The manifest as a dict; see docs/models.md."""
    shapes = export.shapes(net)
    controls = {key: {"shape": list(value.shape), "min": export.CONTROLS[key][0], "max": export.CONTROLS[key][1], "default": value.tolist()}
                for key, value in export.controls(net).items()}
    facts = {
        "name": name, "version": version, "api": 1, "domain": "traffic", "licence": licence,
        "inputs": [{"name": "lags", "shape": list(shapes["lags"]), "dtype": "int32", "scale": 1.0, "unit": "counts",
                    "meaning": "the slots that plugins/traffic/lags.py names, one row a sensor"}],
        "forecast": {"output": "forecast", "step_min": series.step_min, "ahead": AHEAD}, "classes": [],
        "controls": controls,
        "maps": {"lag_weights": ["sensor", "head", "group: " + ", ".join(group for group, _ in GROUPS)]},
        "state": [], "variants": variants, "fallback": ["float", "dynamic", "baseline"]}
    if net.sensors:
        facts["sensors"] = series.names
        facts["maps"]["neighbour_weights"] = ["sensor", "sensor that it attends to"]
    return facts
