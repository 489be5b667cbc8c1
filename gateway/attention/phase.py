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
BACK = .8  # of a day that a move may have begun before it was believed
HELD = .4  # of a day that a move must hold before the days to come rely on it
FLOOR = 3  # times the least probability: up to there nothing spoke for a move


class Phase(Rows):
    """layout: Layout, whose `reach` is how many slots a day may move; step: of the moves that are tried. `move`: index of the
    one that is followed, since `began`; `sure`: of the last one that held. `phase` (sensors, size) is how far the day of a sensor was
    surely moved at each slot, 0 = as it was when the gateway came."""

    def __init__(self, layout, size, step):
        self.layout, self.size = layout, size
        self.moves = np.arange(-layout.reach, layout.reach + 1, step)
        k = len(self.moves)
        self.none = k // 2
        likely = np.full(k, CHANGE / k)
        likely[self.none] = 1
        super().__init__(likely=np.log(likely), now=np.ones(k), then=np.ones(k), ratios=np.ones((layout.ahead, k)),
                         since=np.zeros(k, np.int64), move=np.array(self.none), sure=np.array(self.none), began=np.array(0),
                         phase=np.zeros(size, np.int8))

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
        """What the newest value says of each move; one whose week is not known is unlikely."""
        expected, heard = x * self.ratios[:, slot % self.layout.ahead], known[:, self.none:self.none + 1]
        off = np.minimum(np.abs(value[:, None] - expected) / unit(value)[:, None], MOST) * SHARPNESS
        share = np.exp(self.likely - off - (self.likely - off).max(1, keepdims=True)) * (x > 0)
        floor = CHANGE / len(self.moves)
        share = (1 - CHANGE) * share / np.maximum(share.sum(1, keepdims=True), floor) + floor
        self.since = np.where(heard & (share <= FLOOR * floor), slot, self.since)
        self.likely = np.where(heard, np.log(share), self.likely)

    def _follow(self, slot):
        rows, best = np.arange(len(self.move)), self.likely.argmax(1)
        move = np.where(self.likely[rows, best] > np.log(BELIEVED), best, self.move)
        changed = move != self.move
        self.began = np.where(changed, np.maximum(self.since[rows, move], slot - int(BACK * self.layout.day)), self.began)
        self.move = move
        held = (move != self.sure) & (slot - self.began >= HELD * self.layout.day)
        self.sure = np.where(held, move, self.sure)
        for row in np.flatnonzero(held):
            self._note([row], np.arange(self.began[row], slot))
        self._note(rows, np.array([slot]))
        return int(changed.sum())

    def _note(self, rows, slots):
        """Write down where the days of sensors surely were at slots."""
        here, before = np.ix_(rows, slots % self.size), np.ix_(rows, (slots - self.layout.week) % self.size)
        self.phase[here] = self._within(self.phase[before] + self.moves[self.sure[rows]][:, None])

    def _within(self, phase):
        return np.clip(phase, -self.layout.reach, self.layout.reach)

    def level(self, slot):
        """(sensors,): how much more is read now than last week, at the move that is followed."""
        return self.ratios[np.arange(len(self.move)), slot % self.layout.ahead, self.move]

    def apart(self, slot):
        """(phase now, moves of the day lags, moves of the week lags), (sensors,) slots each."""
        move = self.moves[self.move]
        phase = self._within(self.phase[:, (slot - self.layout.week) % self.size] + move)
        return phase, phase - self.phase[:, (slot - self.layout.day) % self.size], move


def unit(value):
    """What an error is measured by: more traffic is off by more, but not in proportion."""
    return 16 + 4 * np.sqrt(np.maximum(value, 0))
