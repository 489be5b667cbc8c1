"""What goes upstream in one piece."""

import json

from gateway.core.records import Summary


class Batch:
    """records = [(seq, fields of a Summary as dict)] in rising order of seq.

    after: number that this batch follows on; what lies between it and the first record is nowhere any more.
    base: number up to which this far end has acknowledged all. newest: highest number that this gateway has given; a far
    end that acknowledges more speaks nonsense. express: out of turn, and will come again in turn.
    """

    express = False

    def __init__(self, gateway, epoch, records, after=None, base=0, newest=0):
        self.gateway = gateway
        self.epoch = epoch
        self.records = records
        self.first_seq = records[0][0]
        self.last_seq = records[-1][0]
        self.count = len(records)
        self.after = self.first_seq - 1 if after is None else after
        self.base = base
        self.newest = max(newest, self.last_seq)


def stored(rows, counters):
    """Records of stored rows [(seq, class, text)]; a damaged one is counted and becomes a note in its place."""
    records = []
    for seq, cls, text in rows:
        try:
            records.append((seq, json.loads(text)))
        except ValueError:
            counters["damaged"] += 1
            note = Summary("", "damaged", cls, 0, "record %d was damaged on disk" % seq, {})
            records.append((seq, note.to_dict()))
    return records
