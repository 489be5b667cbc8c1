"""Heed's own form: columnar JSON, versioned. docs/protocol.md describes it, docs/envelope.schema.json defines it.

Records that have the same kind, class and data fields share a table with one list a column: half the bytes of
rows after compression, and still readable.
"""

import json
import re

from gateway.core.batch import Batch
from gateway.core.errors import Rejected
from gateway.core.records import Summary
from gateway.forms import Form, Message
from gateway.forms.compress import pack

VERSION = 1
ROOT = "heed/v1/"
TOGETHER, ROUND = "heed/together/v1/attention", "heed/together/v1/round"  # retained: what was learnt together, and the open round
MINE = ROOT + "%s/round"  # retained: what one gateway needs of it
COLUMNS = ("stream", "t_ms", "reason")
NUMBERS = ("first_seq", "last_seq", "count", "after", "base")
MAX_SEQ = (1 << 63) - 1
NAME = re.compile(r"[\w.-]{1,64}")


def encode(batch):
    """A batch as a JSON-safe dict."""
    tables = {}
    for seq, fields in batch.records:
        key = fields["kind"], fields["cls"], tuple(fields["data"])
        table = tables.get(key)
        if table is None:
            table = tables[key] = {"kind": key[0], "cls": key[1], "seq": [], "stream": [], "t_ms": [], "reason": [],
                                   "data": {name: [] for name in key[2]}}
        table["seq"].append(seq)
        for name in COLUMNS:
            table[name].append(fields[name])
        for name, value in fields["data"].items():
            table["data"][name].append(value)
    envelope = {"v": VERSION, "gateway": batch.gateway, "epoch": batch.epoch}
    envelope.update({name: getattr(batch, name) for name in NUMBERS}, express=batch.express, tables=list(tables.values()))
    return envelope


def dumps(batch):
    """A batch as bytes."""
    return json.dumps(encode(batch), separators=(",", ":"), ensure_ascii=False).encode()


def loads(data):
    """The Batch of an envelope. Raises Rejected, saying what is wrong, for anything that is none."""
    try:
        envelope = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Rejected("the envelope is no JSON: %s" % error, "")
    if not isinstance(envelope, dict) or envelope.get("v") != VERSION:
        version = envelope.get("v") if isinstance(envelope, dict) else None
        raise Rejected("envelope version %r; this hub reads version %d" % (version, VERSION), "update the hub")
    try:
        return decode(envelope)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise Rejected("the envelope lacks or misuses %s" % error, "see docs/protocol.md")


def decode(envelope):
    """The Batch of a parsed envelope of this version. Raises ValueError, KeyError or TypeError."""
    for name in ("gateway", "epoch"):
        require(isinstance(envelope[name], str) and NAME.fullmatch(envelope[name]), name)
    for name in NUMBERS:
        require(type(envelope[name]) is int and 0 <= envelope[name] <= MAX_SEQ, name)
    records = sorted(row for table in envelope["tables"] for row in rows(table))
    seqs = [seq for seq, _, _ in records]
    require(seqs and len(set(seqs)) == len(seqs) == envelope["count"], "count")
    require(seqs[0] == envelope["first_seq"] and seqs[-1] == envelope["last_seq"], "first_seq, last_seq")
    require(envelope["base"] <= envelope["after"] < seqs[0] or envelope.get("express") is True, "after, base")
    batch = Batch(envelope["gateway"], envelope["epoch"], [(seq, fields) for seq, _, fields in records],
                  envelope["after"], envelope["base"])
    batch.express = envelope.get("express") is True
    return batch


def rows(table):
    """(seq, position, fields) of a table; all of its columns are of one length and type."""
    kind, cls, seqs, names = table["kind"], table["cls"], table["seq"], list(table["data"])
    require(isinstance(kind, str) and isinstance(cls, str), "kind, cls")
    columns = [table[name] for name in COLUMNS] + [table["data"][name] for name in names]
    require(all(isinstance(column, list) and len(column) == len(seqs) for column in columns), "columns")
    require(all(type(seq) is int and 0 < seq <= MAX_SEQ for seq in seqs), "seq")
    require(all(type(t_ms) is int for t_ms in table["t_ms"]), "t_ms")
    require(all(isinstance(text, str) for name in ("stream", "reason") for text in table[name]), "stream, reason")
    for i, (seq, stream, t_ms, reason, *values) in enumerate(zip(seqs, *columns)):
        yield seq, i, Summary(stream, kind, cls, t_ms, reason, dict(zip(names, values))).to_dict()


def require(holds, what):
    """Raise ValueError where a clause of the form is broken."""
    if not holds:
        raise ValueError(what)


class Envelope(Form):
    """To a Heed hub: heed/v1/GATEWAY/up/EPOCH/FIRST-LAST, acknowledged on heed/v1/GATEWAY/ack; retained state beside them.

    The topic names the batch, so that one which cannot be read can still be refused.
    """

    express = True

    def __init__(self, gateway, options):
        super().__init__(gateway, options)
        self.acknowledges = ROOT + gateway + "/ack"

    def _state(self, text):
        return Message(ROOT + self.gateway + "/state", text, True)

    def will(self):
        return self._state(b"offline")

    def opened(self):
        return [self._state(b"online")]

    def closing(self):
        return [self._state(b"offline")]

    def batch(self, batch):
        topic = "%s%s/up/%s/%d-%d" % (ROOT, self.gateway, batch.epoch, batch.first_seq, batch.last_seq)
        return [Message(topic, pack(self.options.get("compression", "gzip"), dumps(batch)))]


FORM = Envelope
