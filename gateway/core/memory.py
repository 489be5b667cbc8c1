"""Outbox storage in memory: for a node without a disk, and the statement of what a storage must do."""

from gateway.core.compat import random_id


class MemoryStorage:
    """Rows by sequence number; keeps nothing over a power cut. gateway.store.SqliteStorage is the durable one."""

    def __init__(self):
        self.rows = []
        self.epoch = random_id()
        self.marks = {}
        self.next_seq = 1

    async def open(self):
        """State as a dict: epoch (made once, when the storage is), next_seq (never given twice in an epoch),
        marks {uplink: seq}, records and bytes {class: n}, fault (what went wrong before, in words, or "")."""
        records, size = {}, {}
        for seq, cls, t_ms, text in self.rows:
            records[cls] = records.get(cls, 0) + 1
            size[cls] = size.get(cls, 0) + len(text)
        return {"epoch": self.epoch, "next_seq": self.next_seq, "marks": dict(self.marks), "records": records,
                "bytes": size, "fault": "", "missing": 0}

    async def commit(self, rows, drop):
        """Store rows [(seq, class, t_ms, text)] and delete the seqs in `drop`, both or neither, durably.

        Gives what was deleted as {class: (records, bytes)}. Raises Rejected when there is no room.
        """
        gone = set(drop)
        removed = [row for row in self.rows if row[0] in gone]
        self.rows = [row for row in self.rows if row[0] not in gone] + list(rows)
        self.next_seq = max(self.next_seq, rows[-1][0] + 1)
        return totals(removed)

    async def read(self, after, limit, cls=None):
        """At most `limit` rows [(seq, class, text)] after `after`, in order; of one class where one is given."""
        return [(row[0], row[1], row[3]) for row in self.rows if row[0] > after and cls in (None, row[1])][:limit]

    async def oldest(self, cls, size, after):
        """Oldest rows of a class after `after` that hold `size` bytes together: [(seq, class, t_ms, bytes)]."""
        found = []
        for seq, row_cls, t_ms, text in self.rows:
            if size > 0 and row_cls == cls and seq > after:
                found.append((seq, cls, t_ms, len(text)))
                size -= len(text)
        return found

    async def acknowledge(self, uplink, seq, upto):
        """Keep the mark of an uplink and delete all rows up to `upto`: {class: (records, bytes)} deleted."""
        self.marks[uplink] = seq
        removed = [row for row in self.rows if row[0] <= upto]
        self.rows = [row for row in self.rows if row[0] > upto]
        return totals(removed)

    async def close(self):
        """Let go of the file."""


def totals(rows):
    """{class: (records, bytes)} of rows."""
    sums = {}
    for seq, cls, t_ms, text in rows:
        records, size = sums.get(cls, (0, 0))
        sums[cls] = records + 1, size + len(text)
    return sums
