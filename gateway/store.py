"""Durable storage of the outbox in SQLite: the interface of gateway.core.memory.MemoryStorage.

WAL with synchronous=FULL: a commit that returned survives a power cut, as far as the disk keeps its word on a
flush. One connection, one thread of its own, so that the event loop never waits for the disk.
"""

import asyncio
import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor

from gateway.core.compat import random_id, wall_ms
from gateway.core.errors import Rejected

SCHEMA = """
CREATE TABLE IF NOT EXISTS record(seq INTEGER PRIMARY KEY, cls TEXT NOT NULL, t_ms INTEGER NOT NULL, text TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS record_cls ON record(cls, seq);
CREATE TABLE IF NOT EXISTS fact(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS mark(uplink TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
"""
CHECKPOINT_PAGES = 1000  # bounds the WAL to about 4 MB


class SqliteStorage:
    """path: database file; max_bytes: size at which it is full, None = as large as the disk lets it be."""

    def __init__(self, path, max_bytes=None):
        self.path = path
        self.max_bytes = max_bytes
        self.worker = ThreadPoolExecutor(1, "outbox")
        self.db = None

    async def _run(self, work, *values):
        return await asyncio.get_running_loop().run_in_executor(self.worker, work, *values)

    async def open(self):
        """See MemoryStorage.open. A file that is damaged is moved aside and a new epoch begun."""
        return await self._run(self._open)

    def _open(self):
        try:
            self._connect()
            return self._state("")
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and "disk I/O" not in str(error):
                raise Rejected("%s: %s" % (self.path, error), "is the folder writable, and no other gateway running on it?")
            aside = self._aside()
            self._connect()
            return self._state("the outbox file was damaged (%s) and is kept as %s" % (error, aside))

    def _connect(self):
        # Short statements are prepared once and kept; autocommit, since each write opens its own transaction.
        self.db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, cached_statements=32)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=%d" % CHECKPOINT_PAGES,
                       "locking_mode=EXCLUSIVE"):
            self.db.execute("PRAGMA " + pragma)
        if self.max_bytes:
            self.db.execute("PRAGMA max_page_count=%d" % (self.max_bytes // 4096))
        self.db.executescript(SCHEMA)
        self.db.execute("INSERT OR IGNORE INTO fact VALUES('epoch', ?)", (random_id(),))
        if self.db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError("quick_check failed")

    def _aside(self):
        """Move the damaged file and its journal out of the way; nothing is deleted."""
        if self.db:
            self.db.close()
        aside = "%s.damaged-%d" % (self.path, wall_ms())
        for tail in ("", "-wal", "-shm"):
            if os.path.exists(self.path + tail):
                os.replace(self.path + tail, aside + tail)
        return aside

    def _state(self, fault):
        one = self.db.execute
        rows = one("SELECT cls, COUNT(*), SUM(LENGTH(CAST(text AS BLOB))) FROM record GROUP BY cls").fetchall()
        marks = dict(one("SELECT uplink, seq FROM mark"))
        highest = one("SELECT MAX(seq) FROM record").fetchone()[0] or 0
        return {"epoch": one("SELECT value FROM fact WHERE name='epoch'").fetchone()[0], "fault": fault, "marks": marks,
                "next_seq": max([highest, *marks.values()]) + 1,
                "records": {r[0]: r[1] for r in rows}, "bytes": {r[0]: r[2] for r in rows}}

    async def commit(self, rows, drop):
        """See MemoryStorage.commit. Raises Rejected when the disk is full or the file cannot be written."""
        return await self._run(self._write, rows, drop)

    def _write(self, rows, drop):
        def change():
            removed = self._delete("seq IN (%s)" % ",".join(map(str, map(int, drop)))) if drop else {}
            self.db.executemany("INSERT INTO record VALUES(?, ?, ?, ?)", rows)
            return removed
        return self._transaction(change)

    def _transaction(self, change):
        try:
            self.db.execute("BEGIN IMMEDIATE")
            result = change()
            self.db.execute("COMMIT")
            return result
        except sqlite3.Error as error:
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
            raise Rejected("%s: %s" % (self.path, error), "free some room; nothing that was accepted is lost")

    def _delete(self, where):
        """Delete rows and give {class: (records, bytes)} of them."""
        rows = self.db.execute("SELECT cls, COUNT(*), SUM(LENGTH(CAST(text AS BLOB))) FROM record WHERE %s GROUP BY cls"
                               % where).fetchall()
        self.db.execute("DELETE FROM record WHERE " + where)
        return {r[0]: (r[1], r[2]) for r in rows}

    async def read(self, after, limit, cls=None):
        """See MemoryStorage.read."""
        return await self._run(self._all, "SELECT seq, cls, text FROM record WHERE seq > ? %s ORDER BY seq LIMIT ?"
                               % ("AND cls = ?" if cls else ""), (after, cls, limit) if cls else (after, limit))

    def _all(self, query, values):
        return self.db.execute(query, values).fetchall()

    async def oldest(self, cls, size, after):
        """See MemoryStorage.oldest."""
        return await self._run(self._oldest, cls, size, after)

    def _oldest(self, cls, size, after):
        found = []
        for row in self.db.execute("SELECT seq, cls, t_ms, LENGTH(CAST(text AS BLOB)) FROM record "
                                   "WHERE cls = ? AND seq > ? ORDER BY seq", (cls, after)):
            found.append(row)
            size -= row[3]
            if size <= 0:
                break
        return found

    async def acknowledge(self, uplink, seq, upto):
        """See MemoryStorage.acknowledge."""
        return await self._run(self._acknowledge, uplink, seq, upto)

    def _acknowledge(self, uplink, seq, upto):
        def change():
            self.db.execute("INSERT INTO mark VALUES(?, ?) ON CONFLICT DO UPDATE SET seq = excluded.seq", (uplink, seq))
            return self._delete("seq <= %d" % upto)
        # An acknowledgement that a power cut undoes is asked for again: it need not wait for the disk.
        self.db.execute("PRAGMA synchronous=NORMAL")
        try:
            return self._transaction(change)
        finally:
            self.db.execute("PRAGMA synchronous=FULL")

    async def close(self):
        """Close the file; its journal is folded in."""
        if self.db:
            await self._run(self.db.close)
        self.worker.shutdown()
