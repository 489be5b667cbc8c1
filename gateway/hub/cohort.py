"""A hub among hubs: what its own rounds have moved goes up as one sum, what all hubs learnt together comes back.

What leaves is the movement of a common state that each of its gateways can read already: never a gateway's part, never more
than a round has made public (clipped, of masked sums, with its noise). Each movement counts once, whoever is killed when: a
hub keeps the sum of its own rounds, and how much of it the state of the federation contains.
"""

import hashlib
import json

import numpy as np

from gateway.attention.federate import clipped
from gateway.core.compat import random_id
from gateway.core.errors import Rejected
from gateway.hub.inbox import LONGEST

SCHEMA = ("CREATE TABLE IF NOT EXISTS global_attention(package TEXT PRIMARY KEY, text TEXT NOT NULL)",
          "CREATE TABLE IF NOT EXISTS federation(package TEXT PRIMARY KEY, text TEXT NOT NULL)")
LEAST = 3
KEEP = "INSERT INTO %s VALUES(?, ?) ON CONFLICT(package) DO UPDATE SET text = excluded.text RETURNING package"


def known_as(hub):
    """What other hubs may see of a hub's name: who knows the name itself could answer in its place."""
    return hashlib.sha256(hub.encode()).hexdigest()[:16]


def kept(store, table, package):
    """What a table holds of a package, or None."""
    found = store.query("SELECT text FROM %s WHERE package = ?" % table, (package,))
    return json.loads(found[0][0]) if found and found[0][0] != "null" else None


def keep(store, table, package, value):
    """Keep a value of a package, durable when this returns."""
    store.query(KEEP % table, (package, json.dumps(value)))


def own(learnt):
    """Sum of what a hub's own rounds have moved. learnt: as gateway.hub.rounds keeps it."""
    return np.array(learnt.get("own", learnt["vector"]), float)


def moved(learnt, by):
    """A hub's common state one version on, moved by a round of its own."""
    sums = {name: np.round(np.array(learnt[name] or np.zeros(len(by))) + by, 6).tolist() for name in ("vector", "own") if name in learnt}
    return dict(learnt, version=learnt["version"] + 1, **sums)


def beyond(total, counted):
    """What a sum holds beyond what is counted already; [] stands for nothing."""
    return total - np.array(counted) if len(counted) else total


def with_others(learnt, state):
    """A hub's common state with the federation's in it and its own newer rounds on top, or None where it is in already.

    state: what Cohort has kept, or None."""
    if not state or not state["version"] or learnt.get("federation", {}).get("mark") == [state["federation"], state["version"]]:
        return None
    total = own(learnt)
    rest = beyond(total, state["counted"])
    vector = np.array(state["vector"]) + (rest if len(rest) else 0)
    said = {"mark": [state["federation"], state["version"]], "hubs": state["hubs"], "gateways": state["gateways"]}
    return dict(learnt, version=learnt["version"] + 1, vector=np.round(vector, 6).tolist(), own=total.tolist(), federation=said)


class Cohort:
    """store: gateway.hub.store, open, beside the hub that uses it; package: that learns; least: gateways without which nothing leaves.

    A state of the federation is a dict: "federation" (its name), "version" (0 = none yet), "vector", "hubs", "gateways", and
    "taken", {known_as(hub): number of its last answer that is in it}.
    """

    def __init__(self, store, package, least=LEAST):
        self.store, self.package, self.least = store, package, least
        for statement in SCHEMA:
            store._do(statement)
        self.learnt = kept(store, "global_attention", package) or {"vector": [], "facts": {}}
        self.held = kept(store, "federation", package) or {
            "hub": random_id(), "number": 0, "pending": [], "counted": [], "federation": "", "version": 0, "vector": [],
            "hubs": 0, "gateways": 0}

    def take(self, state):
        """Keep a state of the federation, for the hub to put to use between two rounds; whether it is newer than what is held.
        Raises Rejected for what cannot be one."""
        held = self.held
        same = state["federation"] == held["federation"]
        if state["version"] <= (held["version"] if same else 0):
            return False
        self._fits(state["vector"])
        newest = held["number"] and state["taken"].get(known_as(held["hub"])) == held["number"]
        counted = held["pending"] if newest else held["counted"] if same else []
        self._hold(counted=counted, **{name: state[name] for name in ("federation", "version", "vector", "hubs", "gateways")})
        return True

    def _fits(self, vector):
        length = len(own(self.learnt)) or len(vector)
        if not 0 < len(vector) <= LONGEST or len(vector) != length or not np.isfinite(vector).all():
            raise Rejected("a state of %d numbers for %s, here it has %d" % (len(vector), self.package, length),
                           "does the coordinator name the package right?")

    def answer(self, state, clip):
        """(hub, number, vector, gateways): the movement that is not in a state, with an L2 norm of at most `clip`. Call take() first.

        Raises Rejected where there is nothing to tell, or too few gateways to hide one in."""
        gateways, total = self.learnt["facts"].get("gateways", 0), own(self.learnt)
        moved = beyond(total, self.held["counted"] if state["federation"] == self.held["federation"] else [])
        if gateways < self.least or not moved.any():
            raise Rejected("%d gateways, and %s since the last time" % (gateways, "news" if moved.any() else "no round"),
                           "%d gateways in a round are needed" % self.least)
        self._hold(number=self.held["number"] + 1, pending=total.tolist())
        return self.held["hub"], self.held["number"], clipped(moved, clip), gateways

    def _hold(self, **changed):
        self.held = dict(self.held, **changed)
        keep(self.store, "federation", self.package, self.held)
