"""Energy of the variants of a model package by a real meter: with load and without, in turn, with standard errors."""

import time

import numpy as np

from firmware_tools.bench.variants import inputs_of
from gateway.core.errors import HeedError
from models.package import Package, folder_of
from models.runtimes.litert import LiteRt

REPEATS = 5
SAMPLE_S = .1


def mean_watts(meter, seconds, work=lambda: None):
    """(mean power, calls of `work`) over a span; the meter is read ten times a second, work fills the time between."""
    readings, calls = [], 0
    end, due = time.monotonic() + seconds, time.monotonic() + SAMPLE_S
    while time.monotonic() < end or not readings:
        if time.monotonic() >= due:
            readings.append(meter.watts())
            due += SAMPLE_S
        if work() is None:
            time.sleep(SAMPLE_S)
        else:
            calls += 1
    return float(np.mean(readings)), calls


def calibrate(meter, name, seconds, repeats=REPEATS):
    """[{"variant", "mj", "se_mj", "ms"}] of what runs here. Raises HeedError for a meter that does not measure."""
    if meter.name == "model":
        raise HeedError("there is no meter here to calibrate by", "connect an INA219 or INA226; see `heed energy probe`")
    package, rows = Package(folder_of(name)), []
    for variant in package.variants.values():
        if variant.runtime == "litert":
            graph = LiteRt(variant.data(), str(variant.path))
            values = inputs_of(graph, package)
            rows.append(dict(variant=variant.name, **measured(meter, lambda: graph.run(values), seconds, repeats)))
    return rows


def measured(meter, work, seconds, repeats):
    """Energy and time of one call: mean and standard error over the repeats."""
    found = []
    for _ in range(repeats):
        idle, _ = mean_watts(meter, seconds)
        busy, calls = mean_watts(meter, seconds, work)
        found.append((1000 * (busy - idle) * seconds / calls, 1000 * seconds / calls))
    joules = [mj for mj, _ in found]
    return {"mj": float(np.mean(joules)), "se_mj": float(np.std(joules, ddof=1) / np.sqrt(repeats)),
            "ms": float(np.mean([ms for _, ms in found]))}
