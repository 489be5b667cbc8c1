"""What the gateway says of itself: states and counters of every part, written to a file about each second."""

import json
import os
from pathlib import Path

from gateway.core.compat import Clock, wall_ms
from gateway.core.errors import HeedError
from gateway.horizon import Horizon

FILE = "status.json"
EVERY_MS = 1000
STALE_MS = 10000


class Status:
    """sources: {part name: function that gives its counters as a dict}; notes: {part name: function that says in words what
    holds it up though it works}; fault: what went wrong at the start, in words."""

    fault = ""

    def __init__(self, folder, supervisor, outbox, sources, notes):
        self.path = Path(folder) / FILE
        self.supervisor = supervisor
        self.outbox = outbox
        self.sources = sources
        self.notes = notes
        self.energy = None  # function that gives what the governor shows
        self.started_ms = wall_ms()
        self.horizon = Horizon(outbox.quota, outbox.clock.ticks_ms)

    def snapshot(self):
        """States and counters as a JSON-safe dict."""
        parts = [{"name": child.name, "state": child.state, "reason": child.reason or self.notes.get(child.name, str)(),
                  "restarts": child.restarts, "counters": self.sources.get(child.name, dict)()} for child in self.supervisor.children]
        energy = {"energy": self.energy()} if self.energy else {}
        return {**energy, "pid": os.getpid(), "written_ms": wall_ms(), "started_ms": self.started_ms, "gateway": self.outbox.gateway,
                "parts": parts, "outbox": self._outbox()}

    def _outbox(self):
        """What waits, for how long there is room, and how far each uplink is."""
        outbox, quota = self.outbox, self.outbox.quota
        return {"epoch": outbox.epoch, "next_seq": outbox.next_seq, "waiting": dict(quota.records), "bytes": dict(quota.bytes),
                "limits": {cls: limit for cls, (limit, _) in quota.limits.items()}, "hours_left": self.horizon.hours_left(),
                "fault": outbox.fault or self.fault, "counters": dict(outbox.counters, **quota.counters), "marks": outbox.marks,
                "behind": {name: outbox.accepted_seq - mark for name, mark in outbox.marks.items()}}

    def write(self):
        """Write the snapshot, whole or not at all. A disk that is full costs the status, not the gateway."""
        part = self.path.with_suffix(".part")
        try:
            part.write_text(json.dumps(self.snapshot()))
            os.replace(part, self.path)
        except OSError:
            part.unlink(missing_ok=True)

    async def run(self, up):
        """Write for ever."""
        up()
        while True:
            self.write()
            await Clock.sleep_ms(EVERY_MS)


def read(folder):
    """The last snapshot in a data folder with "state": "running", "stale" (it hangs) or "stopped"."""
    path = Path(folder) / FILE
    try:
        snapshot = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise HeedError("no status in %s: %s" % (folder, error), "start the gateway with `heed run`")
    snapshot["age_ms"] = wall_ms() - snapshot["written_ms"]
    snapshot["state"] = "stopped" if not alive(snapshot["pid"]) else "stale" if snapshot["age_ms"] > STALE_MS else "running"
    return snapshot


def alive(pid):
    """Whether a process is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
