"""What the traffic model has to beat, fitted and judged in the same run: a ridge from its 60 lags, and the same learning on."""

import numpy as np

from firmware_tools.verify_traffic import errors
from models.traffic.recipe import ground
from models.traffic.recipe.data import filled, lags, targets
from plugins.traffic.health import COPIES
from plugins.traffic.lags import AHEAD, LAGS

FORGET = .9995  # recursive least squares (Haykin, Adaptive Filter Theory): what is left of a window a slot later
CLIP = 1.5  # deviations that an error counts up to


class Online:
    """The ridge by recursive least squares, every sensor by itself; a window is learnt when its last slot is over."""

    def __init__(self, coefficients, z, now, per_day):
        self.w = coefficients.transpose(0, 2, 1).copy()
        x = lags(z, now, per_day)
        self.p = np.array([np.linalg.inv(self.grams(x[:, n])) for n in range(x.shape[1])])

    @staticmethod
    def grams(x):
        """Normal matrix of the windows that were learnt, forgotten as they would have been."""
        a = np.concatenate([x, np.ones((len(x), 1))], 1).astype(np.float64)
        return (a * FORGET ** np.arange(len(a))[::-1, None]).T @ a + ground.WEIGHT * np.eye(LAGS + 1)

    def forecast(self, x):
        """(sensors, AHEAD) of lags (sensors, LAGS)."""
        return np.einsum("nhl,nl->nh", self.w[:, :, :-1], x) + self.w[:, :, -1]

    def learn(self, x, y, counted):
        """One window: lags (sensors, LAGS), its truth (sensors, AHEAD), and which sensors it counts for."""
        a = np.concatenate([x, np.ones((len(x), 1))], 1)
        pa = np.einsum("nij,nj->ni", self.p, a)
        gain = pa / (FORGET + np.einsum("ni,ni->n", a, pa))[:, None] * counted[:, None]
        off = np.clip(y - self.forecast(x), -CLIP, CLIP)
        self.w += off[:, :, None] * gain[:, None, :]
        self.p -= gain[:, :, None] * pa[:, None, :]
        self.p[counted] /= FORGET


def online(coefficients, z, series, train, now):
    """(windows, sensors, AHEAD) forecasts in the units of z, in time order."""
    model, values, out = Online(coefficients, z, train, series.per_day), np.nan_to_num(series.values), []
    for at in now:
        past = at - AHEAD
        model.learn(lags(z, [past], series.per_day)[0], targets(z, [past])[0], (targets(values, [past])[0] != 0).all(1))
        out.append(model.forecast(lags(z, [at], series.per_day)[0]))
    return np.array(out)


def repeats(series, now):
    """(windows, sensors) bool: the last readings are those of the week before, as the plugin sees it."""
    values, back = np.nan_to_num(series.values), 7 * series.per_day
    at = np.asarray(now)[:, None] - np.arange(COPIES)
    return ((values[at] == values[at - back]) & (values[at] != 0)).all(1)


def measure(series, now):
    """{rival: figures} on the windows `now`; the row that continues copied weeks does so by the plugin's own rule."""
    train, values = series.parts()[0], filled(series)
    mean, deviation = ground.scale_of(values, train[-1] + 1)
    z = (values - mean) / deviation
    coefficients = ground.ridge(z, train, series.per_day)
    counts = lambda y: np.maximum(y * deviation[:, None] + mean[:, None], 0)
    still = counts(ground.applied(coefficients, z, now, series.per_day))
    week = targets(values, np.asarray(now) - 7 * series.per_day)
    rows = {"ridge60": still, "ridge60_online": counts(online(coefficients, z, series, train, now)),
            "ridge60_copies": np.where(repeats(series, now)[:, :, None], week, still),
            "last_value": np.repeat(values[now][:, :, None], AHEAD, 2), "week_before": week}
    return {name: errors(row, series, now) for name, row in rows.items()}
