"""The last step of the flow: from the outbox through one uplink."""

from gateway.core.errors import Rejected


class Sender:
    """Sends accepted records and deletes what the far end says it has. limit: records a batch."""

    def __init__(self, name, outbox, uplink, limit=100):
        self.name = name
        self.outbox = outbox
        self.uplink = uplink
        self.limit = limit
        self.singly_upto = 0
        self.counters = {"batches": 0, "sent": 0, "refused": 0}

    async def run(self, up):
        """Send for ever; begins after what is acknowledged."""
        after = self.outbox.marks[self.name]
        try:
            await self.uplink.open()
            while True:
                seen = self.outbox.accepted_seq
                batch = await self.outbox.batch(after, 1 if after < self.singly_upto else self.limit)
                if batch:
                    after = await self._send(batch)
                else:
                    await self._acknowledge(await self.uplink.settle())
                    up()
                    if self.outbox.marks[self.name] < after:
                        after = self.outbox.marks[self.name]  # the far end took less than it was sent: once more
                    else:
                        await self.outbox.accepted(seen + 1)
                up()
        finally:
            await self.uplink.close()

    async def _send(self, batch):
        """Send one batch; gives the number to go on after."""
        try:
            acknowledged = await self.uplink.send(batch)
        except Rejected:
            return await self._refused(batch)
        self.counters["batches"] += 1
        self.counters["sent"] += batch.count
        await self._acknowledge(acknowledged)
        return batch.last_seq

    async def _refused(self, batch):
        """Sent one by one, only the record that is at fault is given up, and told as a gap."""
        if batch.count > 1:
            self.singly_upto = batch.last_seq
            return batch.first_seq - 1
        await self._acknowledge(await self.uplink.settle())
        self.counters["refused"] += 1
        self.outbox.quota.lost(batch.records[0][1], "refused by uplink " + self.name)
        await self._acknowledge(batch.last_seq)
        return batch.last_seq

    async def _acknowledge(self, seq):
        if seq:
            await self.outbox.acknowledge(self.name, seq)
