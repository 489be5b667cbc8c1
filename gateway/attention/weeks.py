"""What every sensor read in the last week, and what it usually reads at each slot of a week."""

import numpy as np

from gateway.attention.rows import Rows

NEWER = .35  # share of the newest week in the usual one
UNKNOWN = -1


class Layout:
    """Where a row of lags has what: the last `recent` slots, and of the day and the week before those and `ahead` more.
    The same as plugins/traffic/lags.py; here from the width of the rows, since any model of series may come."""

    def __init__(self, width, ahead, per_day, reach):
        self.ahead, self.day, self.week, self.reach = ahead, per_day, 7 * per_day, reach
        self.recent = (width - 2 * ahead) // 3
        self.around = np.arange(1 - self.recent, ahead + 1)
        self.horizons = np.arange(1, ahead + 1)
        self.groups = ((self.day, slice(self.recent, self.recent + len(self.around))), (self.week, slice(width - len(self.around), width)))


class Weeks(Rows):
    """A ring of slots for each sensor, UNKNOWN where nothing is known. layout: Layout."""

    def __init__(self, layout):
        self.layout, self.last = layout, None
        self.size = layout.week + 2 * layout.reach + len(layout.around)
        super().__init__(read=np.full(self.size, UNKNOWN, np.float32), usual=np.full(layout.week, UNKNOWN, np.float32))

    def put(self, slot, lags, rows, good):
        """Take the lags (len(rows), width) of a slot. good: (sensors,) bool, whose newest value was measured."""
        gap = 1 if self.last is None else min(slot - self.last, self.size)
        self.read[:, np.arange(slot - gap + 1, slot + 1) % self.size] = UNKNOWN
        self._fill(rows, slot + np.arange(1 - self.layout.recent, 1), lags[:, :self.layout.recent])
        for back, group in self.layout.groups:
            self._fill(rows, slot - back + self.layout.around, lags[:, group])
        self.read[rows, slot % self.size] = lags[:, self.layout.recent - 1]
        at, value = slot % self.layout.week, self.read[:, slot % self.size]
        known = np.where(self.usual[:, at] == UNKNOWN, value, self.usual[:, at])
        self.usual[:, at] = np.where(good, known + NEWER * (value - known), self.usual[:, at])
        self.last = slot

    def _fill(self, rows, slots, values):
        """Values of slots of which nothing is known."""
        here = np.ix_(rows, slots % self.size)
        self.read[here] = np.where(self.read[here] == UNKNOWN, values, self.read[here])

    def values(self, slots):
        """What was read at slots (sensors, n) or (n,): (sensors, n)."""
        return self.read[np.arange(len(self.read))[:, None], slots % self.size]

    def usually(self, slots, instead):
        """What is usually read at slots (sensors, n); `instead` (sensors, n) where that is not known."""
        found = self.usual[np.arange(len(self.usual))[:, None], slots % self.layout.week]
        return np.where(found == UNKNOWN, instead, found)
