"""Durable storage of the outbox in SQLite: the interface of gateway.core.memory.MemoryStorage.

WAL with synchronous=FULL: a commit that returned survives a power cut, as far as the disk keeps its word on a
flush. One connection, one thread of its own, so that the event loop never waits for the disk.
"""

import asyncio
import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor

from gateway.core.compat import random_id, wall_ms
from gateway.core.errors import PluginError, Rejected
from gateway.salvage import checksum, salvage

SCHEMA = """
CREATE TABLE IF NOT EXISTS record(seq INTEGER PRIMARY KEY, cls TEXT NOT NULL, t_ms INTEGER NOT NULL, text TEXT NOT NULL,
 crc INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS record_cls ON record(cls, seq);
CREATE TABLE IF NOT EXISTS fact(name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS mark(uplink TEXT PRIMARY KEY, seq INTEGER NOT NULL);
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
        """Run work in the thread. Raises Rejected for a disk that does not take it, PluginError for a file that is damaged."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self.worker, work, *values)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise Rejected("%s: %s" % (self.path, error), "free some room; nothing that was accepted is lost")
            raise PluginError("%s is damaged: %s" % (self.path, error), "start again: what is whole is read back")

    async def open(self):
        """See MemoryStorage.open. A file that is damaged is moved aside, and what can be read of it is read back."""
        return await self._run(self._open)

    def _open(self):
        restored = self.path + ".restored"
        if os.path.exists(restored) and not os.path.exists(self.path):
            os.replace(restored, self.path)  # a power cut came between the two moves of _restore
        try:
            self._connect(self.path)
            return self._state("")
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and "disk I/O" not in str(error):
                raise Rejected("%s: %s" % (self.path, error), "is the folder writable, and no other gateway running on it?")
            if self.db:
                self.db.close()
            return self._restore(restored, str(error))

    def _connect(self, path):
        # Short statements are prepared once and kept; autocommit, since each write opens its own transaction.
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=32)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=%d" % CHECKPOINT_PAGES,
                       "locking_mode=EXCLUSIVE"):
            self.db.execute("PRAGMA " + pragma)
        if self.max_bytes:
            self.db.execute("PRAGMA max_page_count=%d" % (self.max_bytes // 4096))
        self.db.executescript(SCHEMA)
        self.db.execute("INSERT OR IGNORE INTO fact VALUES('epoch', ?)", (random_id(),))
        if self.db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError("quick_check failed")

    def _restore(self, restored, why):
        """Make a new file of what the damaged one still gives, and keep that aside. Its epoch goes on, beyond any number used."""
        found = salvage(self.path)
        remove(restored)
        self._connect(restored)

        def change():
            self.db.executemany("INSERT OR REPLACE INTO fact VALUES(?, ?)", found.facts)
            self.db.executemany("INSERT INTO mark VALUES(?, ?)", found.marks)
            self.db.executemany("INSERT INTO record VALUES(?, ?, ?, ?, ?)", found.rows)
        self._transaction(change)
        self.db.close()
        aside = "%s.damaged-%d" % (self.path, wall_ms())
        for tail in ("-wal", ""):
            if os.path.exists(self.path + tail):
                os.replace(self.path + tail, aside + tail)
        remove(self.path)
        os.replace(restored, self.path)
        self._connect(self.path)
        state = self._state("the outbox file was damaged (%s) and is kept as %s; %d records of it were read back, up to %d were not"
                            % (why, aside, len(found.rows), found.missing))
        return dict(state, missing=found.missing)

    def _state(self, fault):
        one = self.db.execute
        rows = one("SELECT cls, COUNT(*), SUM(LENGTH(CAST(text AS BLOB))) FROM record GROUP BY cls").fetchall()
        marks = dict(one("SELECT uplink, seq FROM mark"))
        highest = one("SELECT MAX(seq) FROM record").fetchone()[0] or 0
        facts = dict(one("SELECT name, value FROM fact"))
        return {"epoch": facts["epoch"], "fault": fault, "marks": marks, "missing": 0,
                "next_seq": max([highest, int(facts.get("floor", 0)), *marks.values()]) + 1,
                "records": {r[0]: r[1] for r in rows}, "bytes": {r[0]: r[2] for r in rows}}

    async def commit(self, rows, drop):
        """See MemoryStorage.commit."""
        return await self._run(self._write, rows, drop)

    def _write(self, rows, drop):
        def change():
            removed = self._delete("seq IN (%s)" % ",".join(map(str, map(int, drop)))) if drop else {}
            # a stop cancels the wait for a write, not the write itself: then the same rows come once more
            self.db.executemany("INSERT OR REPLACE INTO record VALUES(?, ?, ?, ?, ?)", [(*row, checksum(*row)) for row in rows])
            return removed
        return self._transaction(change)

    def _transaction(self, change):
        try:
            self.db.execute("BEGIN IMMEDIATE")
            result = change()
            self.db.execute("COMMIT")
            return result
        except sqlite3.Error:
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
            raise

    def _delete(self, where):
        """Delete rows and give {class: (records, bytes)} of them."""
        rows = self.db.execute("SELECT cls, COUNT(*), SUM(LENGTH(CAST(text AS BLOB))) FROM record WHERE %s GROUP BY cls"
                               % where).fetchall()
        self.db.execute("DELETE FROM record WHERE " + where)
        return {r[0]: (r[1], r[2]) for r in rows}

    async def read(self, after, limit, cls=None):
        """See MemoryStorage.read. The text of a row whose bits have changed on the disk is empty."""
        return await self._run(self._read, "SELECT * FROM record WHERE seq > ? %s ORDER BY seq LIMIT ?"
                               % ("AND cls = ?" if cls else ""), (after, cls, limit) if cls else (after, limit))

    def _read(self, query, values):
        return [(row[0], row[1], row[3] if checksum(*row[:4]) == row[4] else "") for row in self.db.execute(query, values)]

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


def remove(path):
    """Delete a database file, where there is one."""
    for tail in ("", "-wal", "-shm"):
        if os.path.exists(path + tail):
            os.remove(path + tail)
