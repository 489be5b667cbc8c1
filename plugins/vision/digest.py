"""The minute in one small record."""

from gateway.core.records import Summary

MINUTE_MS = 60000


class Digest:
    """Counts of one stream; close() gives the Summary of the minute and begins the next."""

    def __init__(self, stream, t_ms):
        self.stream = stream
        self.start(t_ms)

    def start(self, t_ms):
        """Begin at t_ms."""
        self.from_ms = t_ms
        self.frames = self.dark = self.tiles = self.looked = self.most = self.faults = self.hits = 0
        self.passed = {"up": {}, "down": {}}
        self.over = {"looks": 0, "seen": 0, "crossed": 0, "stopped": 0}

    def due(self, t_ms):
        """Whether the minute is over at t_ms."""
        return t_ms - self.from_ms >= MINUTE_MS

    def crossing(self, label, way):
        """One object passed the line."""
        self.passed[way][label] = self.passed[way].get(label, 0) + 1

    def close(self, t_ms):
        """Summary up to t_ms."""
        passed = {way: labels for way, labels in self.passed.items() if labels}
        data = {"from_ms": self.from_ms, "to_ms": t_ms, "frames": self.frames, "dark_frames": self.dark, "bad_frames": self.faults,
                "objects_at_once": self.most, "passed": passed, "tiles_with_watched": self.hits,
                "looked_per_mille": 1000 * self.looked // max(1, self.tiles),
                "passed_over": {kind: n for kind, n in self.over.items() if n}}
        summary = Summary(self.stream, "minute", "digest", t_ms, self.words(data), data)
        self.start(t_ms)
        return summary

    def words(self, data):
        """The minute in one sentence."""
        if not data["frames"]:
            return "no pictures: is the camera on?"
        ways = [way + " " + ", ".join("%d %s" % (n, label + "s" * (n > 1)) for label, n in sorted(labels.items()))
                for way, labels in data["passed"].items()]
        kept = "%d frames, looked closely at %.1f %% of the tiles" % (data["frames"], data["looked_per_mille"] / 10)
        dark = "; %d frames black" % data["dark_frames"] if data["dark_frames"] else ""
        over = ", ".join("%d %s" % (n, kind) for kind, n in data["passed_over"].items())
        return "crossed the line: %s; at most %d at once; %s%s%s" % (
            "; ".join(ways) or "nothing", data["objects_at_once"], kept, dark, "; passed over, since its like was denied: " + over if over else "")
