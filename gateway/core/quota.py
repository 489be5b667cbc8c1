"""Byte limits of the outbox, by class of record, and what has to go for them."""

from gateway.core.condition import Condition
from gateway.core.gaps import CLASS as GAP_CLASS, Gaps

GAP_BYTES = 262144  # a gap record has about 250 bytes: room for a thousand of them


class Quota:
    """limits: {class: (max_bytes, policy)}; policy "drop_oldest" makes room, "reject" refuses the new record.

    changed: notified when the outbox has something to write.
    """

    def __init__(self, limits):
        self.limits = dict(limits)
        self.limits[GAP_CLASS] = (GAP_BYTES, "drop_oldest")
        self.gaps = Gaps()
        self.changed = Condition()
        self.bytes = {}
        self.records = {}
        self.dropping, self.replaced = {}, []
        self.counters = {"dropped": 0, "refused": 0}

    def start(self, state):
        """Begin with what the storage holds."""
        self.bytes = {cls: state["bytes"].get(cls, 0) for cls in self.limits}
        self.records = {cls: state["records"].get(cls, 0) for cls in self.limits}

    def refuses(self, cls, size, t_ms, fault=""):
        """Whether a record of `size` bytes cannot be taken. A refusal is counted, and told as a gap."""
        limit, policy = self.limits[cls]
        if not fault and (size > limit or policy == "reject" and self.bytes[cls] + size > limit):
            fault = "the limit of %d bytes is reached" % limit
        if fault:
            self.counters["refused"] += 1
            self.gaps.add(cls, fault, t_ms, size)
        return fault != ""

    def lost(self, fields, cause):
        """A stored record (fields of its Summary) will never be taken by the far end: it becomes a gap."""
        self.gaps.add(fields["cls"], cause, fields["t_ms"], 0)
        self.changed.notify()

    def add(self, row):
        """Account for a row (seq, class, t_ms, text) that will be stored."""
        self.records[row[1]] += 1
        self.bytes[row[1]] += len(row[3])

    def left(self, removed):
        """Account for rows that left the storage: {class: (records, bytes)}."""
        for cls in removed:
            self.records[cls] = self.records.get(cls, 0) - removed[cls][0]
            self.bytes[cls] = self.bytes.get(cls, 0) - removed[cls][1]

    def over(self, cls):
        """Bytes of a class above its limit that are not yet chosen to go; 0 for a class that refuses instead."""
        limit, policy = self.limits[cls]
        chosen = sum([row[3] for row in self.dropping.values() if row[1] == cls])
        return max(0, self.bytes[cls] - limit - chosen) if policy == "drop_oldest" else 0

    def owes(self):
        """Whether a write is due without any new record."""
        return self.gaps.grown() or any([self.over(cls) for cls in self.limits])

    async def choose(self, storage):
        """Choose the oldest rows that must go for the limits, beside those chosen for a write that failed."""
        for cls in sorted(self.limits):
            over = self.over(cls)
            after = max([row[0] for row in self.dropping.values() if row[1] == cls], default=0)
            for row in await storage.oldest(cls, over, after) if over else ():
                self.dropping[row[0]] = row
                self.counters["dropped"] += 1
                self.gaps.add(cls, "the limit of %d bytes was reached" % self.limits[cls][0], row[2], row[3])

    def gap_rows(self, next_seq):
        """Rows, from `next_seq` on, that tell of what is lost."""
        rows, replaced = self.gaps.rows(next_seq)
        self.replaced += replaced
        return rows

    def leaving(self):
        """Seqs that the next write has to delete."""
        return sorted(self.dropping) + self.replaced

    def settle(self, removed):
        """The write succeeded and deleted `removed`."""
        self.left(removed)
        self.dropping, self.replaced = {}, []
