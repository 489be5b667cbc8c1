"""heed bench sync: end to end through a real broker, beside a peer; kills; bytes; the hub under many gateways."""

import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from firmware_tools.bench import sync_hub, sync_peer
from firmware_tools.bench.pipeline import environment
from firmware_tools.services import Mosquitto, free_port
from gateway.core.errors import HeedError
from gateway.hub.app import store_of

# key: (gate, moonshot, whether more is better)
GATES = {"records_per_s_over_peer": (2, 5, True), "cpu_per_record_over_peer": (.5, .2, False), "lost": (0, 0, False), "doubled": (0, 0, False),
         "out_of_order": (0, 0, False), "hub_records_per_s": (10000, 20000, True), "hub_cost_1000_over_10": (1.3, 1.1, False)}
RECORDS = 20000
RATE = 4000


class Hub:
    """A hub in a process of its own; kill() and start() as often as one likes."""

    def __init__(self, folder, broker="", database=""):
        self.database = database or str(Path(folder) / "hub.db")
        self.port = free_port()
        self.command = [sys.executable, "-m", "firmware_tools", "hub", "run", "--database", self.database, "--listen",
                        "127.0.0.1:%d" % self.port] + (["--mqtt", broker] if broker else [])

    def start(self):
        """Start, and wait until it listens."""
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if not self.process.stdout.readline():
            raise HeedError("the hub does not start", " ".join(self.command))
        return self

    def kill(self):
        """SIGKILL."""
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self.start()

    def __exit__(self, *error):
        self.process.terminate()
        self.process.wait(30)

    def cpu(self):
        """CPU seconds so far."""
        fields = Path("/proc/%d/stat" % self.process.pid).read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Gateway:
    """firmware_tools.bench.sync_gateway in a process of its own."""

    def __init__(self, folder, broker):
        self.arguments = [str(folder), broker]
        self.accepted = 0

    def start(self, records, rate):
        """Start it, and let it begin."""
        self.process = subprocess.Popen([sys.executable, "-m", "firmware_tools.bench.sync_gateway", *self.arguments, str(records), str(rate)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def kill(self):
        """SIGKILL; keep the last number that it called accepted."""
        self.process.kill()
        lines = [line for line in self.process.stdout.read().splitlines(keepends=True) if line.startswith("accepted") and line.endswith("\n")]
        self.accepted = max([self.accepted, *[int(line.split()[1]) for line in lines[-1:]]])
        self.process.wait()

    def finish(self):
        """(seconds, CPU seconds) until the hub has all."""
        last = self.process.stdout.read().strip().split("\n")[-1].split()
        self.process.wait()
        if last[0] != "delivered":
            raise HeedError("the gateway of the benchmark ended early", " ".join(last))
        return float(last[1]), float(last[2])


def throughput(records):
    """(records a second, CPU seconds a record) from the first offer to the last acknowledgement of the hub."""
    with tempfile.TemporaryDirectory() as folder, Mosquitto() as broker, Hub(folder, broker.url):
        gateway = Gateway(folder, broker.url)
        gateway.start(records, 0)
        seconds, used = gateway.finish()
    return records / seconds, used / records


def judged(hub, accepted):
    """{"lost", "doubled", "out_of_order", "arrived"} of what a hub has of one gateway."""
    store = store_of(hub.database)
    store.open()
    (epoch,) = [g["epoch"] for g in store.gateways()]
    records = store.records("bench", epoch, 0, 1 << 30)
    store.close()
    numbers = [record["data"]["i"] for record in records]
    return {"lost": len(set(range(1, accepted + 1)) - set(numbers)), "doubled": len(numbers) - len(set(numbers)),
            "out_of_order": sum(b <= a for a, b in zip(numbers, numbers[1:])), "arrived": len(numbers)}


def kills(runs, outage_s, waiting, seed=1):
    """Kill gateway, broker or hub at random moments of a steady stream, then cut the broker off while records wait."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder, Mosquitto() as broker, Hub(folder, broker.url) as hub:
        gateway = Gateway(folder, broker.url)
        gateway.start(1 << 40, RATE)
        for run in range(runs):
            time.sleep(chance.uniform(0.3, 1.0))
            (gateway, broker, hub)[run % 3].kill()
            if run % 3:
                (gateway, broker, hub)[run % 3].start()
            else:
                gateway.start(1 << 40, RATE)
        gateway.kill()
        broker.kill()
        last = gateway.accepted + waiting
        gateway.process = None
        idle = outage(gateway, last, outage_s)
        broker.start()
        seconds, _ = gateway.finish()
        found = judged(hub, last)
    return dict(found, accepted=last, outage_s=outage_s, outage_cpu_share=idle, drain_s=seconds - outage_s)


def outage(gateway, last, outage_s):
    """Let `last` records gather with nobody to send them to; gives the CPU share of the second half of the outage."""
    began = time.monotonic()
    gateway.start(last, 0)
    time.sleep(outage_s / 2)
    half = used(gateway.process.pid)
    time.sleep(max(0, began + outage_s - time.monotonic()))
    return (used(gateway.process.pid) - half) / (outage_s / 2)


def used(pid):
    """CPU seconds of a process so far."""
    fields = Path("/proc/%d/stat" % pid).read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def beside_peer(rounds):
    """Both in turn, some rounds; the medians."""
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(throughput(RECORDS))
        theirs.append(asyncio.run(sync_peer.throughput(RECORDS)))
    median = lambda rows, i: statistics.median(row[i] for row in rows)  # noqa: E731
    return {"heed": {"records_per_s": median(ours, 0), "cpu_us_per_record": 1e6 * median(ours, 1)},
            "thingsboard-gateway 3.8.5, sqlite": {"records_per_s": median(theirs, 0), "cpu_us_per_record": 1e6 * median(theirs, 1)}}


def measure(quick):
    """The benchmark's one object."""
    began = time.monotonic()
    baselines = beside_peer(1 if quick else 3)
    ours, peer = baselines.values()
    killed = kills(6 if quick else 20, 3 if quick else 600, 10000 if quick else 100000)
    lost = asyncio.run(sync_peer.kills(3 if quick else 20))
    figures = {"records_per_s_over_peer": ours["records_per_s"] / peer["records_per_s"],
               "cpu_per_record_over_peer": ours["cpu_us_per_record"] / peer["cpu_us_per_record"], "kills": 6 if quick else 20,
               "peer_kills": 3 if quick else 20, "peer_taken": lost["taken"], "peer_lost": lost["lost"], "peer_doubled": lost["doubled"],
               **killed, **sync_hub.measure(quick)}
    gates = [{"key": key, "value": figures[key], "gate": gate, "moonshot": moon,
              "met": bool(figures[key] >= gate if more else figures[key] <= gate)} for key, (gate, moon, more) in GATES.items()]
    return {"bench": "sync", "figures": figures, "gates": gates, "baselines": baselines, "environment": environment(),
            "seconds": time.monotonic() - began}
