"""Keeps what a forecast learnt online: a version a day in attention.db, written anew every six hours and at the end.

Taken up at the start, where it is whole and of this package; a damaged one is counted, and the day before is tried. What a person
orders of a sensor (freeze, reset, rollback) is carried out at the next slot.
"""

import hashlib
import io
import json
import zipfile

import numpy as np

from gateway.core.compat import wall_ms
from gateway.core.errors import HeedError

DAY_MS = 86400000
VERSIONS = 7
EVERY_MIN, SHOWN_MIN = 360, 60  # between two of all that was learnt; between two of what is shown
PUT = "INSERT INTO online VALUES(?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET t_ms = excluded.t_ms, text = excluded.text, data = excluded.data"
SHOW = "UPDATE online SET text = ? WHERE name = ? AND version = ?"
OLD = "DELETE FROM online WHERE name = ? AND version <= ?"


class Keeper:
    """store: AttentionStore; name: of the plugin; package: "name version"; online: OnlineForecasts, whose `after` this becomes."""

    def __init__(self, store, name, package, online):
        self.store, self.name, self.package, self.online = store, name, package, online
        self.due, self.orders, self.done, self.shown = None, {}, [], None
        self.slots = 0
        self.version, self.t_ms = self._take_up()
        store.changed()
        self.heed()
        online.after = self.slot

    def _take_up(self):
        """(version, time) to go on with: of the newest whole one, or 0."""
        kept = self.store.rows("SELECT version, t_ms, text FROM online WHERE name = ? ORDER BY version DESC", self.name)
        for version, t_ms, text in kept:
            if json.loads(text)["package"] != self.package:
                self.online.context.count("online_foreign")
                continue
            try:
                self.online.restore(*kept_of(self.store, self.name, version))
                return kept[0][0], t_ms
            except (ValueError, KeyError, zipfile.BadZipFile):
                self.online.context.count("online_damaged")
                self.online.forget_all()
        return (kept[0][0] if kept else 0), 0

    def slot(self):
        """After each slot, where the forecasts are made: carry out orders, and lay out what is to be written."""
        while self.orders:
            self._carry_out(*self.orders.popitem())
        self.slots += 1
        step = self.online.step_min
        if self.slots % max(1, (EVERY_MIN if self.version else SHOWN_MIN) // step) == 0:
            self.due = self.online.state()
        elif self.slots % max(1, SHOWN_MIN // step) == 0:
            self.shown = self.online.shown()

    def _carry_out(self, stream, order):
        version, kept = order
        if kept:
            self.online.restore(*kept, stream)
        else:
            self.online.clear(stream)
        self.online.context.count("online_rolled_back" if version else "online_reset")
        self.done.append((stream, version))

    def work(self):
        """On the thread beside: write what is laid out, take orders in."""
        due, self.due = self.due, None
        if due:
            self.write(due)
        elif self.shown and self.version:
            text = json.loads(self.store.rows("SELECT text FROM online WHERE name = ? AND version = ?", self.name, self.version)[0][0])
            self.store.write((SHOW, (json.dumps(dict(text, shown=self.shown)), self.name, self.version)))
            self.shown = None
        if self.done or self.store.changed():
            self.heed()

    def heed(self):
        """Take in what was ordered since."""
        done, self.done = self.done, []
        self.store.write(*[("DELETE FROM recall WHERE stream = ? AND version = ?", each) for each in done])
        self.online.frozen = frozenset(stream for stream, _, frozen in self.store.streams() if frozen)
        for stream, version in self.store.rows("SELECT stream, version FROM recall"):
            if stream in self.online.places:
                self._order(stream, version)

    def _order(self, stream, version):
        """Let the next slot carry an order out; one to a version that is gone, damaged or of another package is dropped."""
        try:
            found = kept_of(self.store, self.name, version) if version else None
            if found and (found[1]["package"] != self.package or stream not in found[1]["streams"]):
                raise ValueError("it is of another package, or from before this sensor")
            self.orders[stream] = version, found
        except (ValueError, KeyError, zipfile.BadZipFile):
            self.online.context.count("online_recalls_refused")
            self.done.append((stream, version))

    def write(self, state):
        """Keep a state as the version of today."""
        arrays, facts = state
        now = wall_ms()
        if not self.version or now // DAY_MS != self.t_ms // DAY_MS:
            self.version += 1
        self.t_ms = now
        data = packed(arrays)
        text = json.dumps(dict(facts, package=self.package, sha256=hashlib.sha256(data).hexdigest()))
        self.store.write((PUT, (self.name, self.version, now, text, data)), (OLD, (self.name, self.version - VERSIONS)))

    def close(self):
        """Keep what there is, and close the file."""
        try:
            if self.online.places:
                self.write(self.online.state())
        except HeedError as error:
            self.online.context.count("online_unkept")
            self.online.context.log("warning", str(error))
        self.store.close()


def packed(arrays):
    """Bytes of named arrays."""
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue()


def unpacked(text, data):
    """(arrays, facts) of a version. Raises ValueError where it is not what was written."""
    facts = json.loads(text)
    if hashlib.sha256(data).hexdigest() != facts["sha256"]:
        raise ValueError("it is not what was written")
    with np.load(io.BytesIO(data)) as arrays:
        return {name: arrays[name] for name in arrays.files}, facts


def kept_of(store, name, version):
    """(arrays, facts) of a version. Raises ValueError where it is gone, or not what was written."""
    found = store.rows("SELECT text, data FROM online WHERE name = ? AND version = ?", name, version)
    if not found:
        raise ValueError("it is gone")
    return unpacked(*found[0])
