"""Which moments a label would help most: in turn one that is far from all that is labelled, and one that the model is unsure of.

Farthest points cover what there is (k-center greedy: Sener and Savarese, 2018), small margins find the border (Lewis and
Gale, 1994). Either alone is worse: margins alone spend all labels on one doubtful group.
"""

import numpy as np

from gateway.attention.near import apart

LEAST = 64  # moments that there must be before the first question


def margins(shares):
    """Best share less the second best, by rows."""
    ordered = np.sort(shares, axis=1)
    return ordered[:, -1] - ordered[:, -2]


def distances(hidden, labelled):
    """Distance of each vector to the nearest labelled one; to the middle of all where nothing is labelled."""
    return apart(hidden, labelled if len(labelled) else np.median(hidden, axis=0)[None]).min(1)


def choose(hidden, shares, labelled):
    """(index of the moment to ask for, why). hidden (n, width) and shares (n, classes) of what is not labelled;
    labelled (k, width), asked ones among them."""
    if len(labelled) % 2:
        return int(np.argmin(margins(shares))), "unsure"
    return int(np.argmax(distances(hidden, labelled))), "unlike the others"
