"""Where a frame differs from the one before: what is worth a closer look. Cheap: 15,000 numbers a frame."""

import numpy as np

from plugins.vision.retina import COLS, ROWS

MOST = 16  # cells of a tile that speak for it: something small moves few of them


def level(seen, before):
    """Change of each cell (54, 96) between two coarse looks; what all cells have in common is light or exposure, not motion."""
    change = seen - before
    change[0] -= np.int16(np.median(change[0]))
    return np.abs(change).sum(0)


class Tiles:
    """rows x cols rectangles that cover the frame; rows divides 54, cols 96. rects: (top, left, bottom, right) in shares of it."""

    def __init__(self, rows, cols):
        self.rows, self.cols = rows, cols
        self.rects = [(r / rows, c / cols, (r + 1) / rows, (c + 1) / cols) for r in range(rows) for c in range(cols)]

    def __len__(self):
        return len(self.rects)

    def split(self, cells):
        """(tiles, cells of one) of a map (54, 96)."""
        return cells.reshape(self.rows, ROWS // self.rows, self.cols, COLS // self.cols).swapaxes(1, 2).reshape(len(self), -1)

    def loudest(self, change):
        """(tiles,) mean of the most changed cells of each tile."""
        cells = self.split(change)
        most = min(MOST, cells.shape[1])
        return np.partition(cells, cells.shape[1] - most, axis=1)[:, -most:].mean(1)


class Gate:
    """Which tiles to look at closely: those whose change exceeds `threshold` (0: all) while at least `least` cells of something
    that is not the scene are in them; and each in its turn every `refresh` frames.

    Nothing that stood still is forgotten: a tile that is not looked at keeps what was found in it last. A tile that shows the scene
    again has lost it, which takes no model to know.
    """

    def __init__(self, tiles, threshold, refresh, least):
        self.tiles, self.threshold, self.refresh, self.least = tiles, threshold, refresh, least
        self.before, self.frame, self.spared = None, 0, 0
        self.change = np.zeros((ROWS, COLS), np.int16)

    def choose(self, seen, mask, over=None):
        """(tiles to look at, tiles that show the scene), indices, by a coarse look and the cells (54, 96) that stand out from
        the scene; all tiles in the first frame. over: cells that shall wake no tile; `spared` tiles would have been woken."""
        first, self.frame = self.before is None, self.frame + 1
        if not first:
            self.change = level(seen, self.before)
        self.before = seen
        woken, held = self._woken(self.change, mask)
        self.spared = 0
        if over is not None:
            before = woken.sum()
            woken, held = self._woken(np.where(over, 0, self.change), mask & ~over)
            self.spared = int(before - woken.sum())
        chosen = np.full(len(self.tiles), first or not self.threshold) | woken
        if self.refresh:
            chosen |= (np.arange(len(self.tiles)) - self.frame) % self.refresh == 0
        return np.flatnonzero(chosen), np.flatnonzero(~(chosen | held))

    def _woken(self, change, mask):
        """(tiles,) bool: those that change while something stands in them; those in which something stands."""
        held = self.tiles.split(mask).sum(1) >= self.least
        return (self.tiles.loudest(change) > self.threshold) & held, held
