"""What can still be read of an outbox file that is damaged: every row that lies whole in some page, whatever became of the rest.

Looks at the pages themselves (SQLite file format, sections 1.6 and 2.1), since a database whose inner pages are gone opens no more.
A row of the outbox never changes, so that an old copy of a page, or of the journal, is as good as the newest.
"""

import struct
from collections import namedtuple
from pathlib import Path

from gateway.core.compat import crc32, random_id

PAGE = 4096
LEAF = 0x0D
LOCAL = PAGE - 35  # of a payload, what stays in its leaf when it fits whole
LEAST = (PAGE - 12) * 32 // 255 - 23
INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}  # serial type: bytes
JUMP = 1 << 20  # numbers that a lost page may have held are not given again: the far end would take them for repeats

# facts, marks: rows of those tables; rows: rows of the table `record`; missing: numbers among them that are not there
Found = namedtuple("Found", "facts marks rows missing")


def checksum(seq, cls, t_ms, text):
    """CRC-32 of a row of the outbox."""
    return crc32(("%d %s %d %s" % (seq, cls, t_ms, text)).encode())


def varint(data, at):
    """(value, next position) of SQLite's big-endian variable-length integer. Raises IndexError."""
    value = 0
    for i in range(8):
        value = value << 7 | data[at + i] & 0x7F
        if data[at + i] < 0x80:
            return value, at + i + 1
    return value << 8 | data[at + 8], at + 9


def column(data, at, kind):
    """(value, next position) of a column of a serial type. Raises ValueError or KeyError for a type that we never write."""
    if kind in (0, 8, 9):
        return (None, 0, 1)[(0, 8, 9).index(kind)], at
    if kind >= 13 and kind % 2:
        end = at + (kind - 13) // 2
        return data[at:end].decode(), end
    return int.from_bytes(data[at:at + INTEGERS[kind]], "big", signed=True), at + INTEGERS[kind]


def columns(payload):
    """Values of a record, as tuple."""
    head, at = varint(payload, 0)
    kinds, values = [], []
    while at < head:
        kind, at = varint(payload, at)
        kinds.append(kind)
    for kind in kinds:
        value, at = column(payload, at, kind)
        values.append(value)
    return tuple(values)


class Pages:
    """All pages of a file and of its journal, each version. latest: {page number: bytes}, the journal's last where it has one."""

    def __init__(self, path):
        data = Path(path).read_bytes()
        self.all = [data[at:at + PAGE] for at in range(0, len(data), PAGE)]
        self.latest = dict(enumerate(self.all, 1))
        journal = Path(path + "-wal")
        data = journal.read_bytes() if journal.exists() else b""
        for at in range(32, len(data), 24 + PAGE):
            page = data[at + 24:at + 24 + PAGE]
            self.all.append(page)
            self.latest[int.from_bytes(data[at:at + 4], "big")] = page

    def cells(self):
        """(row id, values) of all rows in all leaves. What makes no sense is passed over."""
        for page in self.all:
            for head in (0, 100):
                if len(page) == PAGE and page[head] == LEAF:
                    count = min(int.from_bytes(page[head + 3:head + 5], "big"), PAGE // 4)
                    for start in struct.unpack_from(">%dH" % min(count, (PAGE - head - 8) // 2), page, head + 8):
                        try:
                            yield self._cell(page, start)
                        except (IndexError, KeyError, ValueError, OverflowError):
                            continue

    def _cell(self, page, at):
        size, at = varint(page, at)
        row, at = varint(page, at)
        if size <= LOCAL:
            return row, columns(page[at:at + size])
        local = LEAST + (size - LEAST) % (PAGE - 4)
        local = local if local <= LOCAL else LEAST
        payload, follows = page[at:at + local], page[at + local:at + local + 4]
        while len(payload) < size:
            page = self.latest[int.from_bytes(follows, "big")]
            payload, follows = payload + page[4:], page[:4]
        return row, columns(payload[:size])


def salvage(path):
    """Found of the damaged file at `path`; what is wholly unreadable gives a new epoch and no rows."""
    facts, marks, rows = {}, {}, {}
    for row, values in Pages(path).cells():
        if len(values) == 5 and isinstance(values[3], str) and checksum(row, *values[1:4]) == values[4]:
            rows[row] = (row, *values[1:])
        elif len(values) == 2 and values[0] in ("epoch", "floor"):
            facts[values[0]] = max(facts.get(values[0], ""), str(values[1]))
        elif len(values) == 2 and isinstance(values[0], str) and isinstance(values[1], int):
            marks[values[0]] = max(marks.get(values[0], 0), values[1])
    done = min(marks.values(), default=min(rows, default=1) - 1)
    kept = [rows[seq] for seq in sorted(rows) if seq > done]
    highest = max([done, int(facts.get("floor", 0)), *rows])
    known = [("epoch", facts.get("epoch") or random_id()), ("floor", str(highest + JUMP))]
    return Found(known, list(marks.items()), kept, max(1, highest - done - len(kept)))
