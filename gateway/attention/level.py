"""Who reads much more, or much less, than a day and a week ago: a lane that was closed, a detector that was set anew."""

import numpy as np

from gateway.attention.rows import Rows

RATE = .03  # of the running sums: about three hours of five minutes
BEGINS, ENDS = .4, .15  # logarithm of the ratio at which earlier weeks are shown at today's level, and no longer are
WIDEST = 5.0


class Level(Rows):
    """now, then (sensors, 2): running means of what is read, and of what was a day and a week before, each moved to where it fits;
    changed: bool, whether the week is shown at another level."""

    def __init__(self, layout):
        self.layout = layout
        super().__init__(now=np.ones(2), then=np.ones(2), changed=np.array(False))

    def update(self, slot, weeks, value, good, day, week):
        """Take a slot: value, good and the moves of the lags, (sensors,) each."""
        for i, (back, by) in enumerate(((self.layout.day, day), (self.layout.week, week))):
            before = weeks.values((slot - back + by)[:, None])[:, 0]
            known = good & (before > 0)
            self.now[:, i] += RATE * np.where(known, value - self.now[:, i], 0)
            self.then[:, i] += RATE * np.where(known, before - self.then[:, i], 0)
        away = np.abs(np.log(self._ratios()[:, 1]))
        self.changed = np.where(self.changed, away > ENDS, away > BEGINS)

    def _ratios(self):
        return np.clip(self.now / np.maximum(self.then, 1), 1 / WIDEST, WIDEST)

    def factors(self):
        """(of the day, of the week), (sensors,) each: what earlier readings are multiplied by, 1 where the level has not changed."""
        ratios = self._ratios()
        day = self.changed & (np.abs(np.log(ratios[:, 0])) > ENDS)
        return np.where(day, ratios[:, 0], 1), np.where(self.changed, ratios[:, 1], 1)
