"""The hub under many gateways, into PostgreSQL; and how much less than raw data goes up."""

import asyncio
import tempfile
import time
from pathlib import Path

import aiohttp

from firmware_tools.bench.sync_gateway import summary
from firmware_tools.bench.sync_processes import Hub as Process
from firmware_tools.recordings import ecg_folder
from firmware_tools.services import Postgres
from gateway import app, config
from gateway.core.batch import Batch
from gateway.forms import compress, envelope
from gateway.hub.app import Hub
from models.package import names

BATCH = 100
AT_ONCE = 64
RAW_BYTES = 2  # of one sample: 11 or 12 bits in 16
SETTINGS = """
[gateway]
data = '%s'
[[sensor]]
name = "bed"
kind = "replay"
feeds = "ecg"
options = { record = '%s', speed = 0.0 }
[[plugin]]
name = "ecg"
kind = "ecg"
model = "ecg"
[[uplink]]
name = "hub"
kind = "http"
options = { url = "http://127.0.0.1:%d/v1/batches" }
"""


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


async def ecg_bytes(folder, record):
    """Bytes that went up for half an hour of one lead, over its raw bytes."""
    hub = Hub(str(Path(folder) / "hub.db"), ("127.0.0.1", 0))
    await hub.start()
    chosen, faults = config.check_text(SETTINGS % (Path(folder) / "gateway", record, hub.port), "bench", names())
    assert not faults, [str(fault) for fault in faults]
    gateway = app.Gateway(chosen)
    await gateway.run(until_end=True)
    await hub.stop()
    (reader,) = [runner for runner in gateway.runners if hasattr(runner, "sensor")]
    return hub.ingest.counters["bytes"] / (reader.counters["samples"] * RAW_BYTES)


def measure(quick):
    """Figures of the hub and of the bytes."""
    figures = postgres(100000 if quick else 400000)
    root = ecg_folder()
    with tempfile.TemporaryDirectory() as folder:
        figures["bytes_over_raw_ecg"] = asyncio.run(ecg_bytes(folder, root / "mitdb" / "200"))
    return figures
