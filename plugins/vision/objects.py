"""What stands out from the empty scene, followed from frame to frame: objects that move, stop, and cross a line."""

from collections import deque
from math import hypot

import numpy as np

from plugins.vision.retina import COLS, ROWS

LEARN = 5  # a cell of the background takes a 32nd of what it sees
SLOW = 13  # under an object an 8192th, that is 11 minutes at 12.5 frames a second: what parks stays an object for a while
SHARP = 12  # bits behind the point
STEP = 2  # cells that a standing object may tremble
BAND = 1  # cells on both sides of the line that are neither
MOST = 32  # objects followed at a time
LATELY = 12  # frames over which an object's way and its credit are looked at
FAR, STRAIGHT = 16, .5  # cells from where it began, and share of the way gone, that make an object one that travels


class Background:
    """The scene without objects, learnt as it goes. push() gives the mask (54, 96) of cells that stand out."""

    def __init__(self, contrast):
        self.contrast = contrast
        self.scene = None
        self.held = np.zeros((ROWS, COLS), bool)

    def push(self, seen):
        """seen: (3, 54, 96) int16. The scene follows the light at once, its cells slowly, and hardly under an object."""
        if self.scene is None:
            self.scene = seen.astype(np.int32) << SHARP
        apart = (seen.astype(np.int32) << SHARP) - self.scene
        light = int(np.median(apart[0][~self.held])) if not self.held.all() else 0
        apart[0] -= light
        mask = np.abs(apart).sum(0) > self.contrast << SHARP
        self.scene[0] += light
        self.scene += np.where(mask, apart >> SLOW, apart >> LEARN)
        self.held = mask
        return mask

    def fill(self, box, seen):
        """Take the cells of a box into the scene where they are a hole: what stood there when the scene was learnt has gone.

        Its outline is an edge in the scene, then, and none in the picture. Gives whether it was one.
        """
        part = slice(max(0, box[0] - 1), box[2] + 1), slice(max(0, box[1] - 1), box[3] + 1)
        mask = np.pad(self.held[part], 1, mode="edge")
        inside = mask[:-2, 1:-1] & mask[2:, 1:-1] & mask[1:-1, :-2] & mask[1:-1, 2:]
        outline = mask[1:-1, 1:-1] & ~inside
        scene = self.scene[:, part[0], part[1]] >> SHARP
        hole = bool(edges(scene[0])[outline].sum() > 2 * edges(seen[0][part].astype(np.int32))[outline].sum())
        if hole:
            self.scene[:, part[0], part[1]] = seen[:, part[0], part[1]].astype(np.int32) << SHARP
        return hole


def edges(luma):
    """Difference of each cell from those above and to the left."""
    return np.abs(np.diff(luma, axis=0, prepend=luma[:1])) + np.abs(np.diff(luma, axis=1, prepend=luma[:, :1]))


def runs(mask):
    """(row, left, right) of every run of cells in a mask, row by row."""
    edges = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, lefts = np.nonzero(edges == 1)
    return list(zip(rows.tolist(), lefts.tolist(), np.nonzero(edges == -1)[1].tolist()))


def blobs(mask, least):
    """Boxes (top, left, bottom, right), in cells, of the connected parts of a mask that have at least `least` cells.

    Runs that touch one in the row above are one part (run-based labelling; He, Chao and Suzuki, 2008).
    """
    found, parent, above, row_above = runs(mask), [], [], -2
    current, row_now = [], -1
    for i, (row, left, right) in enumerate(found):
        if row != row_now:
            above, row_above, current, row_now = current, row_now, [], row
        parent.append(i)
        current.append(i)
        for j in above if row_above == row - 1 else ():
            if found[j][1] <= right and left <= found[j][2]:
                parent[root(parent, j)] = root(parent, i)
    boxes = {}
    for i, (row, left, right) in enumerate(found):
        box = boxes.setdefault(root(parent, i), [row, left, row + 1, right, 0])
        box[:] = min(box[0], row), min(box[1], left), max(box[2], row + 1), max(box[3], right), box[4] + right - left
    return [tuple(box[:4]) for box in boxes.values() if box[4] >= least]


def root(parent, i):
    """The run that stands for the part of run i."""
    while parent[i] != i:
        parent[i] = i = parent[parent[i]]
    return i


class Track:
    """One object. box: cells; side: of the line on which it is (-1 above, 1 below); heeded: frames in which it was not passed over."""

    def __init__(self, number, box, t_ms):
        self.number, self.box = number, box
        self.since_ms = self.seen_ms = self.moved_ms = t_ms
        self.anchor = self.born = centre(box)
        self.frames, self.heeded, self.side, self.looks, self.hits = 1, 0, 0, 0, 0
        self.path, self.gone, self.denied, self.tried = deque([self.born], LATELY), 0.0, deque(maxlen=LATELY), False

    def label(self, name):
        """`name` when at least half of the looks found what is watched for, else "object"."""
        return name if self.hits and 2 * self.hits >= self.looks else "object"

    def follow(self, box, t_ms):
        """The same object, in the next frame."""
        self.gone += apart(centre(box), self.path[-1])
        if not .5 < area(box) / area(self.box) < 2:  # two became one, or one two: who knows which of them this is
            self.born, self.gone = centre(box), 0.0
        self.box, self.seen_ms = box, t_ms
        self.frames += 1
        self.path.append(centre(box))
        if np.abs(np.subtract(centre(box), self.anchor)).max() > STEP:
            self.anchor, self.moved_ms = centre(box), t_ms


    def way(self):
        """Cells from where it was LATELY to where it is."""
        return apart(self.path[0], self.path[-1])

    def travels(self):
        """Whether it has come from elsewhere, and not to and fro: what a camera is there for is not passed over."""
        far = apart(self.born, self.path[-1])
        return self.frames >= LATELY and far >= FAR and far >= STRAIGHT * self.gone

    def passed_over(self):
        """Whether it is like what was denied, in most of its last frames."""
        return 2 * sum(self.denied) > len(self.denied) and not self.tried and not self.travels()


def centre(box):
    """(row, column)."""
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def apart(a, b):
    """Cells between two places."""
    return hypot(a[0] - b[0], a[1] - b[1])


def overlap(a, b):
    """Share of the smaller box that both cover."""
    rows, cols = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return max(0, rows) * max(0, cols) / min(area(a), area(b))


def area(box):
    """Cells in a box."""
    return (box[2] - box[0]) * (box[3] - box[1])


class Tracker:
    """Follows boxes by overlap, largest first. line: share of the height; an object that passes it is counted once."""

    def __init__(self, least, line, patience_ms):
        self.least, self.line, self.patience_ms = least, line * ROWS, patience_ms
        self.tracks, self.made = [], 0

    def push(self, mask, t_ms):
        """Take a mask in. Gives [(track, "up" or "down")] of those that passed the line."""
        free, crossed = blobs(mask, self.least), []
        for track in sorted(self.tracks, key=lambda track: -track.frames):
            best = max(free, key=lambda box: overlap(track.box, box), default=None)
            if best and overlap(track.box, best) > 0:
                free.remove(best)
                track.follow(best, t_ms)
                crossed += self._crossing(track)
        for box in free[:MOST - len(self.tracks)]:
            self.made += 1
            self.tracks.append(Track(self.made, box, t_ms))
        self.tracks = [track for track in self.tracks if t_ms - track.seen_ms <= self.patience_ms]
        return crossed

    def _crossing(self, track):
        """[(track, "up" or "down")] when its centre has gone from one side of the line to the other."""
        row = centre(track.box)[0]
        side = -1 if row < self.line - BAND else 1 if row > self.line + BAND else 0
        before, track.side = track.side, side or track.side
        return [(track, "up" if side < 0 else "down")] if before and side and side != before else []
