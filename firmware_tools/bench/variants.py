"""Time of one inference, variant by variant."""

import time

import numpy as np

from gateway.core.errors import ModelError
from models.package import Package, folder_of
from models.runtimes.edgetpu import EdgeTpu
from models.runtimes.litert import RUNTIME, LiteRt
from models.tiny import Net, new_state

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
    """{"package", "runtime", "variants": [...]}: of each variant name, bytes, parameters, mflop, figures, p50_us and p99_us of one
    inference, over_first; or `refused`, with the reason."""
    package, rows = Package(folder_of(name)), []
    for variant in package.variants.values():
        row = {key: variant.facts.get(key) for key in ("name", "runtime", "bytes", "parameters", "mflop", "figures")}
        try:
            row["p50_us"], row["p99_us"] = best_window(call_of(variant, package), calls=CALLS if variant.runtime == "litert" else 2)
            first = next((each["p50_us"] for each in rows if "p50_us" in each), row["p50_us"])
            row["over_first"] = row["p50_us"] / first
        except ModelError as error:
            row["refused"] = error.message
        rows.append(row)
    return {"package": package.name, "runtime": RUNTIME, "variants": rows}


def call_of(variant, package):
    """One inference of a variant, as a function. Raises ModelError where it does not run here."""
    if variant.runtime == "tiny":
        net, state = Net(variant.data()), new_state()
        beat, rr = ([0] * int(np.prod(i["shape"])) for i in package.manifest["inputs"])
        return lambda: net.step(beat, rr, state)
    graph = {"litert": LiteRt, "edgetpu": EdgeTpu}[variant.runtime](variant.data(), variant.path.name)
    values = inputs_of(graph, package)
    return lambda: graph.run(values)
