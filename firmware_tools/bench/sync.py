"""heed bench sync: end to end through a real broker, beside a peer; kills; bytes; the hub under many gateways."""

import asyncio
import random
import statistics
import tempfile
import time
from contextlib import ExitStack

from firmware_tools.bench import sync_hub, sync_peer
from firmware_tools.bench.pipeline import environment
from firmware_tools.bench.sync_processes import Gateway, Hub, used
from firmware_tools.services import Mosquitto, Postgres
from gateway.hub.app import store_of

# key: (gate, moonshot, whether more is better)
GATES = {"records_per_s_over_peer": (2, 5, True), "cpu_per_record_over_peer": (.5, .2, False), "lost": (0, 0, False), "doubled": (0, 0, False),
         "out_of_order": (0, 0, False), "workers_lost": (0, 0, False), "workers_doubled": (0, 0, False),
         "hub_records_per_s": (10000, 20000, True), "hub_cost_1000_over_10": (1.3, 1.1, False)}
RECORDS = 20000
RATE = 4000


def throughput(records):
    """(records a second, CPU seconds a record) from the first offer to the last acknowledgement of the hub."""
    with tempfile.TemporaryDirectory() as folder, Mosquitto() as broker, Hub(folder, broker.url):
        gateway = Gateway(folder, broker.url)
        gateway.start(records, 0)
        seconds, cpu = gateway.finish()
    return records / seconds, cpu / records


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


def workers(records):
    """Three hub workers share a broker's load and one PostgreSQL; one of them is killed half way."""
    with tempfile.TemporaryDirectory() as folder, Mosquitto() as broker, Postgres() as database, ExitStack() as all_of:
        hubs = [all_of.enter_context(Hub(folder, broker.url, database.url, ("--group", "ingest", "--name", "worker-%d" % i))) for i in range(3)]
        gateway = Gateway(folder, broker.url)
        gateway.start(records, RATE)
        time.sleep(records / RATE / 2)
        hubs[0].kill()
        gateway.finish()
        found = judged(hubs[1], records)
    return {"workers": 3, "workers_killed": 1, "workers_lost": found["lost"], "workers_doubled": found["doubled"]}


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
               **killed, **workers(12000), **sync_hub.measure(quick)}
    gates = [{"key": key, "value": figures[key], "gate": gate, "moonshot": moon,
              "met": bool(figures[key] >= gate if more else figures[key] <= gate)} for key, (gate, moon, more) in GATES.items()]
    return {"bench": "sync", "figures": figures, "gates": gates, "baselines": baselines, "environment": environment(),
            "seconds": time.monotonic() - began}
