"""Denied reports on a real video: how many false alarms of a kind are left, and whether anything true is lost.

A person denies the first false reports of the recording's first part; the second part, which has other cars and another wind, is
scored.
"""

import tempfile
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

from firmware_tools.bench import adapt_vision_head
from firmware_tools.bench.weather import KINDS
from firmware_tools.bench.yard import DENIALS, LEARNT, SCORED, SPLIT, Run, Truth, add, disturbed
from firmware_tools.judge_gate import VIDEO, opened
from firmware_tools.judge_video import frames
from firmware_tools.recordings import video_file
from gateway.attention.feedback import Feedback
from gateway.attention.reports import Reports
from gateway.attention.store import FILE, AttentionStore
from gateway.discover import Found
from models.package import folder_of
from plugins.vision.plugin import MANIFEST

ANSWERS = {"1 denied": (1, False), "3 denied": (3, False), "10 denied": (DENIALS, False), "10 denied, true ones confirmed": (DENIALS, True)}

GATES = {"vision_false_alarms_ratio": (.5, .1, False), "vision_true_lost": (0, 0, False)}


@contextmanager
def remembering():
    """The gateway's own door and memory, on files of their own."""
    with tempfile.TemporaryDirectory(prefix="heed-") as folder:
        store = AttentionStore(Path(folder) / FILE)
        yield Reports(store, Found(MANIFEST, "", "", "built in"))
        store.close()


def answered(reports, told):
    """The state after [(Summary, label)] were reported and answered, as a plugin uses it; None where nothing was."""
    for summary, label in told:
        reports.observe([summary])
        reports.keep()
        reports.door.give(Feedback("yard", summary.data["report"], label, "user"))
    reports.work()
    state = reports.taught.get("yard")
    return state and state.parameters


def lessons(model, planes, truth, kind):
    """(false reports, true reports) of the first part, played under one wind after the other until DENIALS are false."""
    false, true = [], []
    for i, wind in enumerate(LEARNT):
        run = Run(model, disturbed(planes[:SPLIT], kind, wind), base_ms=100000 * i)
        false += [report[0] for report in run.reports if not truth.tells(report)]
        true += [report[0] for report in run.reports if truth.tells(report)]
        if len(false) >= DENIALS:
            break
    return false, true


def states(model, planes, truth, kind, answers):
    """{how it was answered: state}."""
    false, true = lessons(model, planes, truth, kind)
    out = {}
    for name, (denials, confirmed) in answers.items():
        with remembering() as reports:
            out[name] = answered(reports, [(s, "deny") for s in false[:denials]] + [(s, "confirm") for s in true if confirmed])
    return out, min(len(false), DENIALS)


def scored(model, planes, truth, kind, answers, winds):
    """{"as shipped" and each way of answering: Counter of "false", "true", "lost", "gained", "looks"} over the second part."""
    taught, denied = states(model, planes, truth, kind, answers)
    table = {name: Counter(denied=denied) for name in ("as shipped", *taught)}
    for wind in winds:
        seen = disturbed(planes[SPLIT:], kind, wind)
        shipped = Run(model, seen, SPLIT)
        for name, row in table.items():
            add(row, truth, shipped, shipped if name == "as shipped" else Run(model, seen, SPLIT, taught[name]))
    return table


def poisoned(model, planes, truth):
    """Every report of every true car denied, nothing disturbed, and the same cars come again: what of them is not reported then."""
    run = Run(model, planes)
    with remembering() as reports:
        state = answered(reports, [(summary, "deny") for summary, _ in run.reports])
    again = Run(model, planes, state=state)
    lost = truth.found(run) - truth.found(again)
    return {"denied": len(run.reports), "true": len(truth.found(run)), "lost": len(lost), "crossings lost": len({key for key in lost if key[0] == "crossed"}),
            "cars": int(truth.visit[-1]), "cars reported": len({key[2] for key in truth.found(again)})}


def measure(quick=False):
    """(figures, baselines) of `heed bench adapt` for vision."""
    model, planes = opened(folder_of("vision")), list(frames(video_file(VIDEO)))
    truth, kinds = Truth(model, planes), ["flag in the lane", "rain"] if quick else list(KINDS)
    answers = {"10 denied": ANSWERS["10 denied"]} if quick else ANSWERS
    winds = SCORED[:1] if quick else SCORED
    tables = {kind: scored(model, planes, truth, kind, answers, winds) for kind in kinds}
    before, after = ([table[name] for table in tables.values()] for name in ("as shipped", "10 denied"))
    harm = poisoned(model, planes, truth)
    figures = {"vision_false_alarms_before": sum(row["false"] for row in before), "vision_false_alarms_after": sum(row["false"] for row in after),
               "vision_false_alarms_ratio": max(a["false"] / max(1, b["false"]) for a, b in zip(after, before)),
               "vision_true_lost": sum(row["lost"] for row in after),
               "vision_looks_ratio": sum(row["looks"] for row in after) / sum(row["looks"] for row in before),
               "vision_poisoned_lost_share": harm["lost"] / harm["true"]}
    for kind, table in () if quick else tables.items():
        table["10 denied, learnt by the head"] = adapt_vision_head.scored(model, planes, truth, kind, winds)
    baselines = {"vision, %s: %s" % (kind, name): dict(row) for kind, table in tables.items() for name, row in table.items()}
    return figures, dict(baselines, **{"vision, the true denied": harm})
