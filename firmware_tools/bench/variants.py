"""Time of one inference, variant by variant."""

import time

import numpy as np

from models.package import Package, folder_of
from models.runtimes.litert import LiteRt

WINDOWS, CALLS = 40, 100


def best_window(call, windows=WINDOWS, calls=CALLS):
    """(p50, p99) in us of the best of some windows: on a shared machine the others measure the neighbours."""
    best = None
    for _ in range(windows):
        times = []
        for _ in range(calls):
            began = time.perf_counter_ns()
            call()
            times.append((time.perf_counter_ns() - began) / 1000)
        found = float(np.median(times)), float(np.percentile(times, 99))
        best = found if best is None or found < best else best
    return best


def inputs_of(graph, package):
    """Inputs of the right shapes and types, controls at their defaults."""
    values = {name: np.zeros(shape, dtype) for name, (_, shape, dtype) in graph.inputs.items()}
    values.update({name: np.array(c["default"], np.float32) for name, c in package.manifest["controls"].items() if name in values})
    return values


def measure(name):
    """{"package", "variants": [{"name", "bytes", "p50_us", "p99_us", "over_first"}]}."""
    package, rows = Package(folder_of(name)), []
    for variant in package.variants.values():
        if variant.runtime != "litert":
            continue  # the others need a device, or a microcontroller, to mean something
        graph = LiteRt(variant.data(), str(variant.path))
        values = inputs_of(graph, package)
        p50, p99 = best_window(lambda: graph.run(values))
        rows.append({"name": variant.name, "bytes": variant.facts["bytes"], "p50_us": p50, "p99_us": p99,
                     "over_first": p50 / rows[0]["p50_us"] if rows else 1.0})
    return {"package": package.name, "variants": rows}
