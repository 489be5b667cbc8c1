"""Limits of the outbox in bytes and hours, by class of record, and what has to go for them."""

from gateway.core.condition import Condition
from gateway.core.gaps import CLASS as GAP_CLASS, Gaps

GAP_BYTES = 262144  # a gap record has about 250 bytes: room for a thousand of them
EXPIRY_BYTES = 65536  # how much one write looks through for what is too old
SET_CLOCK_MS = 365 * 86400000  # an age beyond this is a clock that was set, not an age


class Quota:
    """limits: {class: (max_bytes, policy)}; policy "drop_oldest" makes room, "reject" refuses the new record.

    ages: {class: ms}, beyond which a record is dropped, measured against the record that was stored last.
    changed: notified when the outbox has something to write. taken: bytes of each class since the start.
    """

    def __init__(self, limits, ages=()):
        self.limits = dict(limits)
        self.ages = dict(ages)
        self.limits[GAP_CLASS] = (GAP_BYTES, "drop_oldest")
        self.gaps = Gaps()
        self.changed = Condition()
        self.bytes, self.records, self.taken = {}, {}, {}
        self.last_ms = 0
        self.dropping, self.replaced = {}, []
        self.counters = {"dropped": 0, "refused": 0}

    def start(self, state, now_ms):
        """Begin with what the storage holds; what it lost before is told as a gap."""
        if state["missing"]:
            self.gaps.add("any", "the outbox file was damaged", now_ms, 0, state["missing"])
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
        self.taken[row[1]] = self.taken.get(row[1], 0) + len(row[3])
        self.last_ms = row[2]

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
            for row in await storage.oldest(cls, over, self._chosen(cls)) if over else ():
                self._drop(row, "the limit of %d bytes was reached" % self.limits[cls][0])
        for cls in sorted(self.ages):
            for row in await storage.oldest(cls, EXPIRY_BYTES, self._chosen(cls)):
                if self.ages[cls] < self.last_ms - row[2] < SET_CLOCK_MS:
                    self._drop(row, "older than %d hours" % (self.ages[cls] // 3600000))

    def _chosen(self, cls):
        """Number up to which rows of a class are chosen to go."""
        return max([row[0] for row in self.dropping.values() if row[1] == cls], default=0)

    def _drop(self, row, cause):
        self.dropping[row[0]] = row
        self.counters["dropped"] += 1
        self.gaps.add(row[1], cause, row[2], row[3])

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
