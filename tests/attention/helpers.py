"""A patient made of three clouds of hidden vectors, and a model that confuses two of them."""

import numpy as np

from gateway.attention.learner import Learner
from gateway.attention.moments import Moment
from gateway.attention.settings import ATTENTION
from gateway.attention.slack import Slack
from gateway.attention.store import AttentionStore

WIDTH, CLASSES = 6, ["N", "S", "V"]


class Twin:
    """A head of six numbers by three classes; nothing else can move."""

    controls, ranges, package, classes = (), {}, "clouds 1", CLASSES
    shown = {"trace": None, "names": {}}

    def __init__(self):
        head = np.zeros((WIDTH, 3), np.float32)
        head[0, 0], head[1, 1], head[2, 2] = 3, 3, 3
        self.parameters = {"head": head, "head_b": np.zeros(3, np.float32)}


def clouds(rng, n, shift=0.0):
    """(hidden (n, WIDTH), labels (n,)): class c lies around axis c; `shift` moves N of this patient towards S, along axis 3."""
    labels = rng.choice(3, n, p=(.7, .2, .1))
    hidden = rng.normal(0, .15, (n, WIDTH))
    hidden[np.arange(n), labels] += 1
    normal = labels == 0
    hidden[normal, 1] += shift
    hidden[normal, 3] += shift
    return hidden.astype(np.float32), labels


def anchors():
    """What a package would ship: the clouds of others."""
    return clouds(np.random.default_rng(99), 150)


def moments(hidden, stream="bed"):
    return [Moment(stream, i, i, "N", .5, h, [np.arange(4, dtype=np.int16)], {"k": np.ones((2, 3), np.float32)}) for i, h in enumerate(hidden)]


def learner_in(folder, told=None, used=None, **options):
    """A Learner on files in `folder`. told, used: lists that get what it tells and puts to use."""
    chosen = {name: spec["default"] for name, spec in ATTENTION["options"].items()}
    return Learner(AttentionStore(folder / "attention.db"), Twin(), anchors(),
                   lambda stream, parameters: used is not None and used.append((stream, parameters)),
                   dict(chosen, asks_per_day=100, **options), slack=Slack(1, sleep=lambda s: None),
                   tell=lambda *words: told is not None and told.append(words))
