"""Two hubs, each with a round of real gateways behind it, over a real SuperLink. `make test-federation` sets up what it needs."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from firmware_tools.services import free_port
from gateway.attention.downlink import Downlink
from gateway.hub.cohort import Cohort, known_as
from gateway.hub.store import SqliteStore
from gateway.uplinks import http
from tests.gates.portable import ROOT
from tests.hub.test_hub import Line, uplink_of
from tests.hub.test_rounds import Gateway

FLOWER = ROOT / ".venv-flower"
PACKAGE = "clouds 1"
ROUNDS = 'package = "%s"\nevery_s = 3600\nstep_s = 20\nleast = 3\nrule = "mean"\nmasked = true\n' % PACKAGE
RUN = 'package = "%s"\nwait_s = %d\nleast = %d\n'
CONFIG = '[superlink.test]\naddress = "127.0.0.1:%d"\n%s\n'
HEED, FLWR = ROOT / ".venv/bin/heed", FLOWER / "bin/flwr"
LIMIT_S = 120

pytestmark = pytest.mark.skipif(not (FLOWER / "stamp").exists(), reason="Flower's environment is not there: make test-federation")


class Place:
    """Processes of one test: started with their own group and log, killed at its end."""

    def __init__(self, folder, stack):
        self.folder, self.stack = folder, stack
        self.environment = dict(os.environ, PATH="%s:%s" % (FLOWER / "bin", os.environ["PATH"]), FLWR_HOME=str(folder / "home"),
                                FLWR_TELEMETRY_ENABLED="0", FLWR_DISABLE_UPDATE_CHECK="1", TMPDIR=str(folder))

    def start(self, name, *command):
        log = open(self.folder / (name + ".log"), "ab")
        process = subprocess.Popen([*map(str, command)], stdout=log, stderr=log, cwd=self.folder, env=self.environment, start_new_session=True)
        self.stack.callback(kill, process)
        return process

    def call(self, *command):
        """What a short command prints."""
        return subprocess.run([*map(str, command)], cwd=self.folder, env=self.environment, capture_output=True, text=True, check=True).stdout

    def log(self, name):
        return (self.folder / (name + ".log")).read_text()


def kill(process):
    """SIGKILL to all that a process has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def resident_mb(process):
    """Resident memory of a process and all that it has started, MB."""
    total = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError):
            if os.getpgid(int(status.parent.name)) == process.pid:
                total += sum(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmRSS"))
    return total / 1024


class Wire:
    """Forwards a port of the loopback to another, and counts: bytes [up, down]."""

    def __init__(self, to):
        self.to, self.bytes = to, [0, 0]

    async def open(self):
        self.server = await asyncio.start_server(self._joined, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def _joined(self, reader, writer):
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.to)
        await asyncio.gather(self._pump(reader, far_writer, 0), self._pump(far_reader, writer, 1))

    async def _pump(self, reader, writer, way):
        with suppress(OSError):
            while data := await reader.read(65536):
                self.bytes[way] += len(data)
                writer.write(data)
                await writer.drain()
        writer.close()


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
        self.hub = self.place.start(self.name, HEED, "hub", "run", "--listen", "127.0.0.1:%d" % self.port,
                                    "--database", self.database, "--rounds", "rounds.toml")

    def federate(self, coordinator, port=None):
        self.node = self.place.start(self.name + "-federate", FLOWER / "bin/heed", "hub", "federate", "--superlink",
                                     "127.0.0.1:%d" % (port or coordinator.port), "--database", self.database, *coordinator.door(self.name))

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

    async def answered(self):
        """Whether its cohort has given an answer to the federation."""
        store = SqliteStore(str(self.database))
        store.open()
        try:
            held = Cohort(store, PACKAGE).held
            self.name_there = held["hub"]
            return held["number"]
        finally:
            store.close()

    async def federated(self):
        learnt = await self.learnt()
        return learnt if learnt and "federation" in learnt else None


class Coordinator:
    """A SuperLink, and what `flwr run` starts there; locked = TLS, and only hubs whose keys it knows."""

    def __init__(self, place, locked):
        self.place, self.port, self.locked = place, free_port(), locked
        options = ["--insecure"]
        if locked:
            place.call(HEED, "hub", "init", "--ca", "ca", "--url", "https://localhost:%d" % self.port, "--host", "127.0.0.1")
            options = ["--ssl-certfile", "ca/hub.pem", "--ssl-keyfile", "ca/hub.pem", "--ssl-ca-certfile", "ca/ca.pem", "--enable-supernode-auth"]
        (place.folder / "home").mkdir()
        (place.folder / "home" / "config.toml").write_text(CONFIG % (self.port, 'root-certificates = "%s"' % (place.folder / "ca" / "ca.pem")
                                                                     if locked else "insecure = true"))
        self.process = place.start("superlink", FLOWER / "bin/flower-superlink", *options, "--disable-runtime-dependency-installation",
                                   "--host", "127.0.0.1", "--port", self.port)

    def door(self, name):
        """Options with which a hub comes in."""
        if not self.locked:
            return ["--insecure"]
        key = ec.generate_private_key(ec.SECP384R1())
        (self.place.folder / (name + ".key")).write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
        (self.place.folder / (name + ".pub")).write_bytes(key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH))
        self.place.call(FLWR, "supernode", "register", name + ".pub", "test")
        return ["--root-certificates", "ca/ca.pem", "--key", name + ".key"]

    async def run(self, wait_s, least, app=None):
        """Start a run and give its log once it has ended."""
        (self.place.folder / "run.toml").write_text(RUN % (PACKAGE, wait_s, least))
        app = app or self.place.call(HEED, "hub", "federate", "--app").strip()
        began = time.monotonic()
        run = self.place.start("run", FLWR, "run", app, "test", "--run-config", "run.toml", "--stream")
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


async def started(place, locked=False):
    """(Coordinator, two Sites), each Site with a closed round behind it."""
    sites, coordinator = [Site(place, "a"), Site(place, "b")], Coordinator(place, locked)
    for site in sites:
        site.run()
    await asyncio.gather(*(site.round(count, level) for site, (count, level) in zip(sites, ((3, .1), (6, .4)))))
    return coordinator, sites


async def both(sites):
    """The states that two hubs offer their gateways, once they are of the federation."""
    return [await until(site.federated, "state at hub " + site.name) for site in sites]


async def test_one_round_and_both_hubs_offer_the_same_state(place, capsys):
    coordinator, (a, b) = await started(place, locked=True)
    wire = await Wire(coordinator.port).open()
    a.federate(coordinator, wire.port)
    b.federate(coordinator)
    seconds, log, peak = time.monotonic(), asyncio.ensure_future(coordinator.run(wait_s=60, least=2)), 0
    while not log.done():
        peak = max(peak, resident_mb(a.node))
        await asyncio.sleep(.2)
    seconds = time.monotonic() - seconds
    with capsys.disabled():
        print("\none round of two hubs: %.0f s; at a hub %.0f MB resident, %.0f MB at most, %d bytes up and %d down with TLS" % (
            seconds, resident_mb(a.node), peak, *wire.bytes))
    first, second = await both((a, b))
    assert first["vector"] == second["vector"] == coordinator.state["vector"] and np.allclose(first["vector"], .3, atol=1e-4), log.result()
    assert first["federation"]["hubs"] == 2 and first["federation"]["gateways"] == 9
    assert "own" not in first and "spent" not in first


async def test_a_hub_killed_in_mid_round_does_no_harm_and_counts_once(place):
    coordinator, (a, b) = await started(place)
    a.federate(coordinator)
    b.federate(coordinator)
    run = asyncio.ensure_future(coordinator.run(wait_s=15, least=1))
    await until(b.answered, "answer of hub b")
    kill(b.node)
    kill(b.hub)
    log = await run
    assert coordinator.state["version"] == 1 and (await until(a.federated, "state at hub a"))["vector"] == coordinator.state["vector"], log
    counted = known_as(b.name_there) in coordinator.state["taken"]
    b.run()
    b.federate(coordinator)
    log = await coordinator.run(wait_s=30, least=1)
    states = await both((a, b))
    assert states[0]["vector"] == states[1]["vector"] == coordinator.state["vector"], log
    assert np.allclose(states[0]["vector"], .3 if counted else .1 + .4, atol=1e-4), log


async def test_a_run_that_brings_other_code_than_ours_is_refused(place):
    coordinator, (a, _) = await started(place)
    a.federate(coordinator)
    app = place.folder / "app"
    shutil.copytree(place.call(HEED, "hub", "federate", "--app").strip(), app)
    text = (app / "pyproject.toml").read_text()
    (app / "pyproject.toml").write_text(text.replace("gateway.hub.flower.client:app", "theirs:app"))
    (app / "theirs.py").write_text("open(%r, 'w').close()\nimport gateway.hub.flower.client\napp = gateway.hub.flower.client.app\n" % str(place.folder / "ran"))
    log = await coordinator.run(wait_s=30, least=1, app=app)
    assert "not Heed's" in log and not (place.folder / "ran").exists() and coordinator.state is None
    assert not await a.federated()


def after(rule, least, *answers):
    """What a coordinator's state is after these answers, None where nothing moved."""
    told = subprocess.run([FLOWER / "bin/python", "-m", "tests.hub.flower_rules", rule, str(least)], input=json.dumps(answers), cwd=ROOT,
                          capture_output=True, text=True, timeout=60)
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout.splitlines()[-1])


def answer(hub, level, gateways=1, number=1, length=4):
    return {"hub": hub, "number": number, "moved": [level] * length, "gateways": gateways}


def test_the_mean_is_by_gateways_and_what_is_not_sound_is_left_out():
    state = after("mean", 2, answer("a", .1, 3), answer("b", .4, 6), answer("c", float("inf"), 9), answer("d", .9, 0), answer("e", .9, length=5),
                  {"why": "no round"}, {"error": "gone"})
    assert np.allclose(state["vector"], .3) and state["hubs"] == 2 and state["gateways"] == 9
    assert state["taken"] == {known_as("a"): 1, known_as("b"): 1}


def test_one_hub_that_answers_twice_counts_once():
    state = after("mean", 2, answer("a", .1, number=3), answer("a", .3, number=4), answer("b", .5))
    assert np.allclose(state["vector"], .4) and state["taken"][known_as("a")] == 4


@pytest.mark.parametrize("rule", ["trimmed", "median"])
def test_a_hostile_hub_is_clipped_and_then_trimmed(rule):
    honest = [answer(str(i), .1 + .01 * i) for i in range(4)]
    assert max(after("mean", 2, *honest, answer("bad", -1e9))["vector"]) < 0
    assert np.abs(np.array(after(rule, 2, *honest, answer("bad", -1e9, 1000000))["vector"]) - .115).max() < .02


def test_too_few_hubs_move_nothing():
    assert after("mean", 2, answer("a", .1), {"why": "no round"}) is None
