"""A gateway's outbox and MQTT uplink in a process of their own, fed with records: what the sync benchmark kills.

    python -m firmware_tools.bench.sync_gateway FOLDER BROKER RECORDS RATE

Prints "ready", waits for a line; then offers RECORDS records, numbered on from what the outbox holds, at RATE a second (0 = as fast
as they are accepted), prints "accepted N" once N is on disk, and "delivered SECONDS CPU-SECONDS" once the hub has all.
"""

import asyncio
import resource
import sys
import time
from pathlib import Path

from gateway.context import GatewayContext
from gateway.core.compat import Clock
from gateway.core.outbox import Outbox
from gateway.core.records import Summary
from gateway.core.sender import Sender
from gateway.core.supervisor import Supervisor
from gateway.store import SqliteStorage
from gateway.uplinks import mqtt

NAME = "bench"
LIMITS = {"digest": (1 << 31, "reject")}
CHUNK = 500


def summary(i):
    """One record with the same values as the peer's event."""
    return Summary("bed", "minute", "digest", 1700000000000 + i, "72/min, 72 beats, all normal; signal good", {"i": i, "beats": 60 + i % 7})


def cpu():
    """CPU seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def parts(folder, broker):
    """(outbox, supervisor) of a gateway whose uplink is `broker`."""
    options = {name: spec.get("default") for name, spec in mqtt.MANIFEST["options"].items()}
    uplink = mqtt.MqttUplink(dict(options, url=broker, timeout_s=2), GatewayContext("hub", folder, NAME))
    outbox = Outbox(SqliteStorage(str(Path(folder) / "outbox.db")), LIMITS, Clock, NAME, ["hub"])
    supervisor = Supervisor(Clock, lambda level, message: None, cap_ms=1000)
    supervisor.add("outbox", outbox.run)
    supervisor.add("hub", Sender("hub", outbox, uplink, limit=CHUNK).run)
    return outbox, supervisor


async def offer(outbox, records, rate):
    """Offer records until there are `records` in this epoch; say each time what is accepted."""
    began, first = time.monotonic(), outbox.accepted_seq + 1
    chunk = CHUNK if not rate else max(1, rate // 50)
    for i in range(first, records + 1, chunk):
        outbox.offer([summary(n) for n in range(i, min(i + chunk, records + 1))])
        await outbox.room()
        print("accepted", outbox.accepted_seq, flush=True)
        if rate:
            await asyncio.sleep(max(0, began + (i - first) / rate - time.monotonic()))


async def main(folder, broker, records, rate):
    """Run to the end, or until killed."""
    outbox, supervisor = parts(folder, broker)
    await outbox.open()
    supervisor.start()
    await supervisor.until(lambda: supervisor.children[1].state != "starting")
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    before, began = cpu(), time.monotonic()
    await offer(outbox, int(records), int(rate))
    await outbox.delivered()
    print("delivered", time.monotonic() - began, cpu() - before, flush=True)
    await supervisor.stop()
    await outbox.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
