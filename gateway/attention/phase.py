"""Whose day comes earlier or later than it did: a clock that went wrong, summer time, a works gate that opens at another hour.

Each sensor's last week, moved by up to two hours either way, forecasts what comes an hour later; a hidden Markov model over
the moves, in which any may follow any but rarely does (fixed share: Herbster and Warmuth, 1998), says which one holds.
"""

import numpy as np

from gateway.attention.rows import Rows

RATE = .05  # of the running ratio of now to the week before
SHARPNESS = .5  # how much an error, in units of what is usual, speaks against a move
MOST = 3.0  # an error counts up to so many units
CHANGE = 1e-4  # that the move changes, at each slot
BELIEVED = .5  # a move that is more likely than that is followed
BACK = 96  # slots that a move may have begun before it was believed
FLOOR = 3  # times the least probability: up to there nothing spoke for a move


class Phase(Rows):
    """layout: Layout, whose `reach` is how many slots a day may move; step: of the moves that are tried. `phase`
    (sensors, size) is how far the day of a sensor was moved at each slot, 0 = as it was when the gateway came."""

    def __init__(self, layout, size, step):
        self.layout, self.size = layout, size
        self.moves = np.arange(-layout.reach, layout.reach + 1, step)
        k = len(self.moves)
        self.none = k // 2
        likely = np.full(k, CHANGE / k)
        likely[self.none] = 1
        super().__init__(likely=np.log(likely), now=np.ones(k), then=np.ones(k), ratios=np.ones((layout.ahead, k)),
                         since=np.zeros(k, np.int64), move=np.array(self.none), phase=np.zeros(size, np.int8))

    def update(self, slot, weeks, value, good):
        """Take a slot: value (sensors,), good (sensors,) bool. Gives how many sensors changed their move."""
        x = weeks.values(slot - self.layout.week + self.moves)
        known = (x > 0) & good[:, None]
        self._weigh(slot, x, known, value)
        self.now += RATE * np.where(known, value[:, None] - self.now, 0)
        self.then += RATE * np.where(known, x - self.then, 0)
        self.ratios[:, slot % self.layout.ahead] = np.clip(self.now / np.maximum(self.then, 1), .2, 5)
        return self._follow(slot)

    def _weigh(self, slot, x, known, value):
        """What the newest value says of each move. Of one whose week is not known it says what it says of none."""
        expected = x * self.ratios[:, slot % self.layout.ahead]
        off = np.minimum(np.abs(value[:, None] - expected) / unit(value)[:, None], MOST) * SHARPNESS
        off = np.where(known, off, off[:, self.none:self.none + 1]) * known[:, self.none:self.none + 1]
        found = self.likely - off
        share = np.exp(found - found.max(1, keepdims=True))
        k = len(self.moves)
        share = (1 - CHANGE) * share / share.sum(1, keepdims=True) + CHANGE / k
        self.since = np.where(share <= FLOOR * CHANGE / k, slot, self.since)
        self.likely = np.log(share)

    def _follow(self, slot):
        rows, best = np.arange(len(self.move)), self.likely.argmax(1)
        move = np.where(self.likely[rows, best] > np.log(BELIEVED), best, self.move)
        changed = np.flatnonzero(move != self.move)
        self.move = move
        for row in changed:
            self._note(row, np.arange(max(self.since[row, move[row]], slot - BACK), slot))
        before = self.phase[:, (slot - self.layout.week) % self.size]
        self.phase[:, slot % self.size] = np.clip(before + self.moves[move], -self.layout.reach, self.layout.reach)
        return len(changed)

    def _note(self, row, slots):
        """Write a move down for slots that were over when it was believed."""
        before = self.phase[row, (slots - self.layout.week) % self.size]
        self.phase[row, slots % self.size] = np.clip(before + self.moves[self.move[row]], -self.layout.reach, self.layout.reach)

    def level(self, slot):
        """(sensors,): how much more is read now than last week, at the move that is followed."""
        return self.ratios[np.arange(len(self.move)), slot % self.layout.ahead, self.move]

    def apart(self, slot):
        """(phase now, moves of the day lags, moves of the week lags), (sensors,) slots each."""
        phase = self.phase[:, slot % self.size].astype(int)
        return phase, phase - self.phase[:, (slot - self.layout.day) % self.size], self.moves[self.move]


def unit(value):
    """What an error is measured by: more traffic is off by more, but not in proportion."""
    return 16 + 4 * np.sqrt(np.maximum(value, 0))
