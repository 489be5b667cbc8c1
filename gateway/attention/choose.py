"""Which moments a label would help most: in turn one that many unsure moments are like, and the one that the model is least sure of.

Covering what is unsure is facility location, a greedy step of which is within 1 - 1/e of the best (Nemhauser and others, 1978; for
active learning: Wei and others, 2015); small margins find the border (Lewis and Gale, 1994). Either alone is worse: margins
alone spend all labels on one doubtful group, and the farthest moment is often an odd one that nothing else is like.
"""

import numpy as np

from gateway.attention.near import likeness, spread, usual

LEAST = 64  # moments that there must be before the first question
SURE = .05  # what a moment counts that the model is sure of; one that it cannot decide counts 1 more


def margins(shares):
    """Best share less the second best, by rows."""
    ordered = np.sort(shares, axis=1)
    return ordered[:, -1] - ordered[:, -2]


def gain(hidden, unsure, labelled):
    """What labelling each moment would newly cover: the sum over moments of how unsure they are, as far as they are like it and
    not yet like a labelled one."""
    unit = usual(spread(hidden))
    covered = likeness(hidden, labelled, unit).max(1, initial=0)
    return unsure @ np.maximum(0, likeness(hidden, hidden, unit) - covered[:, None])


def choose(hidden, shares, labelled):
    """(index of the moment to ask for, why). hidden (n, width) and shares (n, classes) of what is not labelled;
    labelled (k, width), asked ones among them."""
    if len(labelled) % 2:
        return int(np.argmin(margins(shares))), "unsure"
    return int(np.argmax(gain(hidden, 1 + SURE - margins(shares), labelled))), "stands for many"
