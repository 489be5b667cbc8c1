"""Two hubs, each with a round of real gateways behind it, over a real SuperLink. `make test-federation` sets up what it needs."""

import asyncio
import json
import os
import signal
import subprocess
import time
from contextlib import ExitStack

import numpy as np
import pytest

from firmware_tools.services import free_port
from gateway.attention.downlink import Downlink
from gateway.uplinks import http
from tests.gates.portable import ROOT
from tests.hub.test_hub import Line, uplink_of
from tests.hub.test_rounds import Gateway

FLOWER = ROOT / ".venv-flower"
PACKAGE = "clouds 1"
ROUNDS = 'package = "%s"\nevery_s = 3600\nstep_s = 20\nleast = 3\nrule = "mean"\nmasked = true\n' % PACKAGE
RUN = 'package = "%s"\nwait_s = %d\nleast = %d\n'
CONFIG = '[superlink]\ndefault = "test"\n[superlink.test]\naddress = "127.0.0.1:%d"\ninsecure = true\n'
LIMIT_S = 120

pytestmark = pytest.mark.skipif(not (FLOWER / "stamp").exists(), reason="Flower's environment is not there: make test-federation")


class Place:
    """Processes of one test: started with their own group and log, killed at its end."""

    def __init__(self, folder, stack):
        self.folder, self.stack = folder, stack
        self.environment = dict(os.environ, PATH="%s:%s" % (FLOWER / "bin", os.environ["PATH"]), FLWR_HOME=str(folder / "home"),
                                FLWR_TELEMETRY_ENABLED="0", FLWR_DISABLE_UPDATE_CHECK="1")

    def start(self, name, *command):
        log = open(self.folder / (name + ".log"), "ab")
        process = subprocess.Popen([*map(str, command)], stdout=log, stderr=log, cwd=self.folder, env=self.environment, start_new_session=True)
        self.stack.callback(kill, process)
        return process

    def log(self, name):
        return (self.folder / (name + ".log")).read_text()


def kill(process):
    """SIGKILL to all that a process has started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


async def until(found, what, limit_s=LIMIT_S):
    """Wait for a true answer of an async function."""
    began = time.monotonic()
    while not (answer := await found()):
        assert time.monotonic() - began < limit_s, "no %s within %d s" % (what, limit_s)
        await asyncio.sleep(.2)
    return answer


class Site:
    """A hub's processes: `heed hub run` and, apart from it, `heed hub federate`."""

    def __init__(self, place, name):
        self.place, self.name, self.port = place, name, free_port()
        self.database = place.folder / (name + ".db")
        (place.folder / "rounds.toml").write_text(ROUNDS)
        self.url = "http://127.0.0.1:%d" % self.port

    def run(self):
        self.hub = self.place.start(self.name, ROOT / ".venv/bin/heed", "hub", "run", "--listen", "127.0.0.1:%d" % self.port,
                                    "--database", self.database, "--rounds", "rounds.toml")

    def federate(self, superlink):
        self.node = self.place.start(self.name + "-federate", FLOWER / "bin/heed", "hub", "federate", "--superlink", "127.0.0.1:%d" % superlink,
                                     "--insecure", "--database", self.database)

    async def learnt(self):
        """The common state as any gateway reads it, or None while the hub is not there."""
        down = Downlink(self.url, {"ca_file": "", "cert_file": "", "key_file": ""})
        try:
            return await down.get("/v1/attention", after=0)
        except Exception:
            return None
        finally:
            await down.close()

    async def round(self, count, level):
        """One masked round of gateways that have learnt `level` in each number, over their outboxes."""
        folder = self.place.folder / (self.name + "-gateways")
        folder.mkdir()
        await until(self.learnt, "hub")
        down, names = Downlink(self.url, {"ca_file": "", "cert_file": "", "key_file": ""}), ["g%d" % i for i in range(count)]
        parties = {name: Gateway(folder, name, np.full(21, level)).collaborator for name in names}
        lines = {name: Line(folder, uplink_of(http, folder, name, url=self.url + "/v1/batches"), name) for name in names}

        async def closed():
            for name in names:
                lines[name].outbox.offer(parties[name].turn((await down.get("/v1/rounds", gateway=name))["round"]))
            return (await down.get("/v1/attention", after=0))["version"]
        for line in lines.values():
            await line.__aenter__()
        try:
            await until(closed, "round")
        finally:
            await down.close()
            for line in lines.values():
                await line.__aexit__()

    async def federated(self):
        learnt = await self.learnt()
        return learnt if learnt and "federation" in learnt else None


class Federation:
    """The coordinator: a SuperLink, and what `flwr run` starts there."""

    def __init__(self, place):
        self.place, self.port = place, free_port()
        (place.folder / "home").mkdir()
        (place.folder / "home" / "config.toml").write_text(CONFIG % self.port)
        self.process = place.start("superlink", FLOWER / "bin/flower-superlink", "--insecure", "--disable-runtime-dependency-installation",
                                   "--host", "127.0.0.1", "--port", self.port)

    async def run(self, wait_s, least, app=None):
        """Start a run and give its log once it has ended."""
        (self.place.folder / "run.toml").write_text(RUN % (PACKAGE, wait_s, least))
        app = app or subprocess.run([FLOWER / "bin/heed", "hub", "federate", "--app"], capture_output=True, text=True, check=True).stdout.strip()
        began = time.monotonic()
        run = self.place.start("run", FLOWER / "bin/flwr", "run", app, "test", "--run-config", "run.toml", "--stream")
        while run.poll() is None:
            assert time.monotonic() - began < LIMIT_S, self.place.log("run")
            await asyncio.sleep(.2)
        return self.place.log("run")

    @property
    def state(self):
        path = self.place.folder / "federation.json"
        return json.loads(path.read_text()) if path.exists() else None


@pytest.fixture
def place(tmp_path):
    with ExitStack() as stack:
        yield Place(tmp_path, stack)


async def started(place):
    """(Federation, two Sites), each Site with a closed round behind it and its SuperNode on the way."""
    sites, coordinator = [Site(place, "a"), Site(place, "b")], Federation(place)
    for site in sites:
        site.run()
    await asyncio.gather(*(site.round(count, level) for site, (count, level) in zip(sites, ((3, .1), (6, .4)))))
    for site in sites:
        site.federate(coordinator.port)
    return coordinator, sites


async def test_one_round_and_both_hubs_offer_the_same_state(place):
    coordinator, sites = await started(place)
    log = await coordinator.run(wait_s=60, least=2)
    learnt = [await until(site.federated, "state at hub " + site.name) for site in sites]
    assert learnt[0]["vector"] == learnt[1]["vector"] and np.allclose(learnt[0]["vector"], .3, atol=1e-4), log
    assert all(state["federation"]["hubs"] == 2 and state["federation"]["gateways"] == 9 for state in learnt)
    assert "own" not in learnt[0] and "spent" not in learnt[0]
