"""heed bench traffic: forecasts on PEMS08's test part beside the rivals, incidents on NAB's windows; also a part of heed bench models."""

import time

from firmware_tools import incidents, rivals_traffic
from firmware_tools.bench.pipeline import environment
from firmware_tools.evaluate import ready
from firmware_tools.recordings import pems08
from firmware_tools.verify_traffic import coverage, errors, played
from models.package import Package, folder_of
from plugins.traffic.lags import span

# key: (gate, moonshot, whether more is better)
GATES = {"traffic_mae_real": (16.9, 15.8, False), "traffic_mae_all": (13.4, 12.7, False), "traffic_stored_numbers": (200000, 100000, False),
         "incident_windows_found": (13, 14, True), "incident_false_per_day": (.15, .05, False)}
QUICK = 288  # windows of the test part: its first day


def forecasts(series, now):
    """(figures, baselines): the network, the single net and the rule through the plugin; the rivals in the same run."""
    figures, baselines = {}, {}
    for name, variant, prefix in (("traffic", "float", "traffic_"), ("traffic_single", "float", "traffic_single_"), ("traffic", "baseline", "")):
        found = played(ready(name, variant), series, now)
        judged = dict(errors(found["values"], series, now), **coverage(found, series, now))
        if prefix:
            figures.update({prefix + key: value for key, value in judged.items()})
        else:
            baselines["rule"] = judged
    baselines.update(rivals_traffic.measure(series, now))
    figures.update({"traffic_ridge60_" + key: baselines["ridge60"][key] for key in ("mae_real", "mae_all")})
    for name in ("traffic", "traffic_single"):
        figures[name + "_stored_numbers"] = Package(folder_of(name)).manifest["variants"][0]["parameters"]
    figures["traffic_week_memory_numbers"] = len(series.names) * span(series.per_day)
    return figures, baselines


def parts(quick):
    """(figures, gates, baselines) of the traffic models and the plugin."""
    series = pems08()
    now = series.parts()[2]
    figures, baselines = forecasts(series, now[:QUICK] if quick else now)
    found, baselines["plain_residual"] = incidents.measure(ready("traffic", "baseline"))
    figures.update({key: float(value) for key, value in found.items()})
    gates = [{"key": key, "value": figures[key], "gate": gate, "moonshot": moon,
              "met": bool(figures[key] >= gate if more else figures[key] <= gate)} for key, (gate, moon, more) in GATES.items()]
    return figures, gates, baselines


def measure(quick):
    """The benchmark's one object."""
    began = time.monotonic()
    figures, gates, baselines = parts(quick)
    return {"bench": "traffic", "figures": figures, "gates": gates, "baselines": baselines, "environment": environment(),
            "seconds": time.monotonic() - began}
