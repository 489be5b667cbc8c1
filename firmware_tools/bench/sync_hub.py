"""The hub under many gateways, into PostgreSQL; and how much less than raw data goes up."""

import asyncio
import tempfile
import time
from pathlib import Path

import aiohttp

from firmware_tools.bench.sync_gateway import summary
from firmware_tools.bench.sync_processes import Hub as Process
from firmware_tools.services import Postgres
from gateway import app, config, data
from gateway.core.batch import Batch
from gateway.forms import compress, envelope
from gateway.hub.app import Hub
from models.package import names

BATCH = 100
AT_ONCE = 64
SETTINGS = """
[gateway]
data = '%s'
[[sensor]]
name = "source"
feeds = "domain"
%s
[[plugin]]
name = "domain"
%s
[[uplink]]
name = "hub"
kind = "http"
options = { url = "http://127.0.0.1:%d/v1/batches" }
"""
LEAD = ("mitdb/200", 650000 * 2)  # half an hour at 360 Hz, 11 bits in two bytes
DAY = ("traffic/pems08/pems08_flow.npz", 170 * 288 * 2)  # a day of counts, each in two bytes
CLIP = "vision/video/car-detection.mp4"  # half a minute, as compressed as it is


def payloads(gateway, batches):
    """Envelopes of one gateway, in order."""
    for first in range(1, batches * BATCH, BATCH):
        records = [(seq, summary(seq).to_dict()) for seq in range(first, first + BATCH)]
        yield compress.pack("gzip", envelope.dumps(Batch("gw-%d" % gateway, "e" * 16, records)))


async def post_all(session, url, queue, room):
    """Send one gateway's batches, the next after the answer to the last."""
    for payload in queue:
        async with room, session.post(url, data=payload) as answer:
            assert answer.status == 200, await answer.text()


async def load(port, gateways, records):
    """Records a second of so many gateways at once."""
    queues = [list(payloads(n, records // BATCH // gateways)) for n in range(gateways)]
    room, url = asyncio.Semaphore(AT_ONCE), "http://127.0.0.1:%d/v1/batches" % port
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE)) as session:
        began = time.monotonic()
        await asyncio.gather(*[post_all(session, url, queue, room) for queue in queues])
        return sum(map(len, queues)) * BATCH / (time.monotonic() - began)


def postgres(records):
    """Records a second at 1,000 gateways, and the hub's CPU a record there over that at 10."""
    cost, rate = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for gateways in (10, 1000):
            with Postgres() as database, Process(folder, database=database.url) as hub:
                asyncio.run(load(hub.port, gateways, gateways * BATCH))  # connections and tables are warm
                before = hub.cpu()
                rate[gateways] = asyncio.run(load(hub.port, gateways, records))
                cost[gateways] = hub.cpu() - before
    return {"hub_records_per_s": rate[1000], "hub_records_per_s_10": rate[10], "hub_cost_1000_over_10": cost[1000] / cost[10]}


async def upstream(sensor, plugin):
    """Bytes that go up for a recording, compressed as they are; sensor, plugin: what their tables hold beside the names."""
    with tempfile.TemporaryDirectory() as folder:
        hub = Hub(str(Path(folder) / "hub.db"), ("127.0.0.1", 0))
        await hub.start()
        chosen, faults = config.check_text(SETTINGS % (Path(folder) / "gateway", sensor, plugin, hub.port), "bench", names())
        assert not faults, [str(fault) for fault in faults]
        await app.Gateway(chosen).run(until_end=True)
        await hub.stop()
    return hub.ingest.counters["bytes"]


def over_raw():
    """Bytes upstream over the bytes of the recording, for each domain whose recording is here."""
    figures, clip = {}, data.find(CLIP)
    day = "file = '%s', start = \"2016-08-26 00:00\", hours = 24.0, speed = 0.0"
    domains = {"ecg": ("ecg", data.find("ecg/" + LEAD[0]), LEAD[1], "replay", "record = '%s', speed = 0.0", ""),
               "traffic": ("traffic", data.find(DAY[0]), DAY[1], "series", day, ""),
               "traffic_without_forecasts": ("traffic", data.find(DAY[0]), DAY[1], "series", day, "forecasts = false"),
               "vision": ("vision", clip, clip and clip.stat().st_size, "video", "file = '%s', speed = 0.0", "")}
    for name, (domain, path, raw, kind, options, chosen) in domains.items():
        if path:
            sensor = 'kind = "%s"\noptions = { %s }' % (kind, options % path)
            plugin = 'kind = "%s"\nmodel = "%s"\noptions = { %s }' % (domain, domain, chosen)
            figures["bytes_over_raw_" + name] = asyncio.run(upstream(sensor, plugin)) / raw
    return figures


def measure(quick):
    """Figures of the hub and of the bytes."""
    return {**postgres(100000 if quick else 400000), **over_raw()}
