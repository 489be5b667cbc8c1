"""Which moments are alike: distances of hidden vectors, in units of what is usual in the stream."""

import numpy as np

SPREAD = 128  # moments that stand for a stream
REACH = 3.0  # usual distances over which moments count as alike
ENOUGH = 20  # labels from which on their word for others counts in full: one is not to speak for a hundred moments


def apart(these, those):
    """(n, m) distances between two sets of vectors (n, width), (m, width)."""
    squares = (these ** 2).sum(1)[:, None] + (those ** 2).sum(1) - 2 * these @ those.T
    return np.sqrt(np.maximum(squares, 0))


def spread(hidden):
    """At most SPREAD of some vectors, evenly spaced in order of time."""
    return hidden[np.linspace(0, len(hidden) - 1, min(SPREAD, len(hidden))).astype(int)]


def usual(hidden):
    """The median distance to the nearest other one, of vectors (n, width), n >= 2."""
    between = apart(hidden, hidden)
    np.fill_diagonal(between, np.inf)
    return float(np.median(between.min(1)))


def likeness(these, those, unit):
    """(n, m) between 0 and 1: a Gaussian kernel as wide as REACH times `unit`."""
    return np.exp(-(apart(these, those) / max(REACH * unit, 1e-6)) ** 2)


def told(opinions, hidden, taught, targets, unit):
    """Opinions (n, classes) of vectors, where labels nearby have their say: taught (k, width) with targets (k, classes) that sum to 1
    by rows. The average of labels by likeness (Nadaraya and Watson, 1964), as far as the nearest of them is alike, and
    less while they are few; the rest is the opinion."""
    like = likeness(hidden, taught, unit)
    near = like.max(1, keepdims=True) * min(1, len(taught) / ENOUGH)
    return (1 - near) * opinions + near * (like @ targets) / np.maximum(like.sum(1, keepdims=True), 1e-12)
