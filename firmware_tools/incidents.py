"""Incidents found in NAB's traffic series against false alarms, with the threshold taken from the other series only.

The first 15 % of a series never alarm (NAB's own rule, Lavin and Ahmad, 2015). An event lasts until two hours of calm. A window
counts once an alarm lies in it; an event that touches no window is false. The delay is from the window's begin, which lies
well before the incident itself.
"""

import numpy as np

from firmware_tools.evaluate import options_of
from firmware_tools.recordings import traffic_file
from firmware_tools.verify_traffic import labelled
from gateway.context import GatewayContext
from gateway.core.records import Block, Features, Signal
from plugins.traffic.plugin import MANIFEST as TRAFFIC, TrafficPlugin
from sensors.series_file import read as read_series

QUIET, CALM_MS = .15, 7200000
BUDGET = .08  # false alarms a day that the threshold may cost on the other series
THRESHOLDS = np.exp(np.arange(np.log(100), np.log(6000), .03))  # percent of the usual residual


def scores(table, model):
    """(times in ms, scores in percent) of a series as the plugin gives them, reading by reading."""
    plugin = TrafficPlugin(options_of(TRAFFIC), GatewayContext("incidents", "."))
    signal = Signal("series", "value", "", 1000 / (1000 * plugin.options["step_s"]), table.gain, 0)
    times, out, seen = [], [], 0
    for seq, (t_ms, count) in enumerate(zip(table.times, table.counts[:, 0])):
        for item in plugin.push(Block(signal, seq, int(t_ms), [int(count)])):
            if isinstance(item, Features):
                plugin.decide(item, model.infer(item))
        watch = plugin.stations["series"].watch
        if watch.slots > seen:
            seen = watch.slots
            times.append(int(t_ms))
            out.append(watch.expectation.score)
    return np.array(times), np.abs(out)


def plain(table):
    """The same by the rule that everybody writes first: distance to the median of the quiet part, in its median distances."""
    values = table.counts[:, 0].astype(float)
    learnt = values[:int(QUIET * len(values))]
    spread = max(np.median(np.abs(learnt - np.median(learnt))), 1.0)
    return table.times, 100 * np.abs(values - np.median(learnt)) / spread


def judged(times, marks, windows, threshold):
    """(delays in minutes of the windows found, false events, days judged)."""
    begin = times[int(QUIET * len(times))]
    alarms = times[(marks >= threshold) & (times >= begin)]
    events = np.split(alarms, np.flatnonzero(np.diff(alarms) > CALM_MS) + 1) if len(alarms) else []
    inside = [alarms[(alarms >= a) & (alarms <= b)] for a, b in windows]
    false = sum(not any(event[0] <= b and event[-1] >= a for a, b in windows) for event in events)
    return [(hits[0] - a) / 60000 for hits, (a, _) in zip(inside, windows) if len(hits)], false, (times[-1] - begin) / 86400000


def lowest(rows):
    """The lowest threshold that keeps to the budget. rows: by series, judged() at each threshold."""
    for i in range(len(THRESHOLDS)):
        if sum(row[i][1] for row in rows) <= BUDGET * sum(row[i][2] for row in rows):
            return i
    return len(THRESHOLDS) - 1


def found(marks, windows):
    """Figures with each series judged by the others' threshold. marks: {name: (times, scores)}."""
    table = {name: [judged(*marks[name], windows[name], threshold) for threshold in THRESHOLDS] for name in marks}
    chosen = {name: table[name][lowest([table[other] for other in marks if other != name])] for name in marks}
    delays = [delay for row in chosen.values() for delay in row[0]]
    return {"incident_windows": sum(len(spans) for spans in windows.values()), "incident_windows_found": len(delays),
            "incident_false_per_day": sum(row[1] for row in chosen.values()) / sum(row[2] for row in chosen.values()),
            "incident_median_delay_min": float(np.median(delays)) if delays else 0.0,
            "incident_threshold": float(THRESHOLDS[lowest(list(table.values()))])}


def measure(model):
    """(figures of the plugin, figures of the plain rule)."""
    folder = traffic_file("nab-realtraffic")
    windows = labelled(folder)
    tables = {name: read_series(folder / name) for name in windows}
    return (found({name: scores(table, model) for name, table in tables.items()}, windows),
            found({name: plain(table) for name, table in tables.items()}, windows))
