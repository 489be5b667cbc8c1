"""From many updates to one, although some of them may be wrong or hostile."""

import numpy as np

from gateway.core.errors import Rejected

TRIM = .2  # of the gateways at either end of every coordinate (Yin and others, 2018)
RULES = ("mean", "trimmed", "median")


def sound(vectors, clip):
    """Updates that are of the most common length and finite, each clipped to the L2 norm `clip`: {name: vector}."""
    lengths = [len(vector) for vector in vectors.values()]
    usual = max(set(lengths), key=lengths.count) if lengths else 0
    kept = {}
    for name, vector in vectors.items():
        vector = np.array(vector, float)
        if len(vector) == usual and np.isfinite(vector).all():
            kept[name] = vector * min(1.0, clip / max(float(np.linalg.norm(vector)), 1e-12))
    return kept


def together(vectors, rule):
    """One vector of rows (n, length) by a rule of RULES."""
    rows = np.array(vectors)
    if rule == "median":
        return np.median(rows, axis=0)
    if rule == "trimmed":
        cut = int(np.ceil(TRIM * len(rows))) if len(rows) > 2 else 0
        rows = np.sort(rows, axis=0)[cut:len(rows) - cut]
    return rows.mean(axis=0)


def noised(mean, count, clip, noise, rng=None):
    """A mean of `count` clipped vectors with Gaussian noise: standard deviation noise * clip on the sum."""
    if noise and not count:
        raise Rejected("nothing to hide in", "wait for the next round")
    rng = rng or np.random.default_rng()
    return mean + rng.normal(0, noise * clip / count, len(mean)) if noise else mean
