"""CIFAR-10 as JPEG files, split by name, and what is done to a picture in training."""

import io
import zipfile

import numpy as np

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
UNIT = 128  # what a pixel less 128 is divided by
HELD_OUT = 100  # pictures of each class, the last by name, that training never sees: for looking on


def unpack(file, decode):
    """(pictures (n, 32, 32, 3) uint8, labels (n,)) of a zip of split/class/NAME.jpg, in order of name. decode: bytes -> array."""
    with zipfile.ZipFile(file) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))
        pictures = np.stack([decode(io.BytesIO(archive.read(name))) for name in names])
    return pictures, np.array([CLASSES.index(name.split("/")[1]) for name in names])


def split(pictures, labels):
    """((pictures, labels) to train on, (pictures, labels) held out)."""
    rank = np.zeros(len(labels), int)
    for cls in range(len(CLASSES)):
        own = np.flatnonzero(labels == cls)
        rank[own] = np.arange(len(own))[::-1]
    kept = rank >= HELD_OUT
    return (pictures[kept], labels[kept]), (pictures[~kept], labels[~kept])


def scaled(pictures):
    """uint8 to -1 .. 1, as the graph takes them."""
    return (pictures.astype(np.float32) - 128) / UNIT


class Sampler:
    """Batches of changed pictures: crop, mirror, brightness and contrast, cut-out, mixing of two (Zhang and others, 2018)."""

    def __init__(self, pictures, labels, seed):
        self.pictures = np.pad(scaled(pictures), ((0, 0), (4, 4), (4, 4), (0, 0)), "reflect")
        self.labels = np.eye(len(CLASSES), dtype=np.float32)[labels]
        self.seed = seed

    def epoch(self, number, size, side, mix):
        """Batches (pictures (size, side, side, 3), targets (size, 10)) of one pass; the same for the same number."""
        rng = np.random.default_rng((self.seed, number))
        order = rng.permutation(len(self.labels))
        for at in range(0, len(order) - size + 1, size):
            x = np.stack([self._changed(i, side, rng) for i in order[at:at + size]])
            y = self.labels[order[at:at + size]]
            if mix and rng.random() < .5:
                share, other = np.float32(rng.beta(.4, .4)), rng.permutation(size)
                x, y = share * x + (1 - share) * x[other], share * y + (1 - share) * y[other]
            yield x, y

    def _changed(self, i, side, rng):
        """One picture: a crop of side x side, perhaps mirrored, its light changed, a square of 8 cut out."""
        top, left = rng.integers(0, 40 - side + 1, 2)
        x = self.pictures[i, top:top + side, left:left + side]
        x = x[:, ::-1] if rng.random() < .5 else x
        x = x * np.float32(rng.uniform(.8, 1.2)) + np.float32(rng.uniform(-.2, .2))
        top, left = rng.integers(-4, side - 4, 2)
        x[max(0, top):top + 8, max(0, left):left + 8] = 0
        return x
