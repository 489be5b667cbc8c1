"""The minute in one small record."""
# runs on CPython and MicroPython

from gateway.core.records import Summary
from plugins.ecg.rhythm import NAMES

MINUTE_MS = 60000


class Digest:
    """Counts the beats of one stream; close() gives the Summary of the minute and begins the next."""

    def __init__(self, stream, t_ms):
        self.stream = stream
        self.held = {}
        self.start(t_ms)

    def start(self, t_ms):
        """Begin at t_ms."""
        self.from_ms = t_ms
        self.counts = {label: 0 for label in NAMES}
        self.intervals = []
        self.unlike = []
        self.flat_ms = 0

    def add(self, label, facts):
        """One beat."""
        self.counts[label] += 1
        self.intervals.append(facts["before_ms"])
        self.unlike.append(facts["unlike"])

    def due(self, t_ms):
        """Whether the minute is over at t_ms."""
        return t_ms - self.from_ms >= MINUTE_MS

    def close(self, t_ms, held):
        """Summary up to t_ms. held: {kind: events of this kind that were not said again}, emptied."""
        beats = len(self.intervals)
        # a quarter of the beats is at least this much like the usual one: ectopic beats do not make a signal bad
        quality = 100 - sorted(self.unlike)[beats // 4] if beats else 0
        data = {"from_ms": self.from_ms, "to_ms": t_ms, "beats": beats, "quality": quality, "flat_ms": self.flat_ms,
                "classes": {label: n for label, n in self.counts.items() if n}, "held_back": dict(held)}
        if beats:
            data["bpm"] = 60000 * beats // max(1, sum(self.intervals))
            data["bpm_min"], data["bpm_max"] = 60000 // max(self.intervals), 60000 // max(1, min(self.intervals))
        summary = Summary(self.stream, "minute", "digest", t_ms, self.words(data), data)
        held.clear()
        self.start(t_ms)
        return summary

    def words(self, data):
        """The minute in one sentence."""
        if not data["beats"]:
            return "no beats found: is the lead on?"
        rare = ["%d %s" % (self.counts[label], NAMES[label]) for label in "SVF?" if self.counts[label]]
        signal = "good" if data["quality"] >= 70 else "fair" if data["quality"] >= 40 else "poor"
        return "%d/min, %d beats, %s; signal %s" % (data["bpm"], data["beats"], ", ".join(rare) or "all normal", signal)
