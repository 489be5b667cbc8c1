"""A line that is cut anywhere, over both protocols: all arrives, once, in order; and what a hub must not swallow."""

import asyncio
import gzip
import os
import random

import pytest

from firmware_tools.link import Link
from gateway.core.errors import Rejected
from gateway.hub.ingest import MAX_PACKED
from gateway.uplinks import http, mqtt
from tests.hub.test_hub import Line, arrived, broker_options, started, uplink_of
from tests.services import mosquitto  # noqa: F401  fixture


async def cut_at_random(link, line, seed, records):
    """Cut and heal while records flow; some cuts fall into the middle of a batch."""
    chance, first = random.Random(seed), 1
    while first < records:
        await line.offer(first, min(records, first + 399))
        first += 400
        await asyncio.sleep(chance.uniform(0, .03))
        link.cut()
        await asyncio.sleep(chance.uniform(0, .03))
        link.heal()
    await line.delivered()


@pytest.mark.parametrize("seed", range(3))
async def test_http_over_a_line_that_is_cut(tmp_path, seed):
    hub = await started(tmp_path)
    async with Link(hub.port) as link, Line(tmp_path, uplink_of(http, tmp_path, url="http://127.0.0.1:%d/v1/batches" % link.port)) as line:
        await cut_at_random(link, line, seed, 8000)
    assert arrived(hub.ingest.store) == list(range(1, 8001))
    await hub.stop()


@pytest.mark.parametrize("seed", range(3))
async def test_mqtt_over_a_line_that_is_cut(tmp_path, mosquitto, seed):  # noqa: F811
    hub = await started(tmp_path, broker=broker_options(mosquitto.url))
    async with Link(mosquitto.port) as link:
        async with Line(tmp_path, uplink_of(mqtt, tmp_path, url="mqtt://127.0.0.1:%d" % link.port, timeout_s=1)) as line:
            await cut_at_random(link, line, seed, 4000)
    assert arrived(hub.ingest.store) == list(range(1, 4001))
    await hub.stop()


@pytest.mark.parametrize("module", [http, mqtt])
async def test_acknowledgements_that_were_lost_hold_nobody_up(tmp_path, mosquitto, module):  # noqa: F811
    hub = await started(tmp_path, broker=broker_options(mosquitto.url))
    url = mosquitto.url if module is mqtt else "http://127.0.0.1:%d/v1/batches" % hub.port
    async with Line(tmp_path, uplink_of(module, tmp_path, url=url)) as line:
        async def forget(uplink, seq):
            pass
        line.outbox.acknowledge = forget
        await line.offer(1, 1000)
        while hub.ingest.store.totals()[0] < 1000:
            await asyncio.sleep(.02)
    async with Line(tmp_path, uplink_of(module, tmp_path, url=url)) as line:
        assert line.outbox.marks["hub"] == 0
        await line.offer(1001, 1100)
        await line.delivered()
        assert line.sender.uplink.context.counters == {} and line.supervisor.children[1].restarts == 0
    assert arrived(hub.ingest.store) == list(range(1, 1101))
    await hub.stop()


async def test_the_last_will_says_that_a_gateway_is_gone(tmp_path, mosquitto):  # noqa: F811
    from gateway import mqtt as line
    client, _ = await line.connect(broker_options(mosquitto.url), "watcher")
    await line.subscribe(client, "heed/v1/+/state")
    said = []

    async def note(topic, payload):
        said.append((topic, payload))

    listening = asyncio.ensure_future(line.listen(client, note))
    async with Link(mosquitto.port) as link:
        uplink = uplink_of(mqtt, tmp_path, url="mqtt://127.0.0.1:%d" % link.port)
        await uplink.open()
    while len(said) < 2:
        await asyncio.sleep(.02)
    assert said == [("heed/v1/gw/state", b"online"), ("heed/v1/gw/state", b"offline")]
    await uplink.close()
    listening.cancel()
    await line.disconnect(client)


@pytest.mark.parametrize("payload", [os.urandom(MAX_PACKED + 1), gzip.compress(b" " * (64 << 20))])
async def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path, payload):
    hub = await started(tmp_path)
    with pytest.raises(Rejected) as caught:
        await hub.ingest.take(payload)
    assert "bytes" in caught.value.message and hub.ingest.counters["refused"] == 1
    await hub.stop()
