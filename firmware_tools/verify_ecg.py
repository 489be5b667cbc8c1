"""Judges an ECG package on annotated records, through the very code that runs on the gateway."""

from pathlib import Path

import numpy as np

from gateway.core.errors import HeedError
from gateway.core.records import Block, Features, Signal
from models.ecg.recipe.data import AAMI, CLASSES, PAD, load
from models.ecg.recipe.evaluate import confusion, figures
from firmware_tools.judge_alarms import judged, runs_found
from firmware_tools.recordings import beat_lead, read
from plugins.ecg.beats import Tokens

TOLERANCE_S = 0.15  # ANSI/AAMI EC57: a detection within 150 ms is that beat


def answers(model, beats):
    """Class index that the model gives each annotated beat of a data.Beats."""
    maker, out = Tokens(), []
    model.forget(beats.name)
    for i, window in enumerate(beats.windows[:, PAD:-PAD].astype(np.int64)):
        window = window - np.partition(window, len(window) // 2)[len(window) // 2]
        token = maker.token(window, max(1, int(beats.before[i])), max(1, int(beats.before[i + 1])))
        inference = model.infer(Features(beats.name, i, 0, list(token), {"unlike": maker.unlike}))
        out.append(CLASSES.index(inference.label))
    return np.array(out)


def judge(model, folder, names):
    """{record: (4, 4) confusion} on annotated beats, without any label of these patients used."""
    tables = {}
    for name in names:
        beats = load(read, folder, name)
        tables[name] = confusion(beats.labels, answers(model, beats))
    return tables


def end_to_end(make_plugin, model, path, block_s=0.5):
    """One record through detector, model and decision: dict of beats (list of (sample, label)), events, hours, lead."""
    samples, rate_hz, marks, lead = beat_lead(path)
    if not any(code in AAMI for _, code in marks):
        raise HeedError("%s has no annotated beats" % path, "leave the record out")
    name, plugin = Path(path).name, make_plugin()
    signal, n = Signal(name, lead, "mV", rate_hz, 200, 1024), int(block_s * rate_hz)
    beats, summaries = [], []
    for at in range(0, len(samples), n):
        for item in plugin.push(Block(signal, at, at * 1000 // int(rate_hz), samples[at:at + n])):
            if not isinstance(item, Features):
                summaries.append(item)
                continue
            inference = model.infer(item)
            decision = plugin.decide(item, inference)
            summaries += plugin.summarise(item, inference, decision)
            beats.append((item.seq, plugin.streams[name].label, inference.label))
    return {"beats": beats, "events": [s for s in summaries + plugin.finish() if s.kind == "event"], "marks": marks,
            "hours": len(samples) / rate_hz / 3600, "rate_hz": rate_hz, "lead": lead}


def flutter(marks, rate_hz):
    """Spans of ventricular flutter, which hold no beats that could be found."""
    spans, start = [], None
    for at, code in marks:
        if code == "[":
            start = at
        elif code == "]" and start is not None:
            spans.append((start - TOLERANCE_S * rate_hz, at + TOLERANCE_S * rate_hz))
    return spans


def matched(result):
    """Pairs (true class or None, answer or None) after matching within 150 ms; flutter left out."""
    rate_hz, tolerance = result["rate_hz"], TOLERANCE_S * result["rate_hz"]
    spans = flutter(result["marks"], rate_hz)
    outside = lambda at: not any(a <= at <= b for a, b in spans)
    truth = [(at, AAMI[code]) for at, code in result["marks"] if code in AAMI and outside(at)]
    found = [(at, label) for at, label, _ in result["beats"] if outside(at)]
    pairs, i, j = [], 0, 0
    while i < len(truth) or j < len(found):
        apart = (found[j][0] if j < len(found) else 1 << 60) - (truth[i][0] if i < len(truth) else 1 << 60)
        if abs(apart) <= tolerance:
            pairs.append((truth[i][1], found[j][1]))
            i, j = i + 1, j + 1
        elif apart > 0:
            pairs.append((truth[i][1], None))
            i += 1
        else:
            pairs.append((None, found[j][1]))
            j += 1
    return pairs


def summary(tables):
    """Figures of {record: confusion}: pooled, and without record 232, which alone can buy the S figure."""
    pooled = figures(sum(tables.values()))
    rest = figures(sum(table for name, table in tables.items() if name != "232"))
    return {"pooled": pooled, "without_232": rest}


def counts(results, options):
    """Figures of end_to_end() results: detection, classes by the plugin's own label, false labels and alarms an hour."""
    pairs = [pair for result in results for pair in matched(result)]
    hours = sum(result["hours"] for result in results)
    hits = sum(true is not None and label is not None for true, label in pairs)
    missed, extra = (sum(pair[i] is None for pair in pairs) for i in (1, 0))
    table = np.zeros((4, 4), int)
    for true, label in pairs:
        if true is not None and true >= 0 and label in CLASSES:
            table[true, CLASSES.index(label)] += 1
    truth = [sum(true == c for true, _ in pairs) for c in range(4)]
    false = {name: sum(label == name and true != c for true, label in pairs if true != -1) / hours
             for c, name in enumerate(CLASSES)}
    classes = {}
    for c, name in enumerate(CLASSES):
        answered = sum(label == name for true, label in pairs if true != -1)
        se, pp = table[c, c] / max(1, truth[c]), table[c, c] / max(1, answered)
        classes[name] = {"se": float(se), "pp": float(pp), "f1": float(2 * se * pp / max(1e-9, se + pp))}
    alarms = [true for result in results for _, true in judged(result, options)]
    runs = [runs_found(result) for result in results]
    found = {"qrs_se": hits / max(1, hits + missed), "qrs_pp": hits / max(1, hits + extra), "hours": hours,
             "false_v_per_hour": false["V"], "false_s_per_hour": false["S"], "alarms": len(alarms), "false_alarms_per_hour": alarms.count(False) / hours,
             "runs": sum(run[0] for run in runs), "runs_found": sum(run[1] for run in runs),
             "unsure_share": sum(label == "?" for _, label in pairs) / max(1, len(pairs))}
    lines = ["QRS within 150 ms: Se %.2f %%, +P %.2f %%" % (100 * found["qrs_se"], 100 * found["qrs_pp"]),
             "false labels an hour: V %.1f, S %.1f; unsure: %.1f %%" % (false["V"], false["S"], 100 * found["unsure_share"]),
             "%(alarms)d alarms in %(hours).1f hours, %(false_alarms_per_hour).2f false ones an hour; ventricular runs of three or "
             "more: %(runs)d, alarmed: %(runs_found)d" % found]
    return {"classes": classes, "figures": found, "lines": lines}
