"""What the gateway's other way of learning makes of the same denials: the head of the net moves away from the watched classes."""

from collections import Counter

import numpy as np

from firmware_tools.bench.yard import DENIALS, LEARNT, OPTIONS, SPLIT, Run, add, disturbed
from gateway.attention.optimise import Adam, HeadLoss, descend, judged
from gateway.attention.state import Origin
from models.twin import Twin


class Looking:
    """A PackageModel that keeps what its head judged, by the frame and tile that it was of."""

    def __init__(self, model):
        self.model, self.seen = model, {}
        model.learns = True

    def infer(self, features):
        """As the model does."""
        inference = self.model.infer(features)
        self.seen[features.t_ms, features.facts.get("tile")] = self.model.last[1]
        return inference


def taught(model, planes, truth, kind):
    """(head that was taught by the denied looks, or None where none was; how many)."""
    denied, seen = [], []
    for i, wind in enumerate(LEARNT):
        eye = Looking(model)
        run = Run(eye, disturbed(planes[:SPLIT], kind, wind), base_ms=100000 * i)
        seen += eye.seen.values()
        denied += [eye.seen[summary.t_ms, summary.data["tile"]] for summary, box in run.reports
                   if "tile" in summary.data and not truth.tells((summary, box))]
        if len(denied) >= DENIALS:
            break
    twin, denied = Twin(model.package), np.array(denied[:DENIALS])
    others = np.array([name not in OPTIONS["watch"] for name in twin.classes], float)
    origin = Origin(twin.package, twin.parameters, twin.ranges, twin.classes)
    targets = np.tile(others / others.sum() / len(denied), (len(denied), 1))
    held = np.array(seen), judged(np.array(seen), origin.shipped)
    return descend(HeadLoss(origin.shipped, denied, targets, [held]), origin, Adam()), len(denied)


def scored(model, planes, truth, kind, winds):
    """Counter as that of adapt_vision.scored, with the head in place of the memory."""
    head, denied = taught(model, planes, truth, kind)
    row = Counter(denied=denied)
    for wind in winds:
        seen = disturbed(planes[SPLIT:], kind, wind)
        shipped = Run(model, seen, SPLIT)
        model.use("yard", head)
        add(row, truth, shipped, Run(model, seen, SPLIT))
        model.use("yard", None)
    return row
