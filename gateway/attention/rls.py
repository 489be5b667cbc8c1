"""Recursive least squares, one small problem for each sensor and horizon (Haykin, Adaptive Filter Theory, chapter 10)."""

import numpy as np

from gateway.attention.rows import Rows

FORGET = .9995  # what is left of a reading a slot later: half a week counts
BEGIN = .02  # how little is known of the coefficients at first, in squares of their unit
CLIP = .5  # units that an error counts up to: an incident teaches no more than that
TRACE = 1.0  # most that may be unknown, mean over coefficients: calm weeks must not wind the gain up


class Rls(Rows):
    """coefficients (sensors, horizons, width), the first of which begins at 1; spread: their covariance."""

    def __init__(self, horizons, width):
        first = np.zeros((horizons, width))
        first[:, 0] = 1
        super().__init__(coefficients=first, spread=np.tile(np.eye(width) * BEGIN, (horizons, 1, 1)))

    def forecast(self, x):
        """(sensors, horizons) of features x (sensors, horizons, width)."""
        return (self.coefficients * x).sum(-1)

    def learn(self, x, y, counted):
        """Take truths y (sensors, horizons) of features x; counted: bool of the same shape, what is not is left as it is."""
        off = np.clip(y - self.forecast(x), -CLIP, CLIP) * counted
        px = (self.spread @ x[..., None])[..., 0]
        below = FORGET + (x * px).sum(-1)
        self.coefficients += px * (off / below)[..., None]
        px *= (counted / np.sqrt(below))[..., None]
        self.spread -= px[..., :, None] * px[..., None, :]
        self.spread *= np.where(counted, 1 / FORGET, 1)[..., None, None]
        self._bound()

    def _bound(self):
        wide = np.trace(self.spread, axis1=2, axis2=3) / self.spread.shape[-1]
        if (wide > TRACE).any():
            self.spread *= np.where(wide > TRACE, TRACE / wide, 1)[..., None, None]
