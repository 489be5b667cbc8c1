"""heed bench pipeline: what the whole path costs over its bare parts, how many streams a core carries, what is kept."""

import asyncio
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path

from firmware_tools.bench.kill import kill_runs
from gateway import app, config, data
from gateway.context import GatewayContext
from gateway.core.compat import Clock
from gateway.core.outbox import Outbox
from gateway.core.records import Features, Summary
from gateway.store import SqliteStorage
from models.attention import PackageModel
from models.package import names
from plugins.ecg.beats import BeatMaker
from plugins.ecg.qrs import QrsDetector
from sensors.wfdb_record import WfdbRecord

# key: (gate, moonshot, whether more is better)
GATES = {"path_over_bare": (2.0, 1.3, False), "streams_realtime_per_core": (300, 1000, True), "stream_cost_100_over_1": (1.5, 1.1, False),
         "rss_mb": (120, 80, False), "first_inference_s": (2.0, 1.0, False), "outbox_records_per_s": (10000, 20000, True),
         "kill_lost": (0, 0, False)}
SENSOR = """[[sensor]]
name = "s%d"
kind = "replay"
feeds = "ecg"
options = { record = '%s', start_s = %d, duration_s = %s, speed = %s, loop = %s }
"""
REST = """[gateway]
name = "bench"
data = '%s'
[[plugin]]
name = "ecg"
kind = "ecg"
model = "ecg"
[[uplink]]
name = "file"
kind = "file"
"""
BLOCK_S = 0.5


def record_path():
    """A real recording: MIT-BIH 200, or the demo's five minutes. Fetches the latter where neither is here."""
    return str(data.find("ecg/mitdb/200") or data.find("ecg/demo/208demo") or data.fetch("ecg/demo") / "208demo")


def settings(folder, streams, seconds, speed=0, loop="false"):
    """Settings of a gateway with so many streams of so many seconds."""
    path = record_path()
    return REST % folder + "".join(SENSOR % (i, path, i % 60, seconds, speed, loop) for i in range(streams))


def gateway_cpu(streams, seconds):
    """(CPU seconds, inferences) of a whole gateway run: samples from disk to accepted and delivered summaries."""
    with tempfile.TemporaryDirectory() as folder:
        chosen, faults = config.check_text(settings(folder, streams, seconds), "bench", names())
        if faults:
            raise RuntimeError(str(faults[0]))
        began = time.process_time()
        gateway = app.serve(chosen, until_end=True)
        return time.process_time() - began, gateway.pipelines[0].counters["inferences"]


def bare_cpu(seconds):
    """(CPU seconds, inferences) of preprocessing and model called in a loop, nothing around them."""
    model = PackageModel({"package": "ecg"}, GatewayContext("bare", "."))
    model.load()
    record = WfdbRecord(record_path())
    n, index = int(BLOCK_S * record.rate_hz), record.lead("")
    samples = record.read(0, int(seconds * record.rate_hz))[:, index]
    detector, maker, count = QrsDetector(record.rate_hz), BeatMaker(record.rate_hz), 0
    began = time.process_time()
    for at in range(0, len(samples), n):
        values = samples[at:at + n]
        for r, token, facts in maker.push(values, detector.push(values)):
            model.infer(Features("s", r, 0, list(token), facts))
            count += 1
    return time.process_time() - began, count


def path_over_bare(seconds, rounds):
    """Ratio of the best of some rounds, taken in turn. What a start costs is taken off by a second, shorter run."""
    ratios, bare_us = [], []
    for _ in range(rounds):
        whole, beats = gateway_cpu(1, seconds)
        start, few = gateway_cpu(1, 10)
        bare, bare_beats = bare_cpu(seconds)
        ratios.append((whole - start) / max(1, beats - few) / (bare / bare_beats))
        bare_us.append(1e6 * bare / bare_beats)
    return min(ratios), min(bare_us)


def stream_costs(counts, seconds):
    """{streams: CPU seconds per stream and second of signal}, the cost of starting taken off."""
    costs = {}
    for n in counts:
        span = max(seconds, 1800 // n if n < 10 else seconds)
        span = min(span, 240)
        costs[n] = min((gateway_cpu(n, span)[0] - gateway_cpu(n, 4)[0]) / n / (span - 4) for _ in range(2))
    return costs


def footprint(seconds):
    """Resident memory and time to the first inference of a real process with one stream."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "heed.toml"
        path.write_text(settings(folder, 1, 0, speed=20, loop="true"))
        out = subprocess.run([sys.executable, "-m", "firmware_tools.bench.first", str(path), str(seconds), repr(time.time())],
                             capture_output=True, text=True, timeout=120)
        return json.loads(out.stdout.strip().splitlines()[-1])


async def outbox_rate(records, batch=100):
    """Accepted records a second when each batch waits for its commit."""
    with tempfile.TemporaryDirectory(dir=".") as folder:
        outbox = Outbox(SqliteStorage(str(Path(folder) / "outbox.db")), {"event": (1 << 30, "reject")}, Clock, commit_records=batch)
        await outbox.open()
        running = asyncio.ensure_future(outbox.run(lambda: None))
        summaries = [Summary("s", "event", "event", 0, "a record of usual length, some words", {"beats": "NNNNVNNN"})] * batch
        began = time.monotonic()
        for _ in range(records // batch):
            await outbox.accepted(outbox.offer(summaries))
        rate = records / (time.monotonic() - began)
        running.cancel()
        await outbox.close()
        return rate


def environment():
    """What the figures were measured on."""
    return {"python": platform.python_version(), "machine": platform.machine(), "cpus": os.cpu_count(),
            "ai-edge-litert": metadata.version("ai-edge-litert"), "numpy": metadata.version("numpy"), "record": Path(record_path()).name}


def measure(quick):
    """The benchmark's one object."""
    began = time.monotonic()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    ratio, bare_us = path_over_bare(400 if quick else 1500, 2 if quick else 3)
    costs = stream_costs((1, 10, 100) if quick else (1, 10, 100, 300), 8 if quick else 24)
    figures = {"path_over_bare": ratio, "streams_realtime_per_core": 1 / costs[max(costs)],
               "stream_cost_100_over_1": costs[100] / costs[1], "streams_tried": max(costs)}
    small = footprint(3 if quick else 8)
    figures.update(rss_mb=small["rss_mb"], first_inference_s=small["first_s"])
    figures["outbox_records_per_s"] = asyncio.run(outbox_rate(2000 if quick else 20000))
    figures.update(kill_runs(4 if quick else 20))
    gates = [{"key": key, "value": figures[key], "gate": gate, "moonshot": moon,
              "met": figures[key] >= gate if more else figures[key] <= gate} for key, (gate, moon, more) in GATES.items()]
    return {"bench": "pipeline", "figures": figures, "gates": gates,
            "baselines": {"bare": {"us_per_beat": bare_us},
                          "cpu_ms_per_stream_second": {"%d streams" % n: 1000 * cost for n, cost in costs.items()}},
            "environment": environment(), "seconds": time.monotonic() - began}
