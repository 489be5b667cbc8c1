"""Nothing is lost silently: what a limit forced out is told upstream as a gap record."""

import json

from gateway.core.records import Summary

CLASS = "gap"


class Span:
    """How many records and bytes were lost, and between which times."""

    def __init__(self):
        self.records = self.bytes = self.from_ms = self.to_ms = 0

    def add(self, records, size, from_ms, to_ms):
        """Widen the span by what else was lost."""
        if records:
            self.from_ms = min(self.from_ms, from_ms) if self.records else from_ms
            self.to_ms = max(self.to_ms, to_ms) if self.records else to_ms
            self.records += records
            self.bytes += size


class Gap:
    """The losses of one class for one cause. Its record grows while no uplink has read it; then a new one begins."""

    def __init__(self, cls, cause):
        self.cls = cls
        self.cause = cause
        self.seq = None
        self.told = Span()
        self.fresh = Span()

    def row(self, seq):
        """The row, to be stored as `seq`, that tells all that no uplink has read."""
        self.told.add(self.fresh.records, self.fresh.bytes, self.fresh.from_ms, self.fresh.to_ms)
        self.fresh = Span()
        self.seq = seq
        told = self.told
        reason = "%d records of class %s lost: %s" % (told.records, self.cls, self.cause)
        data = {"class": self.cls, "cause": self.cause, "records": told.records, "bytes": told.bytes,
                "from_ms": told.from_ms, "to_ms": told.to_ms}
        summary = Summary("", "gap", CLASS, told.to_ms, reason, data)
        return seq, CLASS, told.to_ms, json.dumps(summary.to_dict())


class Gaps:
    """The open gaps by class and cause."""

    def __init__(self):
        self.open = {}

    def add(self, cls, cause, t_ms, size, records=1):
        """So many records of `size` bytes in all, stamped `t_ms`, are lost."""
        key = cls, cause
        if key not in self.open:
            self.open[key] = Gap(cls, cause)
        self.open[key].fresh.add(records, size, t_ms, t_ms)

    def grown(self):
        """Whether there are losses that no row tells of."""
        return any([gap.fresh.records for gap in self.open.values()])

    def rows(self, next_seq):
        """(rows to store from `next_seq` on, seqs that they replace) for the gaps that grew."""
        rows, replaced = [], []
        for key in sorted(self.open):
            gap = self.open[key]
            if gap.fresh.records:
                if gap.seq is not None:
                    replaced.append(gap.seq)
                rows.append(gap.row(next_seq + len(rows)))
        return rows, replaced

    def read(self, upto):
        """An uplink reads what is stored up to `upto`: those gaps are told, later losses need a new record."""
        for gap in self.open.values():
            if gap.seq is not None and gap.seq <= upto:
                gap.seq = None
                gap.told = Span()
