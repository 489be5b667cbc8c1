"""MIT-BIH records as beats: wide windows on the model's grid, intervals, AAMI classes, patient-wise folds."""

from pathlib import Path

import numpy as np

from plugins.ecg.beats import AFTER, BEFORE, GRID_HZ, PAUSE_MS
from plugins.ecg.filters import Morphology, QrsBand

CLASSES = ("N", "S", "V", "F")
# ANSI/AAMI EC57 grouping of the MIT annotation codes; Q (paced, fusion of paced, unclassifiable) is left out
AAMI = {**dict.fromkeys("NLRej", 0), **dict.fromkeys("AaJS", 1), **dict.fromkeys("VE", 2), "F": 3,
        **dict.fromkeys("/fQ", -1)}
PAD = 12  # grid points beyond the model's window on each side: room for shifts and time scaling
FOLDS = ("209 106 108 115 119 205", "201 207 112 116 230 101", "220 118 208 122 109", "223 124 114 203 215")


class Beats:
    """One lead of one record. windows: (n, PAD + 104 + PAD) float; before: (n + 1,) ms, before[i + 1] is what
    follows beat i; labels: (n,) index into CLASSES or -1; r: (n,) sample numbers."""

    def __init__(self, name, windows, before, labels, r, other_lead=False):
        self.name = name
        self.other_lead = other_lead
        self.windows = windows
        self.before = before
        self.labels = labels
        self.r = r

    def __len__(self):
        return len(self.labels)


def names(folder, split):
    """Record names of DS1 or DS2."""
    return (Path(folder) / (split + ".txt")).read_text().split()


def both_leads(read, folder, name):
    """Beats of MLII and of the other lead of a record, each as the detector would see it."""
    first, second = load(read, folder, name), load(read, folder, name, "not MLII")
    second.other_lead = True
    return [first, second]


def load(read, folder, name, lead=""):
    """Beats of one lead of a record. read(path, lead) -> (samples, rate_hz, [(sample, code)]) is the caller's reader."""
    samples, rate_hz, marks = read(Path(folder) / "mitdb" / name, lead)
    marks = [(at, AAMI[code]) for at, code in marks if code in AAMI]
    return beats_of(name, np.asarray(samples, np.int64), rate_hz, [m[0] for m in marks], [m[1] for m in marks])


def beats_of(name, samples, rate_hz, r, labels):
    """Beats at the places `r`, moved to where our own detector would put them."""
    r = np.array([place(samples, rate_hz, at) for at in r])
    before = np.diff(r, prepend=r[0] - np.median(np.diff(r)), append=r[-1] + PAUSE_MS * rate_hz / 1000)
    before = np.clip(before * 1000 / rate_hz, 1, None)
    windows, whole = cut(samples, rate_hz, r)
    return Beats(name, windows[whole], np.append(before[:-1][whole], before[-1]), np.array(labels)[whole], r[whole])


def place(samples, rate_hz, at):
    """Largest deflection of the 5 to 18 Hz band within 80 ms of an annotation."""
    band = QrsBand(rate_hz)
    reach = int(rate_hz * 80 // 1000)
    first = at - reach - band.delay
    if first < 0 or at + reach + band.delay + 1 > len(samples):
        return at
    return at - reach + int(np.argmax(np.abs(band(samples[first:at + reach + band.delay + 1]))))


def cut(samples, rate_hz, r):
    """Wide windows around r and a mask of those that lie inside the record."""
    filtered = Morphology(rate_hz)
    clean = filtered(samples)
    at = r[:, None] - filtered.delay + (np.arange(-BEFORE - PAD, AFTER + PAD) * rate_hz / GRID_HZ)[None, :]
    whole = (at[:, 0] >= 0) & (at[:, -1] < len(clean) - 1)
    return np.interp(np.clip(at, 0, len(clean) - 1), np.arange(len(clean)), clean), whole
