"""Anchors of the package: what its head judges of beats of every class, from the patients it was trained on.

They hold an adaptation to what is known of hearts in general, and measure for its guard what would be unlearnt.
"""

import hashlib
import io
import json

import numpy as np

from gateway.core.compat import Clock
from gateway.core.context import Context
from gateway.core.records import Features
from models.attention import PackageModel
from models.ecg.recipe.data import CLASSES
from models.ecg.recipe.sample import record_tokens
from plugins.ecg.beats import UNIT
from plugins.ecg.rr import UNIT as RR_UNIT

FILE = "anchors.npz"
PER_CLASS = 40


def hidden_of(model, beats):
    """(n, width): what the head judges of all beats of one record, in a row from an empty history."""
    beat, rr = record_tokens(beats)
    model.forget(beats.name)
    found = []
    for i in range(len(beats)):
        model.infer(Features(beats.name, i, 0, [np.round(beat[i].ravel() * UNIT).astype(int), np.round(rr[i] * RR_UNIT).astype(int)], {}))
        found.append(model.last[1])
    return np.array(found)


def spread(places, count):
    """At most `count` items of an array, evenly spaced."""
    return places[np.linspace(0, len(places) - 1, min(count, len(places))).astype(int)]


def chosen(records):
    """(hidden (n, width) float16, labels (n,) int8) of [(hidden, labels)] of records: each class from all that have it."""
    hidden, labels = [], []
    for c in range(len(CLASSES)):
        having = [(h, np.flatnonzero(y == c)) for h, y in records if (y == c).any()]
        found = [h[i] for h, places in having for i in spread(places, -(-PER_CLASS // len(having)))]
        hidden += list(spread(np.array(found), PER_CLASS))
        labels += [c] * min(PER_CLASS, len(found))
    return np.array(hidden, np.float16), np.array(labels, np.int8)


def write(folder, records):
    """Put anchors of `records` (data.Beats of the usual lead) into a package, and its manifest."""
    model = PackageModel({"package": str(folder), "variant": "float"}, Context("anchors", Clock))
    model.load()
    model.learns = True
    hidden, labels = chosen([(hidden_of(model, beats), beats.labels) for beats in records])
    buffer = io.BytesIO()
    np.savez_compressed(buffer, hidden=hidden, labels=labels)
    data = buffer.getvalue()
    (folder / FILE).write_bytes(data)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["anchors"] = {"file": FILE, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data), "each": PER_CLASS}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
