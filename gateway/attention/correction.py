"""What a forecast is still off by: a regression, learnt slot by slot, on the forecast, its own late errors, and the weeks."""

import numpy as np

from gateway.attention.rls import Rls
from gateway.attention.rows import Rows

WIDTH = 6  # forecast, last error a slot ahead, late errors of the farthest horizon, the week before, the usual week, one
RATE = .3  # of the late errors


class Correction(Rows):
    """One for each forecast that is to be corrected. All is in units of the sensor's level, so that a small road learns as a
    large one does."""

    def __init__(self, ahead):
        self.ahead, self.horizons, self.rls = ahead, np.arange(1, ahead + 1), Rls(ahead, WIDTH)
        super().__init__(("seen", "units", "base", "newest"), seen=np.zeros((ahead, ahead, WIDTH)), units=np.ones(ahead),
                         base=np.zeros((ahead, ahead), np.float32), newest=np.array(0.0), farthest=np.array(0.0))

    def shrink(self):
        """Have no sensor."""
        super().shrink()
        self.rls.shrink()

    def grow(self, n):
        """Add n sensors."""
        super().grow(n)
        self.rls.grow(n)

    def clear(self, rows):
        """Let these rows begin anew."""
        super().clear(rows)
        self.rls.clear(rows)

    def state(self):
        """{name: copy of the array}."""
        return dict(super().state(), **self.rls.state())

    def restore(self, arrays, rows=slice(None), kept_rows=slice(None)):
        """As that of Rows."""
        super().restore(arrays, rows, kept_rows)
        self.rls.restore(arrays, rows, kept_rows)

    def learn(self, value, at, due):
        """Take the truth of a slot. at: ring indices of its forecasts by horizon; due (sensors, horizons): see Experts.due."""
        first, last = self.horizons[0] - 1, self.horizons[-1] - 1
        self.newest = np.where(due[:, first], value - self.base[:, at[first], first], 0)
        far = np.where(due[:, last], value - self.base[:, at[last], last], 0)
        self.farthest += RATE * (far - self.farthest)
        y = value[:, None] / self.units[:, at]
        self.rls.learn(self.seen[:, at, self.horizons - 1], y, due)

    def forecast(self, slot, base, week, usual, level):
        """Corrected forecasts (sensors, horizons). base, week, usual: of the same shape, in counts; level: (sensors,)."""
        columns = [base, self.newest[:, None], self.farthest[:, None], week, usual, level[:, None]]
        x = np.stack(np.broadcast_arrays(*columns), -1) / level[:, None, None]
        ring = slot % self.ahead
        self.seen[:, ring], self.units[:, ring], self.base[:, ring] = x, level, base
        return np.maximum(self.rls.forecast(x) * level[:, None], 0)
