"""The promise, end to end: what a gateway's outbox accepted arrives at the hub, once, in order, whatever is killed."""

import asyncio
import gzip
import json

import aiohttp
import pytest

from firmware_tools import services
from gateway.context import GatewayContext
from gateway.core.compat import Clock
from gateway.core.errors import NotConnected
from gateway.core.outbox import Outbox
from gateway.core.records import Summary
from gateway.core.sender import Sender
from gateway.core.supervisor import Supervisor
from gateway.hub.app import Hub
from gateway.store import SqliteStorage
from gateway.uplinks import http, mqtt
from tests.services import installed, mosquitto, postgres  # noqa: F401  fixtures

LIMITS = {cls: (1 << 28, "drop_oldest") for cls in ("alarm", "event", "digest")}


def uplink_of(module, folder, gateway="gw", **given):
    options = {name: spec.get("default") for name, spec in module.MANIFEST["options"].items()}
    return module.PLUGIN(dict(options, **given), GatewayContext("hub", folder, gateway))


def summary(i):
    cls = ("digest", "event", "alarm")[i % 3]
    data = {"i": i, "beats": 60 + i % 7} if i % 2 else {"i": i, "list": [1, 2], "word": "ä\0\n"}
    return Summary("bed/%d" % (i % 2), "minute", cls, i * 1000, "record %d" % i, data)


class Line:
    """An outbox on disk and its sender, in this loop."""

    def __init__(self, folder, uplink, gateway="gw"):
        self.outbox = Outbox(SqliteStorage(str(folder / (gateway + ".db"))), LIMITS, Clock, gateway, ["hub"], commit_ms=1)
        self.sender = Sender("hub", self.outbox, uplink)
        self.supervisor = Supervisor(Clock, lambda level, message: None, first_ms=20, cap_ms=100)

    async def __aenter__(self):
        await self.outbox.open()
        self.supervisor.add("outbox", self.outbox.run)
        self.supervisor.add("hub", self.sender.run)
        self.supervisor.start()
        return self

    async def __aexit__(self, *error):
        await self.supervisor.stop()
        await self.outbox.close()

    async def offer(self, first, last):
        await self.outbox.accepted(self.outbox.offer([summary(i) for i in range(first, last + 1)]))

    async def delivered(self, limit_s=30):
        await asyncio.wait_for(self.outbox.delivered(), limit_s)

    @property
    def reason(self):
        return self.supervisor.children[1].reason


def arrived(store, gateway="gw"):
    """data["i"] of all records of a gateway, in order of their numbers."""
    (epoch,) = [g["epoch"] for g in store.gateways() if g["gateway"] == gateway]
    return [record["data"]["i"] for record in store.records(gateway, epoch, 0, 1000000)]


async def started(folder, **given):
    hub = Hub(given.pop("database", str(folder / "hub.db")), ("127.0.0.1", 0), **given)
    await hub.start()
    return hub


def broker_options(url):
    return {"url": url, "user": "", "password_env": "NONE", "ca_file": "", "cert_file": "", "key_file": "", "timeout_s": 5}


async def test_http_from_outbox_to_hub_and_every_record_as_it_was(tmp_path):
    hub = await started(tmp_path)
    async with Line(tmp_path, uplink_of(http, tmp_path, url="http://127.0.0.1:%d/v1/batches" % hub.port)) as line:
        await line.offer(1, 500)
        await line.delivered()
        records = await hub.ingest.ask(hub.ingest.store.records, "gw", line.outbox.epoch, 0, 1000)
    await hub.stop()
    assert [r["seq"] for r in records] == list(range(1, 501))
    for record in records[:20]:
        assert {name: record[name] for name in Summary.FIELDS} == summary(record["seq"]).to_dict()


async def test_mqtt_from_outbox_to_hub_over_a_broker_that_is_killed(tmp_path, mosquitto):
    hub = await started(tmp_path, broker=broker_options(mosquitto.url))
    async with Line(tmp_path, uplink_of(mqtt, tmp_path, url=mosquitto.url, timeout_s=1)) as line:
        for round in range(3):
            await line.offer(round * 2000 + 1, round * 2000 + 2000)
            mosquitto.kill()
            await asyncio.sleep(0.1)
            mosquitto.start()
        await line.delivered()
    assert arrived(hub.ingest.store) == list(range(1, 6001))
    await hub.stop()


async def test_mqtt_over_a_second_broker_that_has_3_1_1_only(tmp_path):
    with installed(services.Nats, "nats-server") as nats:
        hub = await started(tmp_path, broker=broker_options(nats.url))
        async with Line(tmp_path, uplink_of(mqtt, tmp_path, url=nats.url)) as line:
            await line.offer(1, 1000)
            await line.delivered()
        assert arrived(hub.ingest.store) == list(range(1, 1001))
        await hub.stop()


async def test_a_hub_that_is_away_and_comes_back_with_its_file(tmp_path, mosquitto):
    async with Line(tmp_path, uplink_of(mqtt, tmp_path, url=mosquitto.url, timeout_s=0.3)) as line:
        await line.offer(1, 1000)
        await asyncio.sleep(0.6)
        assert line.outbox.marks["hub"] == 0 and "no acknowledgement" in line.reason
        for first in (1001, 2001):
            hub = await started(tmp_path, broker=broker_options(mosquitto.url))
            await line.offer(first, first + 999)
            await line.delivered()
            await hub.stop()
    hub = await started(tmp_path)
    assert arrived(hub.ingest.store) == list(range(1, 3001))
    await hub.stop()


async def test_many_gateways_into_postgresql_by_three_workers_one_of_them_stopped(tmp_path, mosquitto, postgres):
    hubs = [await started(tmp_path, database=postgres.url, broker=broker_options(mosquitto.url), name="worker-%d" % i, group="ingest")
            for i in range(3)]
    names = ["gw-%d" % i for i in range(4)]
    lines = [Line(tmp_path, uplink_of(mqtt, tmp_path, name, url=mosquitto.url, timeout_s=1), name) for name in names]
    for line in lines:
        await line.__aenter__()
        await line.offer(1, 1500)
    hubs[0].supervisor.children[1].task.cancel()  # gone without a goodbye, with batches in its hands
    hubs[0].supervisor.children[0].task.cancel()
    for line in lines:
        await line.offer(1501, 3000)
        await line.delivered()
        await line.__aexit__()
    shares = [hub.ingest.counters["records"] for hub in hubs]
    for name in names:
        assert arrived(hubs[1].ingest.store, name) == list(range(1, 3001))
    assert shares[1] > 0 and shares[2] > 0
    for hub in hubs[1:]:
        await hub.stop()
    hubs[0].ingest.store.close()
    await hubs[0].site.stop()


@pytest.mark.parametrize("body, status", [
    (b"hello", 422), (gzip.compress(b"{}"), 422), (gzip.compress(b'{"v": 2}'), 422), (gzip.compress(b"[" * 100000), 422),
    (gzip.compress(b" " * (9 << 20)), 422), (b"x" * (3 << 20), 413), (b"\x1f\x8bbroken", 422), (b"\x28\xb5\x2f\xfdbroken", 422)])
async def test_a_hub_refuses_what_is_no_envelope_and_goes_on(tmp_path, body, status):
    hub = await started(tmp_path, token="secret")
    url = "http://127.0.0.1:%d/v1/batches" % hub.port
    async with aiohttp.ClientSession() as session:
        async with session.post(url, data=body) as answer:
            assert answer.status == 401
        async with session.post(url, data=body, headers={"Authorization": "Bearer secret"}) as answer:
            assert answer.status == status and (status == 413 or (await answer.json())["error"])
    assert hub.ingest.store.totals() == (0, 0)
    await hub.stop()


async def test_a_disk_that_is_full_acknowledges_nothing(tmp_path):
    hub = await started(tmp_path)
    await hub.ingest.ask(hub.ingest.store._do, "PRAGMA max_page_count=30")
    async with Line(tmp_path, uplink_of(http, tmp_path, url="http://127.0.0.1:%d/v1/batches" % hub.port)) as line:
        await line.offer(1, 3000)
        await asyncio.sleep(1)
        mark = line.outbox.marks["hub"]
        assert mark < 3000 and "full" in hub.ingest.fault
        assert len(arrived(hub.ingest.store)) >= mark if mark else True
        await hub.ingest.ask(hub.ingest.store._do, "PRAGMA max_page_count=100000")
        await line.delivered()
    assert arrived(hub.ingest.store) == list(range(1, 3001))
    await hub.stop()


async def test_an_uplink_believes_no_acknowledgement_of_what_was_never_sent(tmp_path, mosquitto):
    from gateway import mqtt as line
    from gateway.core.batch import Batch
    from gateway.forms import Message
    hub, _ = await line.connect(broker_options(mosquitto.url), "liar")
    uplink = uplink_of(mqtt, tmp_path, url=mosquitto.url, timeout_s=2)
    await uplink.open()
    for payload in (b"hello", json.dumps({"epoch": "e" * 16, "acknowledged": 99}).encode()):
        await uplink.send(Batch("gw", "e" * 16, [(1, summary(1).to_dict())]))
        await line.publish(hub, Message("heed/v1/gw/ack", payload))
        with pytest.raises(NotConnected) as caught:
            await uplink.settle()
        assert "hub" in caught.value.message
    assert uplink.context.counters["nonsense_answers"] == 2 and uplink.acknowledged == 0
    await uplink.close()
    await line.disconnect(hub)


async def test_a_hub_does_not_begin_on_a_file_that_is_none(tmp_path):
    (tmp_path / "hub.db").write_bytes(b"not a database" * 1000)
    with pytest.raises(NotConnected) as caught:
        await started(tmp_path)
    assert "not a database" in caught.value.message and (tmp_path / "hub.db").read_bytes() == b"not a database" * 1000


async def test_a_hub_whose_file_is_bent_while_it_runs_acknowledges_nothing_more(tmp_path):
    hub = await started(tmp_path)
    async with Line(tmp_path, uplink_of(http, tmp_path, url="http://127.0.0.1:%d/v1/batches" % hub.port)) as line:
        await line.offer(1, 1000)
        await line.delivered()
        await hub.ingest.ask(hub.ingest.store._do, "PRAGMA wal_checkpoint(TRUNCATE)")
        await hub.ingest.ask(hub.ingest.store._do, "PRAGMA cache_size=0")
        data = (tmp_path / "hub.db").read_bytes()
        (tmp_path / "hub.db").write_bytes(data[:4096] + b"\xff" * (len(data) - 4096))
        await line.offer(1001, 1100)
        await asyncio.sleep(1.5)
        assert line.outbox.marks["hub"] == 1000 and "malformed" in hub.ingest.fault and "503" in line.reason
        assert sum(line.outbox.quota.records.values()) == 100
    await hub.stop()
