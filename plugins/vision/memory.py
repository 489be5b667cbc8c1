"""What was said of earlier reports, and what it makes of an object now: attention over remembered examples.

An object is put into integers, its traits, 16 to a kernel width. Two heads look it up among the traits of reports that were
confirmed or denied. Each is a softmax over squared distances with one key that stands for "nothing known": far from all
examples the answer is nought, whatever was said. (Kernel regression: Nadaraya and Watson, 1964; a key for nothing: attention sinks.)
"""

import numpy as np

from plugins.vision.objects import SHARP, edges

UNIT = 16
# (trait, how much of it is one kernel width): where and how large it is and whether it moves on, then what it looks like
TRAITS = (("row", 6), ("column", 6), ("cells, octaves", .75), ("height over width, octaves", .75), ("way of the last frames, octaves", 1),
          ("share of its box", .15), ("brighter than the scene", 15), ("bluer", 6), ("redder", 6), ("rougher", 10), ("uneven", 10))
PLACE, LOOK = slice(0, 2), slice(5, None)
LOOSE = 4  # at the place of an example its look counts so much less: light changes, what stands there does not
REACH = 9  # squared kernel widths at which one example weighs as much as "nothing known"
DENIED = -.5  # a credit below passes an object over
LIMIT = 1 << 12  # no trait is larger


def traits(track, mask, seen, scene):
    """Integers that say what an object is like, in the order of TRAITS. mask (54, 96); seen, scene: (3, 54, 96), the latter SHARP."""
    top, left, bottom, right = track.box
    part = slice(top, bottom), slice(left, right)
    cells = mask[part]
    colours, empty = seen[(slice(None), *part)].astype(np.int32), scene[(slice(None), *part)] >> SHARP
    apart = (colours - empty)[:, cells] if cells.any() else np.zeros((3, 1))
    rough = (edges(colours[0]) - edges(empty[0]))[cells].mean() if cells.any() else 0
    values = [(top + bottom) / 2, (left + right) / 2, np.log2(max(1, cells.sum())), np.log2((bottom - top) / (right - left)),
              np.log2(1 + track.way()), cells.mean(), *apart.mean(1), rough, apart[0].std()]
    return [int(np.clip(round(UNIT * value / width), -LIMIT, LIMIT)) for value, (_, width) in zip(values, TRAITS)]


def heads(far):
    """Squared distances (..., traits) as the two heads see them: at the same place, alike; anywhere, very much alike."""
    whole, look = far.sum(-1), far[..., LOOK].sum(-1)
    return whole - look * (1 - 1 / LOOSE), whole - far[..., PLACE].sum(-1)


class Memory:
    """examples: (n, at least the traits) integers; values: (n,) 1 = confirmed, -1 = denied, 0 = no example.

    Examples of one value that are alike share one vote: to deny the same thing ten times does not widen its reach. A denial
    that would pass over what was confirmed is left out; `overruled` of them were."""

    def __init__(self, examples, values):
        examples, values = np.asarray(examples, np.float32)[:, :len(TRAITS)] / UNIT, np.asarray(values, np.float32)
        self._keep(examples[values != 0], values[values != 0])
        self.overruled = sum(self._yield(example) for example in self.examples[self.values > 0])

    def _keep(self, examples, values):
        self.examples, self.values = examples, values
        alike = values[:, None] == values
        self.votes = [values / np.maximum(1, (alike * np.exp(-far / 2)).sum(1)) for far in heads((examples[:, None] - examples) ** 2)]

    def _yield(self, confirmed):
        """Drop the denials nearest to a confirmed example until it is reported; gives how many."""
        gone = 0
        while self._credit(confirmed) < DENIED / 2:
            far = np.where(self.values < 0, ((self.examples - confirmed) ** 2).sum(1), np.inf)
            keep = np.arange(len(far)) != far.argmin()
            self._keep(self.examples[keep], self.values[keep])
            gone += 1
        return gone

    def denials(self):
        """Traits of the examples that are denied, as tuples of kernel widths."""
        return [tuple(example) for example in self.examples[self.values < 0].tolist()]

    def nearest(self, numbers):
        """The denial most like the traits of an object."""
        far = (np.asarray(self.denials()) - np.asarray(numbers) / UNIT) ** 2
        return self.denials()[far.sum(1).argmin()]

    def credit(self, numbers):
        """-1 (all that is like it was denied) to 1 (confirmed) for the traits of an object; 0 where nothing is known."""
        return self._credit(np.asarray(numbers, np.float32) / UNIT)

    def _credit(self, at):
        return min(answer(far, votes) for far, votes in zip(heads((self.examples - at) ** 2), self.votes))


def answer(far, votes):
    """Weighted mean of the votes under a softmax of squared distances, with one key for "nothing known" that votes nought."""
    weights = np.exp(-far / 2)
    return float(weights @ votes / (weights @ np.abs(votes) + np.exp(-REACH / 2)))
