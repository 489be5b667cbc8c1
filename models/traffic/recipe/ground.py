"""Ridge from the lags (Hoerl and Kennard, 1970): sensor by sensor the row to beat, pooled where the net begins."""

import numpy as np

from models.traffic.recipe.data import lags, targets

WEIGHT = .1
ENOUGH = 500  # windows that a sensor must have to be fitted on chosen ones only
POOL = 7  # one window in so many is fitted on where sensors are pooled


def scale_of(values, until):
    """(mean, deviation) of each sensor over the slots before `until`."""
    return values[:until].mean(0), np.maximum(values[:until].std(0), 1e-3)


def solved(x, y, weight=WEIGHT):
    """(LAGS + 1, AHEAD) coefficients, the constant last, of x (n, LAGS) on y (n, AHEAD)."""
    a = np.concatenate([x, np.ones((len(x), 1))], 1).astype(np.float64)
    return np.linalg.solve(a.T @ a + weight * np.eye(a.shape[1]), a.T @ y)


def ridge(z, now, per_day, counts=None):
    """(sensors, LAGS + 1, AHEAD) coefficients. counts: (windows, sensors) bool: windows to fit on."""
    x, y = lags(z, now, per_day), targets(z, now)
    keep = np.ones(x.shape[:2], bool) if counts is None else counts | (counts.sum(0) < ENOUGH)
    return np.array([solved(x[keep[:, n], n], y[keep[:, n], n]) for n in range(z.shape[1])])


def pooled(values, now, per_day, counts):
    """(LAGS + 1, AHEAD) coefficients of one ridge for all sensors, each window in units of its mean."""
    x, y = (part(values, now[::POOL], *rest)[counts[::POOL]] for part, rest in ((lags, (per_day,)), (targets, ())))
    unit = x.mean(1, keepdims=True) + 1
    return solved(x / unit, y / unit)


def applied(coefficients, z, now, per_day):
    """(windows, sensors, AHEAD) forecasts in the units of z."""
    return np.einsum("tnl,nlh->tnh", lags(z, now, per_day), coefficients[:, :-1]) + coefficients[:, -1]
