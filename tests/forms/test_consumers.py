"""The forms against consumers that are not ours: Home Assistant's core, a Sparkplug library, the CloudEvents SDK, ThingsBoard's own
gateway beside ours, Prometheus's promtool. Heavy: `make test-consumers` sets up what they need; where it is not there they skip."""

import asyncio
import json
import subprocess
from pathlib import Path

import pytest

from firmware_tools.bench import sync_peer
from firmware_tools.link import Link
from firmware_tools.services import free_port, program
from gateway.core.batch import Batch
from gateway.core.compat import wall_ms
from gateway.core.errors import HeedError
from gateway.forms import load
from gateway.uplinks import mqtt
from tests.forms.line import Listener
from tests.forms.test_forms import NOW, OPTIONS, summary
from tests.gates.portable import ROOT
from tests.gateway.test_metrics import scraped
from tests.hub.test_hub import Line, uplink_of
from tests.services import mosquitto  # noqa: F401  fixture

FOLDER = Path(__file__).with_name("consumers")


def python_of(name):
    """Python of a consumer's environment, or a skip."""
    path = ROOT / name / "bin" / "python"
    if not (ROOT / name / "stamp").exists():
        pytest.skip("%s is not there: make test-consumers" % name)
    return str(path)


class Consumer:
    """A consumer's process: ask() gives what it knows."""

    def __init__(self, environment, script, *arguments):
        self.command = [python_of(environment), str(FOLDER / script), *map(str, arguments)]

    async def __aenter__(self):
        self.process = await asyncio.create_subprocess_exec(*self.command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                                                            stderr=asyncio.subprocess.DEVNULL, limit=1 << 28)
        line = b"-"
        while line and not line.startswith(b"ready"):
            line = await asyncio.wait_for(self.process.stdout.readline(), 120)
        assert line, "%s has ended before it was ready" % self.command
        return self

    async def __aexit__(self, *error):
        self.process.kill()
        await self.process.wait()

    async def ask(self):
        self.process.stdin.write(b"\n")
        return json.loads(await asyncio.wait_for(self.process.stdout.readline(), 60))

    async def until(self, settled, limit_s=30):
        """What it knows once that satisfies `settled`, or at the end of the time."""
        for _ in range(limit_s * 4):
            told = await self.ask()
            if settled(told):
                break
            await asyncio.sleep(0.25)
        return told


async def offer(line, first, last, t_ms=None):
    await line.outbox.accepted(line.outbox.offer([summary(i, t_ms) for i in range(first, last + 1)]))
    await line.delivered()


def states(told, *devices):
    """{unique id: state} of the entities of some devices."""
    return {entity["unique_id"]: entity["state"] for entity in told["entities"] if entity["device"] in devices}


def numbers(told, kind):
    """Numbers of the records that were written as states of entities of a kind."""
    return {attributes["seq"] for entity, state, attributes in told["written"] if entity.startswith(kind) and attributes["seq"]}


async def test_home_assistant_has_every_record_as_entities(tmp_path, mosquitto):
    (tmp_path / "ha").mkdir()
    home = Consumer(".venv-homeassistant", "home_assistant.py", tmp_path / "ha", mosquitto.port)
    async with home as core, Link(mosquitto.port) as link:
        uplink = uplink_of(mqtt, tmp_path, url="mqtt://127.0.0.1:%d" % link.port, form="homeassistant", acknowledged_by="broker", timeout_s=2)
        async with Line(tmp_path, uplink) as line:
            await offer(line, 1, 60)  # it listens to new entities only after a while
            first = await core.until(lambda told: len(states(told, "gw", "bed/0", "bed/1")) == 19 and 59 in numbers(told, "sensor"))
            link.cut()
            await line.outbox.accepted(line.outbox.offer([summary(i) for i in range(61, 461)]))
            away = await core.until(lambda told: set(states(told, "bed/0", "bed/1").values()) == {"unavailable"})
            link.heal()
            await line.delivered()
            back = await core.until(lambda told: {459, 460} <= numbers(told, "sensor"))
            uplink.form.present["bed/0"] -= 1000 * 3600
            await offer(line, 461, 461)
            last = await core.until(lambda told: not states(told, "bed/0") and 461 in numbers(told, "sensor"))
    told = {entity["unique_id"]: entity for entity in first["entities"] if entity["device"]}
    assert len(told) == 19
    bpm = next(entity for name, entity in told.items() if entity["device"] == "bed/1" and name.endswith("-minute-bpm"))
    assert bpm["state"] == str(60 + 59 % 9) and bpm["attributes"]["unit_of_measurement"] == "bpm" and bpm["via"] == "gw"
    reason = next(entity for name, entity in told.items() if entity["device"] == "bed/1" and name.endswith("-minute-reason"))
    assert reason["state"] == "minute 59" and reason["attributes"]["seq"] == 59 and reason["attributes"]["t_ms"] == summary(59).t_ms
    assert set(states(away, "bed/0", "bed/1").values()) == {"unavailable"} and "unavailable" not in states(back, "bed/1").values()
    assert set(range(61, 462)) <= numbers(last, "sensor")
    assert {i for i in range(61, 461) if summary(i).cls == "alarm"} <= numbers(last, "event")
    assert set(states(last, "gw", "bed/1")) == set(states(first, "gw", "bed/1")) and not states(last, "bed/0")  # silent for long
    assert not last["complaints"]


async def test_a_sparkplug_library_decodes_every_record(tmp_path, mosquitto):
    async with Consumer(".venv-consumers", "sparkplug.py", mosquitto.port, "heed") as host:
        uplink = uplink_of(mqtt, tmp_path, url=mosquitto.url, form="sparkplug", acknowledged_by="broker")
        async with Line(tmp_path, uplink) as line:
            await offer(line, 1, 100)
            await offer(line, 101, 149, wall_ms())
        told = await host.until(lambda told: told["kinds"][-1:] == ["NDEATH"])
    assert not told["failures"]
    records = {values[name]: (device, t_ms, old, values)
               for device, t_ms, old, values in told["records"] for name in values if name.endswith("/seq")}
    assert sorted(records) == list(range(1, 150))
    assert records[50][0] == "" and records[50][3]["gap/records"] == 50
    assert records[9][3]["minute/load"] == 9 / 8 and records[9][1] == summary(9).t_ms and records[9][2] and not records[120][2]
    assert set(told["kinds"]) == {"NBIRTH", "DBIRTH", "NDATA", "DDATA", "NDEATH"}


def test_the_cloudevents_sdk_takes_every_event():
    fields = [(seq, summary(seq).to_dict()) for seq in range(1, 101)]
    lines = [json.dumps(dict(message.properties, data=message.payload.decode()))
             for message in load("cloudevents")("gw", OPTIONS).batch(Batch("gw", "e" * 16, fields))]
    command = [python_of(".venv-consumers"), str(FOLDER / "cloudevents.py")]
    done = subprocess.run(command, input="\n".join(lines), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["data"] for event in events] == [row for _, row in fields]
    assert len({event["attributes"]["id"] for event in events}) == 100
    assert events[8]["attributes"]["subject"] == "bed/1" and events[8]["t_ms"] == NOW + 9000


async def test_thingsboard_gets_of_us_what_it_gets_of_its_own_gateway(mosquitto):
    if not (ROOT / ".cache/peer-thingsboard/stamp").exists():
        pytest.skip(".cache/peer-thingsboard is not there: make test-consumers")
    async with sync_peer.platform() as (site, port, folder), Listener(port, "v1/#") as listener:
        peer = await sync_peer.start(folder, port, 1, 20, 0)
        peer.stdin.write(b"\n")
        await site.quiet(20)
        peer.kill()
        await peer.wait()
        theirs = [(str(m.topic), json.loads(m.payload)) for m in listener.heard if str(m.topic).startswith("v1/gateway/")]
    form = load("thingsboard")("gw", OPTIONS)
    messages = form.opened() + form.batch(Batch("gw", "e" * 16, [(i, summary(i).to_dict()) for i in range(1, 21)])) + form.closing()
    ours = [(m.topic, json.loads(m.payload)) for m in messages if m.topic.startswith("v1/gateway/")]
    assert {topic: shape(told) for topic, told in theirs} == {
        topic: shape(told) for topic, told in ours if topic in dict(theirs)}, (theirs[:3], ours[:3])
    assert {"v1/gateway/connect", "v1/gateway/telemetry"} <= set(dict(theirs)) <= set(dict(ours))


def shape(told):
    """Keys and types, where names of devices and of values do not matter."""
    if "device" in told:
        return {key: type(value).__name__ for key, value in told.items()}
    return sorted({(type(entries).__name__, tuple(sorted(entry)), type(entry["ts"]).__name__, type(entry["values"]).__name__)
                   for entries in told.values() for entry in entries} if isinstance(next(iter(told.values())), list) else {"attributes"})


async def test_prometheus_reads_the_metrics(tmp_path):
    text = await scraped(tmp_path, free_port())
    code = "import sys, prometheus_client.parser as p; print(len(list(p.text_string_to_metric_families(sys.stdin.read()))))"
    done = subprocess.run([python_of(".venv-consumers"), "-c", code], input=text, capture_output=True, text=True)
    assert done.returncode == 0 and int(done.stdout) >= 8, done.stderr
    try:
        promtool = program("promtool")
    except HeedError:
        pytest.skip("promtool is not there: apt-get install prometheus")
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr, done.stderr
