"""The last step of the flow: from the outbox through one uplink."""

from gateway.core.errors import Rejected
from gateway.core.pace import Pace

POLL_MS = 1000


class Sender:
    """Sends accepted records in order and deletes what the far end says it has. limit: records a batch.

    While there is a backlog, alarms go ahead, and so does what is new since the line is there; to a far end that
    knows records by their numbers, since they go again in their turn.
    """

    def __init__(self, name, outbox, uplink, limit=100, pace=None):
        self.name, self.outbox, self.uplink = name, outbox, uplink
        self.limit = limit
        self.pace = pace or Pace(outbox.clock.ticks_ms)
        self.singly_upto, self.note = 0, ""  # note: why only alarms pass, in words
        self.counters = {"batches": 0, "sent": 0, "express": 0, "refused": 0, "held": 0}

    async def run(self, up):
        """Send for ever; begins after what is acknowledged. up() is called for what the far end says, not for what is sent."""
        self.up = up
        self.after = self.outbox.marks[self.name]
        self.backlog = self.outbox.accepted_seq
        self.ahead = {"alarm": self.after, None: self.backlog}
        try:
            while self.pace.hold():  # no line: nothing to be opened
                await self._rest(self.pace.hold())
            await self.uplink.open()
            while True:
                await self._turn()
        finally:
            await self.uplink.close()

    async def _turn(self):
        """One batch, or a wait for what comes."""
        seen = self.outbox.accepted_seq
        closed = self.note = self.pace.closed()
        if self.uplink.express and seen - self.after > (0 if closed else self.limit):
            await self._express("alarm")
            if not closed and self.after < self.backlog:
                await self._express(None)
        if closed:
            return await self._rest(closed)
        batch = await self.outbox.batch(self.after, 1 if self.after < self.singly_upto else self.limit, self.name)
        if batch:
            await self._send(batch)
        elif await self._settle():
            self.up()
            if self.outbox.marks[self.name] < self.after:
                self.after = self.outbox.marks[self.name]  # the far end took less than it was sent: once more
            else:
                await self.outbox.accepted(seen + 1)

    async def _rest(self, why):
        """Let a while pass in which nothing may."""
        self.note = why
        self.counters["held"] += 1
        self.up()
        await self.outbox.clock.sleep_ms(POLL_MS)

    async def _express(self, cls):
        """Send what cannot wait for its turn; it goes again in its turn, and is judged there."""
        batch = await self.outbox.batch(max(self.after, self.ahead[cls]), self.limit, self.name, cls)
        if batch:
            self.ahead[cls], batch.express = batch.last_seq, True
            self.counters["express"] += batch.count
            try:
                await self._acknowledge(await self._timed(batch))
            except Rejected:
                pass

    async def _send(self, batch):
        """Send one batch; one that follows on a refusal alone is waited for, so that a refusal has an owner."""
        try:
            await self._acknowledge(await self._timed(batch))
            if batch.last_seq <= self.singly_upto:
                await self._acknowledge(await self.uplink.settle())
        except Rejected:
            return await self._refused(batch)
        self.counters["batches"] += 1
        self.counters["sent"] += batch.count
        self.after = batch.last_seq

    async def _timed(self, batch):
        """Send at the pace that is allowed; gives what is acknowledged."""
        before = self.uplink.sent_bytes
        acknowledged = await self.uplink.send(batch)
        self.pace.spend(self.uplink.sent_bytes - before)
        rest = self.pace.rest_ms(batch.count)
        if rest:
            await self.outbox.clock.sleep_ms(rest)
        return acknowledged

    async def _settle(self):
        """Wait for what is in flight. False when some of it was refused: then it goes singly."""
        try:
            await self._acknowledge(await self.uplink.settle())
            return True
        except Rejected:
            self.singly_upto, self.after = self.after, self.outbox.marks[self.name]
            return False

    async def _refused(self, batch):
        """Sent one by one, only the record that is at fault is given up, and told as a gap."""
        if batch.last_seq > self.singly_upto or batch.count > 1:
            self.singly_upto, self.after = batch.last_seq, self.outbox.marks[self.name]
            return
        self.counters["refused"] += 1
        self.outbox.quota.lost(batch.records[0][1], "refused by uplink " + self.name)
        await self._acknowledge(batch.last_seq)
        self.after = batch.last_seq

    async def _acknowledge(self, seq):
        if seq > self.outbox.marks[self.name]:
            self.up()
            await self.outbox.acknowledge(self.name, seq)
