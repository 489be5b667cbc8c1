"""The outbox rule: a summary is accepted when it is on disk, and leaves it when the far end has it.

Group commit: what is offered within `commit_ms`, or `commit_records`, shares one write. Storage: see core.memory.
"""

import asyncio
import json

from gateway.core.batch import Batch, stored
from gateway.core.condition import Condition
from gateway.core.errors import PluginError, Rejected
from gateway.core.quota import Quota

RETRY_MS = 1000


class Outbox:
    """limits, ages: see Quota; uplinks: names of all that must acknowledge before a record leaves."""

    def __init__(self, storage, limits, clock, gateway="", uplinks=(), commit_ms=20, commit_records=500, ages=()):
        self.storage, self.quota = storage, Quota(limits, ages)
        self.clock, self.gateway = clock, gateway
        self.commit_ms, self.commit_records, self.pending_max = commit_ms, commit_records, 4 * commit_records
        self.pending, self.marks = [], {name: 0 for name in uplinks}
        self.counters = {"accepted": 0, "acknowledged": 0, "commits": 0, "failed_commits": 0, "damaged": 0}
        self.fault = ""
        self._writing, self._committed = asyncio.Lock(), Condition()

    async def open(self):
        """Open the storage and go on where it stands. Gives what it says of itself; what it lost is told as a gap."""
        state = await self.storage.open()
        self.epoch, self.next_seq = state["epoch"], state["next_seq"]
        self.quota.start(state, self.clock.wall_ms())
        self.marks.update({name: state["marks"].get(name, 0) for name in self.marks})
        self.accepted_seq = self.next_seq - 1
        return state

    def offer(self, summaries):
        """Take summaries in for the next commit; gives the ticket to wait for with accepted()."""
        for summary in summaries:
            if summary.cls not in self.quota.limits:
                raise PluginError('no outbox class "%s"' % summary.cls, "use alarm, event or digest")
            text = json.dumps(summary.to_dict())
            full = "the store takes no records" if self.fault and len(self.pending) >= self.pending_max else ""
            if not self.quota.refuses(summary.cls, len(text), summary.t_ms, full):
                self._pend((self.next_seq, summary.cls, summary.t_ms, text))
        self.quota.changed.notify()
        return self.next_seq - 1

    def _pend(self, row):
        self.pending.append(row)
        self.quota.add(row)
        self.next_seq = row[0] + 1

    async def accepted(self, ticket):
        """Wait until all up to `ticket` is on disk."""
        await self._committed.wait_for(lambda: self.accepted_seq >= ticket)

    async def room(self):
        """Wait while too much is offered and not on disk; never for a store that takes no records."""
        await self._committed.wait_for(lambda: len(self.pending) < self.pending_max or self.fault)

    async def run(self, up):
        """Commit what is offered, for ever. A store that fails is tried again; nothing offered is forgotten."""
        up()
        while True:
            await self.quota.changed.wait_for(lambda: self.pending or self.quota.owes())
            if len(self.pending) < self.commit_records:
                await self.clock.sleep_ms(self.commit_ms)
            try:
                await self.commit()
            except Rejected as error:
                self.counters["failed_commits"] += 1
                self.fault = str(error)
                self._committed.notify()
                await self.clock.sleep_ms(RETRY_MS)

    async def commit(self):
        """One durable write of all that is pending. Raises Rejected when the storage cannot take it."""
        async with self._writing:
            await self.quota.choose(self.storage)
            for row in () if self.fault else self.quota.gap_rows(self.next_seq):
                self._pend(row)
            rows = self.pending[:]
            if rows:
                self.quota.settle(await self.storage.commit(rows, self.quota.leaving()))
                del self.pending[:len(rows)]
                self.accepted_seq, self.fault = rows[-1][0], ""
                self.counters["accepted"] += len(rows)
                self.counters["commits"] += 1
                self._committed.notify()

    async def batch(self, after, limit, uplink="", cls=None):
        """Batch of at most `limit` accepted records (of one class, if given) after number `after`, or None."""
        async with self._writing:  # a gap record must not be replaced while it is read
            rows = await self.storage.read(after, limit, cls)
            self.quota.gaps.read(rows[-1][0] if rows else 0)
        records = stored(rows, self.counters)
        return Batch(self.gateway, self.epoch, records, after, self.marks.get(uplink, 0), self.accepted_seq) if rows else None

    async def acknowledge(self, uplink, seq):
        """The far end of `uplink` has all up to `seq`. What all uplinks have leaves the storage."""
        if self.marks[uplink] < seq <= self.accepted_seq:
            self.marks[uplink] = seq
            removed = await self.storage.acknowledge(uplink, seq, min(self.marks.values()))
            self.counters["acknowledged"] += sum([removed[cls][0] for cls in removed])
            self.quota.left(removed)
            self._committed.notify()

    async def delivered(self):
        """Wait until all that was offered, and all that is to tell, is acknowledged by every uplink."""
        await self._committed.wait_for(lambda: not self.quota.owes() and (
            min(self.marks.values(), default=self.accepted_seq) == self.next_seq - 1))

    async def close(self):
        """Commit what is pending and close the storage."""
        try:
            await self.commit()
        finally:
            await self.storage.close()
