"""SIGKILL in mid-round, to `heed hub run` and to gateways that run `heed run`: nothing is lost, and the round ends or is dropped."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, closing, suppress
from itertools import combinations
from urllib.request import urlopen

import numpy as np
import pytest

from firmware_tools.recordings import ecg_folder
from firmware_tools.services import free_port
from gateway.attention.federate import flat, unflat
from gateway.attention.learner import GLOBAL
from gateway.attention.state import AttentionState, Origin
from gateway.attention.store import FILE, AttentionStore
from gateway.core.compat import wall_ms
from gateway.hub.cohort import kept
from gateway.hub.store import SqliteStore
from models.package import Package, folder_of
from models.twin import Twin

HEED = os.path.join(os.path.dirname(sys.executable), "heed")
LEVELS = {"g0": .01, "g1": .02, "g2": .04, "g3": .08}  # what each has learnt: any mean of theirs says whose it is
LEAST, LIMIT_S = 3, 60
ROUNDS = 'every_s = %d\nstep_s = 8\nleast = 3\nrule = "mean"\nmasked = %s\npackage = "%s"\n'
SETTINGS = """
[gateway]
name = "%(name)s"
data = '%(name)s'
[attention]
hub = "%(url)s"
hub_poll_s = 1
[[sensor]]
name = "bed-%(name)s"
kind = "replay"
feeds = "ecg"
options = { record = '%(record)s', duration_s = 600, speed = 1, block_ms = 1000 }
[[plugin]]
name = "ecg"
kind = "ecg"
model = "ecg"
[[uplink]]
name = "hub"
kind = "http"
options = { url = "%(url)s/v1/batches" }
"""


class Fleet:
    """A hub and four gateways, each a process of its own, in one folder."""

    def __init__(self, folder, stack):
        self.folder, self.stack, self.port, self.processes = folder, stack, free_port(), {}
        self.url = "http://127.0.0.1:%d" % self.port
        twin = Twin(Package(folder_of("ecg")))
        self.origin = Origin(twin.package, twin.parameters, twin.ranges, twin.classes)
        for name, level in LEVELS.items():
            (folder / name).mkdir()
            (folder / (name + ".toml")).write_text(SETTINGS % {"name": name, "url": self.url, "record": ecg_folder() / "mitdb" / "100"})
            moved = unflat(self.origin, np.full(len(flat(self.origin.shipped)), level))
            with closing(AttentionStore(folder / name / FILE)) as store:
                store.adopt(AttentionState("bed-" + name, self.origin.package, 0, 0, wall_ms(), "learnt before", {}, moved))

    def start(self, name, *command):
        with open(self.folder / (name + ".log"), "ab") as log:
            self.processes[name] = subprocess.Popen([HEED, *map(str, command)], stdout=log, stderr=log, cwd=self.folder)
        self.stack.callback(self.kill, name)

    def gateway(self, name):
        self.start(name, "run", name + ".toml")

    def hub(self, rounds):
        self.start("hub", "hub", "run", "--listen", "127.0.0.1:%d" % self.port, "--rounds", rounds)
        until(lambda: "package" in (self.get("/v1/attention") or {}), "hub")

    def kill(self, name):
        with suppress(ProcessLookupError):
            self.processes[name].send_signal(signal.SIGKILL)
        self.processes[name].wait()

    def get(self, path):
        """The hub's answer, or None while it is not there."""
        with suppress(OSError):
            return json.load(urlopen(self.url + path, timeout=5))

    def round(self):
        """The open round as the hub's database has it, or None."""
        with closing(SqliteStore(str(self.folder / "hub.db"))) as store:
            store.open()
            return kept(store, "round", self.origin.package)

    def updates(self):
        """How many gateways' updates of the open round are stored."""
        now = self.round()
        with closing(SqliteStore(str(self.folder / "hub.db"))) as store:
            store.open()
            rows = store.query("SELECT gateway, data FROM record WHERE kind = 'attention_update'", ())
        return len({gateway for gateway, text in rows if now and json.loads(text)["step"] == "update" and now["id"] in text})

    def taken(self, name):
        """Whether the guard of a gateway has taken a global state."""
        with closing(AttentionStore(self.folder / name / FILE)) as store:
            return store.current(GLOBAL + self.origin.package)[0]


def until(found, what):
    """Wait for a true answer."""
    began = time.monotonic()
    while not (answer := found()):
        assert time.monotonic() - began < LIMIT_S, "no %s within %d s" % (what, LIMIT_S)
        time.sleep(.1)
    return answer


def in_mid_round(fleet):
    """Whether updates of a round with all four are coming in, and the round is open."""
    now = fleet.round()
    return now and now["step"] == "update" and len(now.get("keys", LEVELS)) == len(LEVELS) and fleet.updates() >= 1


@pytest.fixture(params=[False, True], ids=["plain", "masked"])
def fleet(request, tmp_path, mitdb):
    """Four gateways that run, and a hub that does not yet."""
    with ExitStack() as stack:
        fleet = Fleet(tmp_path, stack)
        (tmp_path / "once.toml").write_text(ROUNDS % (3600, str(request.param).lower(), fleet.origin.package))
        (tmp_path / "again.toml").write_text(ROUNDS % (1, str(request.param).lower(), fleet.origin.package))
        for name in LEVELS:
            fleet.gateway(name)
        for name in LEVELS:
            until(lambda: "starts" in (tmp_path / (name + ".log")).read_text(), "start of " + name)
        yield fleet


def ended(fleet):
    """What /v1/attention says once a round has closed or was dropped, or None."""
    learnt = fleet.get("/v1/attention")
    return learnt if learnt and (learnt["version"] or "dropped" in learnt["facts"]) else None


def is_a_mean(learnt):
    """Whether a common state is the mean of so many gateways' parts as it says, each once."""
    count = learnt["facts"]["gateways"]
    means = [np.mean([LEVELS[name] for name in names]) for names in combinations(LEVELS, count)]
    return count >= LEAST and any(np.allclose(learnt["vector"], mean, atol=1e-3) for mean in means)


def test_hub_and_gateway_killed_in_mid_round(fleet):
    fleet.hub("once.toml")
    until(lambda: in_mid_round(fleet), "round")
    before = fleet.round()
    fleet.kill("hub")
    fleet.kill("g0")
    fleet.hub("once.toml")
    learnt = until(lambda: ended(fleet), "end of the round")
    assert learnt["version"] == 1 and learnt["facts"]["round"] == before["id"] and is_a_mean(learnt)
    until(lambda: fleet.round() is None, "end of the round on disk")
    fleet.gateway("g0")
    for name in LEVELS:
        assert until(lambda: fleet.taken(name), "common state at " + name).facts["round"] == before["id"]
    assert all(g["missing"] == 0 and g["holes"] == 0 for g in fleet.get("/v1/gateways"))


def test_a_round_that_half_of_the_gateways_are_killed_in_is_dropped_and_the_next_one_closes(fleet):
    fleet.hub("again.toml")
    until(lambda: (now := fleet.round()) and now["step"] == ("shares" if now["masked"] else "update"), "round")
    for name in ("g0", "g1"):
        fleet.kill(name)
    learnt = until(lambda: ended(fleet), "end of the round")
    assert is_a_mean(learnt) if learnt["version"] else "%d are needed" % LEAST in learnt["facts"]["dropped"]
    for name in ("g0", "g1"):
        fleet.gateway(name)
    learnt = until(lambda: (found := fleet.get("/v1/attention")) and found["version"] > learnt["version"] and found, "next round")
    assert learnt["version"] > 1 or is_a_mean(learnt)
