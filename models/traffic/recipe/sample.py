"""Training windows, made harder: noise, and earlier days at another level, as roadworks and holidays make them."""

import numpy as np

from models.traffic.recipe.data import lags, targets
from plugins.traffic.lags import AROUND, GROUPS, RECENT

BATCH = 16
CORRUPT, CORRUPT_DAY, FACTOR = .06, .6, .8  # share of weeks (of these, of days) that are multiplied by exp(+-FACTOR)
NOISE = .05  # of a sensor's deviation
YOUNG, NEW = .06, .4  # share of windows whose week is not kept yet (of these, whose day is not)
WEEK = sum(size for _, size in GROUPS[:2])


class Sampler:
    """Draws batches. values: (slots, sensors) counts; unit: (sensors,) deviation; counts: (slots, sensors) bool, which
    targets count; now: slots to draw from; tokens: how many sensors a step sees."""

    def __init__(self, values, unit, counts, now, series, seed, tokens):
        self.values, self.unit, self.counts, self.now, self.series = values, unit, counts.astype(np.float32), now, series
        self.rng = np.random.default_rng(seed)
        self.tokens = tokens
        self.left = []

    def batch(self):
        """(lags, targets, counts, quarter, weekday, sensors) of one step."""
        if len(self.left) < BATCH:
            self.left = self.rng.permutation(self.now).tolist()
        now = np.array([self.left.pop() for _ in range(min(BATCH, len(self.left)))])
        chosen = np.sort(self.rng.permutation(self.values.shape[1])[:self.tokens])
        x = lags(self.values, now, self.series.per_day)[:, chosen]
        y, counts = (targets(values, now)[:, chosen] for values in (self.values, self.counts))
        return (self.harder(x, self.unit[chosen]), y, counts, *self.series.clock(now), chosen)

    def harder(self, x, unit):
        """Lags with noise; some weeks, and some of their days, at another level; some not kept, as the plugin fills them."""
        rng = self.rng
        factor = np.exp(rng.uniform(-FACTOR, FACTOR, x.shape[:2]) * (rng.random(x.shape[:2]) < CORRUPT))[..., None]
        x[..., WEEK:] *= factor
        x[..., RECENT:WEEK] *= np.where(rng.random(x.shape[:2])[..., None] < CORRUPT_DAY, factor, 1)
        for i in np.flatnonzero(rng.random(len(x)) < YOUNG):
            if rng.random() < NEW:
                x[i, :, RECENT:WEEK] = np.repeat(x[i, :, RECENT - 1:RECENT], AROUND, 1)
            x[i, :, WEEK:] = x[i, :, RECENT:WEEK]
        return (x + unit[:, None] * NOISE * rng.normal(0, 1, x.shape)).astype(np.float32)
