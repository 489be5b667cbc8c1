"""The real video with a disturbance put into it, what the plugin reports of it, and which of these reports are true.

What is true is told by the run without a disturbance, whose objects agree with counts made by eye (tests/video.py).
"""

import numpy as np

from firmware_tools.bench.weather import KINDS
from gateway.core.compat import Clock
from gateway.core.context import Context
from gateway.core.records import Sample
from plugins.vision.objects import overlap
from plugins.vision.plugin import MANIFEST, VisionPlugin

SPLIT, FRAME_MS = 130, 80  # before: one car; from there on: three others
CLEAR = 8  # frames before a disturbance sets in: it is not part of the empty scene
DENIALS = 10
LEARNT, SCORED = (31, 32, 33, 34, 35, 36), (41, 42, 43)  # winds of the first part, played until there are enough false reports; of the second
OPTIONS = dict({name: spec["default"] for name, spec in MANIFEST["options"].items()}, repeat_s=0)  # each report counts


class Run:
    """One pass of a plugin over frames. reports: [(Summary, box of its object)]; boxes: of all objects, by frame; counters."""

    def __init__(self, model, planes, first=0, state=None, base_ms=0):
        context = Context("yard", Clock)
        plugin, self.reports, self.boxes, self.counters = VisionPlugin(OPTIONS, context), [], {}, context.counters
        if state:
            plugin.use("yard", state)
        for number, frame in enumerate(planes, first):
            for item in plugin.push(Sample("yard", number, base_ms + FRAME_MS * number, (frame,))):
                self._take(plugin, model, item)
            self.boxes[number] = [track.box for track in plugin.scenes["yard"].tracker.tracks
                                  if track.seen_ms == base_ms + FRAME_MS * number]

    def _take(self, plugin, model, item):
        out = [item]
        if hasattr(item, "facts"):
            inference = model.infer(item)
            out = plugin.summarise(item, inference, plugin.decide(item, inference))
        self.reports += [(summary, plugin.scenes["yard"].track(summary.data["object"]).box) for summary in out if "report" in summary.data]


def disturbed(planes, kind, wind):
    """Copies of frames with a disturbance in them."""
    out = [frame.copy() for frame in planes]
    for number, frame in enumerate(out[CLEAR:], CLEAR):
        KINDS[kind](frame, number, wind)
    return out


class Truth:
    """planes: of the whole recording, whose objects are all true. A report is true where its object lies mostly on one of these, and
    a crossing if it was also counted that way."""

    def __init__(self, model, planes):
        run = Run(model, planes)
        self.boxes = run.boxes
        there = np.array([bool(self.boxes[number]) for number in range(len(planes))])
        self.visit = np.cumsum(np.diff(there, prepend=False) & there)  # which time something was there
        self.crossed = {self.key(summary) for summary, _ in run.reports if summary.data["event"] == "crossed"}

    def key(self, summary):
        """(event, tile or way, visit) of a report."""
        return summary.data["event"], summary.data.get("tile", summary.data.get("way")), int(self.visit[summary.data["frame"]])

    def tells(self, report):
        """Whether a report is true."""
        summary, box = report
        there = any(overlap(box, car) > .5 for car in self.boxes[summary.data["frame"]])
        return there and (summary.data["event"] != "crossed" or self.key(summary) in self.crossed)

    def found(self, run):
        """What a run reports of what is true, each key once."""
        return {self.key(report[0]) for report in run.reports if self.tells(report)}

    def false(self, run):
        """False reports of a run."""
        return sum(not self.tells(report) for report in run.reports)


def add(row, truth, shipped, run):
    """Add what a run found to a Counter, beside what it finds as shipped."""
    had, has = truth.found(shipped), truth.found(run)
    row.update({"false": truth.false(run), "true": len(has), "lost": len(had - has), "gained": len(has - had),
                "looks": run.counters["looked"], "looks of all": run.counters["tiles"]})
