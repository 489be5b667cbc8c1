"""What a hub keeps: records and marks, in SQLite. gateway.hub.postgres is the same on PostgreSQL."""

import json
import sqlite3

from gateway.core.compat import wall_ms
from gateway.core.errors import NotConnected, Rejected
from gateway.hub.coverage import Coverage

COLUMNS = ("gateway", "epoch", "seq", "received_ms", "stream", "kind", "cls", "t_ms", "reason", "data")
SCHEMA = """
CREATE TABLE IF NOT EXISTS record(gateway TEXT, epoch TEXT, seq BIGINT, received_ms BIGINT, stream TEXT, kind TEXT, cls TEXT,
 t_ms BIGINT, reason TEXT, data TEXT, PRIMARY KEY(gateway, epoch, seq)){tail};
CREATE TABLE IF NOT EXISTS mark(gateway TEXT, epoch TEXT, mark BIGINT NOT NULL, ahead TEXT NOT NULL, missing BIGINT NOT NULL,
 batches BIGINT NOT NULL, seen_ms BIGINT NOT NULL, PRIMARY KEY(gateway, epoch)){tail};
"""


def rows_of(batch, mark, now_ms):
    """Rows of the records of a batch that lie beyond a mark."""
    for seq, f in batch.records:
        if seq > mark:
            yield (batch.gateway, batch.epoch, seq, now_ms, f["stream"], f["kind"], f["cls"], f["t_ms"], f["reason"],
                   json.dumps(f["data"], separators=(",", ":")))


class Store:
    """The rule, for any database: rows and marks of many batches in one transaction.

    A subclass gives begin, load, insert, save, commit, rollback and query. Not for two threads at once.
    """

    def apply(self, batches):
        """Store batches; gives [mark, or the Rejected that says why not] for each. Raises NotConnected when the
        database fails; then nothing is stored."""
        keys = sorted({(batch.gateway, batch.epoch) for batch in batches})
        now, answers, rows = wall_ms(), [], []
        self.begin()
        try:
            states = self.load(keys)
            for batch in batches:
                answers.append(self._take(states, batch, rows, now))
            self.insert(rows)
            self.save([(gateway, epoch, s.mark, json.dumps(s.ahead), s.missing, sum(1 for b in batches if (b.gateway, b.epoch) == (
                gateway, epoch)), now) for (gateway, epoch), s in states.items()])
            self.commit()
        except BaseException:
            self.rollback()
            raise
        return [states[(b.gateway, b.epoch)].mark if answer is None else answer for b, answer in zip(batches, answers)]

    @staticmethod
    def _take(states, batch, rows, now):
        """Add a batch to its state and to the rows; gives the refusal, if there is one."""
        key = batch.gateway, batch.epoch
        state = states[key]
        trial = Coverage(state.mark, state.ahead, state.missing)
        try:
            trial.add(batch)
        except Rejected as error:
            return error
        rows += rows_of(batch, state.mark, now)
        states[key] = trial
        return None

    def gateways(self):
        """[{"gateway", "epoch", "mark", "missing", "holes", "batches", "seen_ms"}] of all epochs, the latest seen first."""
        rows = self.query("SELECT gateway, epoch, mark, missing, ahead, batches, seen_ms FROM mark ORDER BY seen_ms DESC", ())
        return [{"gateway": r[0], "epoch": r[1], "mark": r[2], "missing": r[3], "holes": len(json.loads(r[4])), "batches": r[5],
                 "seen_ms": r[6]} for r in rows]

    def records(self, gateway, epoch, after, limit):
        """At most `limit` records of one epoch after a number, as dicts by column."""
        rows = self.query("SELECT %s FROM record WHERE gateway = ? AND epoch = ? AND seq > ? ORDER BY seq LIMIT ?"
                          % ", ".join(COLUMNS), (gateway, epoch, after, limit))
        return [dict(zip(COLUMNS, row[:-1] + (json.loads(row[-1]),))) for row in rows]

    def totals(self):
        """(records, marks) that are kept."""
        return self.query("SELECT COUNT(*) FROM record", ())[0][0], self.query("SELECT COUNT(*) FROM mark", ())[0][0]


class SqliteStore(Store):
    """path: database file, of one hub; gateway.hub.cohort.Cohort alone writes to it beside that, and to a table of its own."""

    def __init__(self, path):
        self.path = path

    def open(self):
        """Open the file. Raises NotConnected when it cannot be."""
        try:
            self.db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=4000", "cache_size=-32000"):
                self.db.execute("PRAGMA " + pragma)
            self.db.executescript(SCHEMA.format(tail=" WITHOUT ROWID"))
        except sqlite3.Error as error:
            raise NotConnected("%s: %s" % (self.path, error), "is the folder writable, and the file a hub's?")

    def _do(self, statement, values=(), many=False):
        try:
            return (self.db.executemany if many else self.db.execute)(statement, values)
        except sqlite3.Error as error:
            raise NotConnected("%s: %s" % (self.path, error), "nothing of it is acknowledged; free some room")

    def begin(self):
        """Begin a transaction."""
        self._do("BEGIN IMMEDIATE")

    def load(self, keys):
        """{(gateway, epoch): Coverage}; new ones at 0."""
        states = {}
        for key in keys:
            row = self._do("SELECT mark, ahead, missing FROM mark WHERE gateway = ? AND epoch = ?", key).fetchone()
            states[key] = Coverage(row[0], json.loads(row[1]), row[2]) if row else Coverage()
        return states

    def insert(self, rows):
        """Insert rows; those that are there already stay as they are."""
        self._do("INSERT OR IGNORE INTO record VALUES(%s)" % ",".join("?" * len(COLUMNS)), rows, many=True)

    def save(self, marks):
        """Write marks."""
        self._do("INSERT INTO mark VALUES(?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET mark = excluded.mark, ahead = excluded.ahead, "
                 "missing = excluded.missing, batches = mark.batches + excluded.batches, seen_ms = excluded.seen_ms", marks, many=True)

    def commit(self):
        """Make it durable."""
        self._do("COMMIT")

    def rollback(self):
        """Forget what was begun."""
        if self.db.in_transaction:
            self.db.execute("ROLLBACK")

    def query(self, statement, values):
        """All rows."""
        return self._do(statement, values).fetchall()

    def close(self):
        """Close the file."""
        self.db.close()
