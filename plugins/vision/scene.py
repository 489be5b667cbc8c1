"""All that is kept of one camera: what it saw before, what was found in each tile, and the objects that it follows."""

import numpy as np

from plugins.vision.digest import Digest
from plugins.vision.memory import traits
from plugins.vision.objects import Background, Tracker
from plugins.vision.regard import passed_over
from plugins.vision.retina import COLS, ROWS, coarse, size
from plugins.vision.saliency import Gate, Tiles

BLACK, EVEN = 40, 8  # luma 16 is black: a mean below 40 whose cells differ by less than 8 shows nothing
GAP_MS = 5000  # pictures further apart are not compared
LOOKS = (3, 6, 12, 24, 48, 96, 192)  # an object is looked at when it has been followed, and not passed over, for so many frames
HOLE_MS = 2000  # what has stood for so long may be the hole that a parked car left
PATIENCE_MS = 500  # how long an object may be out of sight


class Fault:
    """Something that is wrong with the pictures, said once when it has lasted, and once when it is over."""

    def __init__(self, kind, reason, lasts_ms):
        self.kind, self.reason, self.lasts_ms = kind, reason, lasts_ms
        self.since_ms, self.said = None, False

    def check(self, wrong, t_ms):
        """(kind, reason) when there is something to say, else None."""
        if not wrong:
            over, self.since_ms, self.said = self.said, None, False
            return (self.kind + "_over", "the picture is back") if over else None
        self.since_ms = t_ms if self.since_ms is None else self.since_ms
        if not self.said and t_ms - self.since_ms >= self.lasts_ms:
            self.said = True
            return self.kind, self.reason
        return None


class Scene:
    """One stream. options: those of the plugin; regard: see regard.py."""

    def __init__(self, options, sample, regard):
        self.options, self.regard = options, regard
        self.tiles = Tiles(options["rows"], options["cols"])
        self.digest = Digest(sample.stream, sample.t_ms)
        self.dark = Fault("dark", "the picture is black: is the lens covered, or the light gone?", 2000)
        self.still = Fault("still", "the picture has not changed in any place: does the camera hang?", 1000 * options["still_s"])
        self.found = [0] * len(self.tiles)  # per mille of the watched classes in the last look at each tile; 0 below `share`
        self.quiet_until = self.holes = self.rechecks = self.number = 0
        self.restart(sample)

    def restart(self, sample):
        """Begin at this frame: what came before does not join it."""
        self.size = size(sample.values[0])
        self.gate = Gate(self.tiles, self.options["threshold"], self.options["refresh"], self.options["smallest"])
        self.background = Background(self.options["contrast"])
        self.tracker = Tracker(self.options["smallest"], self.options["line"] / 100, PATIENCE_MS)
        self.seen, self.mask, self.t_ms = None, None, sample.t_ms
        self.parked = {}  # numbers of objects that have stood, and whether they were passed over then

    def look(self, sample):
        """The coarse look, or None where the frame shows nothing; and what is to be said of the picture as a whole."""
        seen = coarse(sample.values[0])
        self.digest.frames += 1
        luma = seen[0]
        dark = bool(luma.mean() < BLACK and np.percentile(luma, 99) - np.percentile(luma, 1) < EVEN)
        still = not dark and self.seen is not None and bool((seen == self.seen).all())
        said = [self.dark.check(dark, sample.t_ms), self.still.check(still, sample.t_ms)]
        self.digest.dark += dark
        self.seen, self.t_ms = None if dark else seen, sample.t_ms
        return self.seen, [found for found in said if found]

    def regions(self, t_ms):
        """[(facts, rectangle)] to look at closely in this frame: tiles, and objects at their ages; and who crossed the line."""
        self.mask = self.background.push(self.seen)
        crossed = self.tracker.push(self.mask, t_ms)
        self._judge(t_ms)
        chosen, emptied = self.gate.choose(self.seen, self.mask, passed_over(self.tracker.tracks))
        for i in emptied:
            self.found[i] = 0
        self.holes = sum(t_ms - track.moved_ms > HOLE_MS and self.background.fill(track.box, self.seen) for track in self.tracker.tracks)
        self.digest.tiles += len(self.tiles)
        self.digest.most = max(self.digest.most, sum(not track.passed_over() for track in self.tracker.tracks))
        due = [track for track in self.tracker.tracks if track.seen_ms == t_ms and not track.passed_over()
               and track.heeded in LOOKS[:self.options["looks"]]]
        return [({"tile": int(i)}, self.tiles.rects[i]) for i in chosen] + [
            ({"track": track.number}, square(track.box, self.size)) for track in due], crossed

    def _judge(self, t_ms):
        """What was said of earlier objects, brought to those of this frame."""
        self.rechecks = 0
        for track in [track for track in self.tracker.tracks if track.seen_ms == t_ms]:
            if self.regard.memory is None:
                track.denied.clear()
            else:
                self.rechecks += self.regard.judge(track, self.traits(track), t_ms)
            track.heeded += not track.passed_over()

    def traits(self, track):
        """What an object is like in the latest frame."""
        return traits(track, self.mask, self.seen, self.background.scene)

    def next_number(self):
        """A number for a report that no other report of this camera has: its time in ms, or the next free one."""
        self.number = max(self.number + 1, self.t_ms)
        return self.number

    def stopped(self, t_ms):
        """Objects that have just stood still for `stopped_s`, or have stood and are no longer passed over."""
        after = 1000 * self.options["stopped_s"]
        for track in self.tracker.tracks if after else ():
            if t_ms - track.moved_ms < after:
                self.parked.pop(track.number, None)
            elif track.number not in self.parked or self.parked[track.number] and not track.passed_over():
                self.parked[track.number] = track.passed_over()
                yield track
        self.parked = {track.number: self.parked[track.number] for track in self.tracker.tracks if track.number in self.parked}

    def inside(self, rect):
        """Objects that reach into a rectangle, those that change most in it first: many models have no class for nothing, and
        would name the bare road."""
        cells = [round(share * side) for share, side in zip(rect, (ROWS, COLS) * 2)]
        found = []
        for track in self.tracker.tracks:
            top, left, bottom, right = np.maximum(track.box[:2], cells[:2]).tolist() + np.minimum(track.box[2:], cells[2:]).tolist()
            if top < bottom and left < right:
                found.append((int(self.gate.change[top:bottom, left:right].sum()), track))
        return [track for _, track in sorted(found, key=lambda each: -each[0])]

    def track(self, number):
        """The object with this number, or None when it has gone."""
        return next((track for track in self.tracker.tracks if track.number == number), None)


def square(box, frame):
    """A square around a box of cells, a tenth larger, moved to lie in the frame; (top, left, bottom, right) in shares of it."""
    h, w = frame
    middle = (box[0] + box[2]) / 2 / ROWS * h, (box[1] + box[3]) / 2 / COLS * w
    side = min(1.1 * max((box[2] - box[0]) / ROWS * h, (box[3] - box[1]) / COLS * w), h, w)
    top, left = min(max(0, middle[0] - side / 2), h - side), min(max(0, middle[1] - side / 2), w - side)
    return top / h, left / w, (top + side) / h, (left + side) / w


def where(rect):
    """A place in words."""
    row, col = (rect[0] + rect[2]) / 2, (rect[1] + rect[3]) / 2
    down = "top" if row < 1 / 3 else "bottom" if row > 2 / 3 else "middle"
    across = "left" if col < 1 / 3 else "right" if col > 2 / 3 else "centre"
    return down + " " + across
