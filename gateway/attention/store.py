"""What must outlive a power cut: states with their history, feedback, and the moments that it is about.

One SQLite file, WAL with synchronous=FULL. The gateway and the command line both write to it: each write is one
transaction, and `changed()` tells one of them that the other has written.
"""

import json
import sqlite3
import threading

from gateway.attention.state import state_from
from gateway.core.compat import wall_ms
from gateway.core.errors import HeedError

FILE = "attention.db"
KEEP = 50  # versions of a stream; the oldest go
SCHEMA = """
CREATE TABLE IF NOT EXISTS state(stream TEXT, version INTEGER, text TEXT NOT NULL, PRIMARY KEY(stream, version)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS stream(stream TEXT PRIMARY KEY, version INTEGER NOT NULL, frozen INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS feedback(id INTEGER PRIMARY KEY, stream TEXT, seq INTEGER, label TEXT, source TEXT, given_ms INTEGER,
 received_ms INTEGER, verdict TEXT, UNIQUE(stream, seq, source));
CREATE TABLE IF NOT EXISTS moment(stream TEXT, seq INTEGER, t_ms INTEGER, guess TEXT, share REAL, why TEXT, asked_ms INTEGER, data BLOB,
 PRIMARY KEY(stream, seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS online(name TEXT, version INTEGER, t_ms INTEGER, text TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY(name, version));
CREATE TABLE IF NOT EXISTS recall(stream TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS origin(stream TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS alarm(id INTEGER PRIMARY KEY, stream TEXT, raised_ms INTEGER, why TEXT, answer TEXT, source TEXT,
 answered_ms INTEGER, labels TEXT);
"""


class AttentionStore:
    """path: the file; made where it is not there. Threads may share one."""

    def __init__(self, path):
        self.path, self.lock = str(path), threading.RLock()
        try:
            self.db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=10)
            for pragma in ("journal_mode=WAL", "synchronous=FULL"):
                self.db.execute("PRAGMA " + pragma)
            self.db.executescript(SCHEMA)
        except sqlite3.Error as error:
            raise HeedError("%s: %s" % (self.path, error), "is the folder writable, and the file a gateway's?")
        self.seen = None

    def rows(self, query, *values):
        """All rows of a query."""
        try:
            with self.lock:
                return self.db.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise HeedError("%s: %s" % (self.path, error), "free some room, or restore the file")

    def write(self, *statements):
        """Run [(statement, values)] as one durable transaction. Raises HeedError, with nothing written."""
        with self.lock:
            try:
                self.db.execute("BEGIN IMMEDIATE")
                for statement, values in statements:
                    self.db.execute(statement, values)
                self.db.execute("COMMIT")
            except sqlite3.Error as error:
                if self.db.in_transaction:
                    self.db.execute("ROLLBACK")
                raise HeedError("%s: %s" % (self.path, error), "nothing of it was taken; free some room")

    def changed(self):
        """Whether another process has written since the last call."""
        seen, self.seen = self.seen, self.rows("PRAGMA data_version")[0][0]
        return seen != self.seen

    def streams(self):
        """[(stream, version in use, frozen)] of all that was adapted or frozen."""
        return self.rows("SELECT stream, version, frozen FROM stream ORDER BY stream")

    def origins(self):
        """{stream: {"package", "classes", "reach", and what is shown}} of all streams that were ever judged by a package."""
        return {stream: json.loads(text) for stream, text in self.rows("SELECT stream, text FROM origin ORDER BY stream")}

    def introduce(self, stream, package, classes, reach, shown=None):
        """Note what judges a stream, for whoever gives feedback from another process. shown: see models.twin."""
        self.write(("INSERT INTO origin VALUES(?, ?) ON CONFLICT DO UPDATE SET text = excluded.text",
                    (stream, json.dumps(dict(shown or {}, package=package, classes=classes, reach=reach)))))

    def current(self, stream):
        """(AttentionState in use or None for the shipped one, frozen)."""
        found = self.rows("SELECT version, frozen FROM stream WHERE stream = ?", stream)
        version, frozen = found[0] if found else (0, 0)
        return (self.state(stream, version) if version else None), bool(frozen)

    def state(self, stream, version):
        """One version, or HeedError."""
        found = self.rows("SELECT text FROM state WHERE stream = ? AND version = ?", stream, version)
        if not found:
            raise HeedError("stream %s has no version %d" % (stream, version), "`heed attention history` lists them")
        return state_from(json.loads(found[0][0]))

    def history(self, stream):
        """All versions that are kept, oldest first."""
        return [state_from(json.loads(text)) for (text,) in
                self.rows("SELECT text FROM state WHERE stream = ? ORDER BY version", stream)]

    def adopt(self, state):
        """Keep a state as the next version of its stream, and use it. Gives the version."""
        last = self.rows("SELECT MAX(version) FROM state WHERE stream = ?", state.stream)[0][0] or 0
        state.version, state.t_ms = last + 1, state.t_ms or wall_ms()
        self.write(("INSERT INTO state VALUES(?, ?, ?)", (state.stream, state.version, json.dumps(state.to_dict()))),
                   ("INSERT INTO stream VALUES(?, ?, 0) ON CONFLICT DO UPDATE SET version = excluded.version", (state.stream, state.version)),
                   ("DELETE FROM state WHERE stream = ? AND version <= ?", (state.stream, state.version - KEEP)))
        return state.version

    def use(self, stream, version):
        """Go to a version that is kept; 0 = as shipped. Raises HeedError where it is not."""
        if version:
            self.state(stream, version)
        self.write(("INSERT INTO stream VALUES(?, ?, 0) ON CONFLICT DO UPDATE SET version = excluded.version", (stream, version)))

    def freeze(self, stream, frozen):
        """Stop a stream's adaptation, or let it go on."""
        self.write(("INSERT INTO stream VALUES(?, 0, ?) ON CONFLICT DO UPDATE SET frozen = excluded.frozen", (stream, int(frozen))))

    def close(self):
        """Close the file."""
        with self.lock:
            self.db.close()
