"""The rival of online forecasts: a ridge from the 60 lags, sensor by sensor, as fitted, and learning on slot by slot."""

import copy

import numpy as np

from firmware_tools.rivals_traffic import Online
from models.traffic.recipe import ground
from models.traffic.recipe.data import filled, lags, targets
from plugins.traffic.lags import AHEAD


class Ridge:
    """Fitted on the training part of a series; follow() plays slots of it, or of what became of it."""

    def __init__(self, series):
        self.train, values = series.parts()[0], filled(series)
        self.mean, self.deviation = ground.scale_of(values, self.train[-1] + 1)
        z = (values - self.mean) / self.deviation
        self.still = ground.ridge(z, self.train, series.per_day)
        self.online, self.kept = Online(self.still, z, self.train, series.per_day), {}

    def branch(self):
        """The same, that goes its own way from here."""
        return copy.deepcopy(self, {id(self.still): self.still, id(self.kept): dict(self.kept)})

    def follow(self, series, now):
        """Forecast each slot of `now` and learn the window that is over then."""
        z, values = (filled(series) - self.mean) / self.deviation, np.nan_to_num(series.values)
        for at in now:
            past, x = at - AHEAD, lags(z, [at], series.per_day)[0]
            self.online.learn(lags(z, [past], series.per_day)[0], targets(z, [past])[0], (targets(values, [past])[0] != 0).all(1))
            self.kept[at] = self._counts(ground.applied(self.still, z, [at], series.per_day)[0]), self._counts(self.online.forecast(x))

    def _counts(self, z):
        return np.maximum(z * self.deviation[:, None] + self.mean[:, None], 0).astype(np.float32)

    def values(self, now):
        """{"ridge", "ridge online"}: (windows, sensors, AHEAD)."""
        return {name: np.array([self.kept[at][i] for at in now]) for i, name in enumerate(("ridge", "ridge online"))}
