"""Training chunks: stretches of real records, made harder, as the tokens that the plugin would make."""

import numpy as np

from models.ecg.recipe import synth
from models.ecg.recipe.data import PAD
from plugins.ecg.beats import Tokens, UNIT
from plugins.ecg.rr import UNIT as RR_UNIT

CHUNK = 96


def tokens_of(windows, before):
    """(beat (n, 104, 2), rr (n, 15)) float32, in the units that the net takes in, of model windows in order."""
    maker, beats, rrs = Tokens(), [], []
    for i, window in enumerate(windows.astype(np.int64)):
        window = window - np.partition(window, len(window) // 2)[len(window) // 2]
        beat, rr = maker.token(window, max(1, int(before[i])), max(1, int(before[i + 1])))
        beats.append(beat)
        rrs.append(rr)
    return (np.array(beats, np.float32).reshape(len(windows), -1, 2) / UNIT, np.array(rrs, np.float32) / RR_UNIT)


def record_tokens(beats):
    """Tokens of a whole record, as it is."""
    return tokens_of(beats.windows[:, PAD:-PAD], beats.before)


OTHER_LEAD = 0.4  # how often a second lead is drawn, against MLII: other electrodes must be known, not preferred


class Sampler:
    """Draws batches from records (a list of data.Beats): half by size, a quarter each by sqrt of S and V counts."""

    def __init__(self, records, seed):
        self.rng = np.random.default_rng(seed)
        self.records = [r for r in records if len(r) > CHUNK + 8]
        self.pool = np.concatenate([r.windows[r.labels == 2] for r in self.records])
        counts = np.array([[len(r), (r.labels == 1).sum() ** .5, (r.labels == 2).sum() ** .5] for r in self.records])
        shares = counts / np.maximum(1, counts.sum(0))
        self.shares = .5 * shares[:, 0] + .25 * shares[:, 1] + .25 * shares[:, 2]
        self.shares *= [OTHER_LEAD if r.other_lead else 1 for r in self.records]
        self.shares /= self.shares.sum()

    def start(self, record):
        """Where a chunk begins: half of them hold a rare beat."""
        last = len(record) - CHUNK
        rare = np.flatnonzero((record.labels > 0))
        if self.rng.random() < .5 and len(rare):
            return int(np.clip(self.rng.choice(rare) - self.rng.integers(CHUNK), 0, last))
        return int(self.rng.integers(last))

    def chunk(self):
        """(beat, rr, labels) of one chunk."""
        rng = self.rng
        record = self.records[rng.choice(len(self.records), p=self.shares)]
        at = self.start(record)
        windows = record.windows[at:at + CHUNK].copy()
        before = record.before[at:at + CHUNK + 1].copy()
        labels = record.labels[at:at + CHUNK].copy()
        if (labels != 0).sum() < 20 and rng.random() < .8:
            synth.rhythm(rng, windows, before, labels, self.pool)
        before = np.clip(before * rng.uniform(.85, 1.15) + rng.normal(0, 8, len(before)), 150, 8000)
        windows = synth.placed(rng, windows) * (-1 if rng.random() < .04 else 1)
        return *tokens_of(windows, before), labels

    def batch(self, n):
        """n chunks, stacked."""
        return tuple(np.stack(part) for part in zip(*(self.chunk() for _ in range(n))))
