"""Kills a process that accepts records, for real and at random moments, and counts what is missing afterwards."""

import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from gateway.core.compat import Clock
from gateway.core.outbox import Outbox
from gateway.core.records import Summary
from gateway.store import SqliteStorage

LIMITS = {"event": (1 << 30, "reject")}
LONGEST_S = 0.6


async def accept(path):
    """Offer records without end; print each sequence number once it is accepted."""
    outbox = Outbox(SqliteStorage(path), LIMITS, Clock)
    await outbox.open()
    asyncio.ensure_future(outbox.run(lambda: None))
    told = outbox.accepted_seq
    while True:
        ticket = outbox.offer([Summary("s", "event", "event", Clock.wall_ms(), "a record", {"told": told}) for _ in range(20)])
        await outbox.accepted(ticket)
        sys.stdout.write("%d\n" % ticket)
        sys.stdout.flush()
        told = ticket


def run_once(path, seconds):
    """Start the process, kill it with SIGKILL after a while, give the last number it called accepted."""
    process = subprocess.Popen([sys.executable, "-m", "firmware_tools.bench.kill", str(path)], stdout=subprocess.PIPE, text=True)
    first = process.stdout.readline()
    time.sleep(seconds)
    process.kill()
    lines = [first, *process.stdout.read().splitlines(keepends=True)]
    process.wait()
    return int([line for line in lines if line.endswith("\n")][-1])


async def stored(path):
    """All sequence numbers on disk, in order; each record is read whole."""
    storage = SqliteStorage(path)
    await storage.open()
    rows = await storage.read(0, 1 << 30)
    await storage.close()
    return [seq for seq, _, text in rows if json.loads(text)["reason"]]


def kill_runs(runs, seed=1):
    """{"kill_runs", "kill_lost", "accepted"} over `runs` kills of one growing outbox."""
    rng, lost, accepted = random.Random(seed), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "outbox.db")
        for _ in range(runs):
            accepted = run_once(path, rng.uniform(0, LONGEST_S))
            found = asyncio.run(stored(path))
            lost += len(set(range(1, accepted + 1)) - set(found)) + (found != sorted(found))
    return {"kill_runs": runs, "kill_lost": lost, "accepted": accepted}


if __name__ == "__main__":
    asyncio.run(accept(sys.argv[1]))
