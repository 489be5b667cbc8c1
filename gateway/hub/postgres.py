"""The hub's store on PostgreSQL: several workers may share one database. The only file that imports psycopg."""

import json

import psycopg

from gateway.core.errors import NotConnected
from gateway.hub.coverage import Coverage
from gateway.hub.store import COLUMNS, SCHEMA, Store

SETUP_LOCK = 7235  # any number: only one worker at a time makes the tables


class PostgresStore(Store):
    """url: postgresql://... Rows go in by COPY; marks are locked in one order, so that workers do not wait in a ring."""

    def __init__(self, url):
        self.url = url
        self.db = None

    def open(self):
        """Connect and make the tables. Raises NotConnected."""
        try:
            self.db = psycopg.connect(self.url, autocommit=True, connect_timeout=10)
            with self.db.transaction():
                self.db.execute("SELECT pg_advisory_xact_lock(%d)" % SETUP_LOCK)
                self.db.execute(SCHEMA.format(tail=""))
            self.db.execute("CREATE TEMPORARY TABLE fresh(LIKE record) ON COMMIT DELETE ROWS")
        except psycopg.Error as error:
            raise self._lost(error)

    @staticmethod
    def _lost(error):
        return NotConnected("PostgreSQL: %s" % (str(error).strip().split("\n")[0] or type(error).__name__), "nothing of it is acknowledged")

    def _do(self, statement, values=None, many=False):
        try:
            if many:
                self.db.cursor().executemany(statement, values)
                return None
            return self.db.execute(statement, values)
        except psycopg.Error as error:
            raise self._lost(error)

    def begin(self):
        """Begin a transaction, on a new connection where the old one is lost."""
        if self.db is None or self.db.closed:
            self.open()
        self._do("BEGIN")

    def load(self, keys):
        """{(gateway, epoch): Coverage}, locked until the end of the transaction; new ones are made."""
        gateways, epochs = [key[0] for key in keys], [key[1] for key in keys]
        self._do("INSERT INTO mark SELECT g, e, 0, '[]', 0, 0, 0 FROM UNNEST(%s::text[], %s::text[]) AS k(g, e) ORDER BY g, e "
                 "ON CONFLICT DO NOTHING", (gateways, epochs))
        rows = self._do("SELECT gateway, epoch, mark, ahead, missing FROM mark WHERE (gateway, epoch) IN (SELECT * FROM "
                        "UNNEST(%s::text[], %s::text[])) ORDER BY gateway, epoch FOR UPDATE", (gateways, epochs))
        return {(r[0], r[1]): Coverage(r[2], json.loads(r[3]), r[4]) for r in rows}

    def insert(self, rows):
        """COPY rows in; those that are there already stay as they are."""
        try:
            with self.db.cursor().copy("COPY fresh(%s) FROM STDIN" % ", ".join(COLUMNS)) as copy:
                for row in rows:
                    copy.write_row([value.replace("\0", "") if isinstance(value, str) else value for value in row])
        except psycopg.Error as error:
            raise self._lost(error)
        self._do("INSERT INTO record SELECT * FROM fresh ON CONFLICT DO NOTHING")

    def save(self, marks):
        """Write marks."""
        self._do("UPDATE mark SET mark = %s, ahead = %s, missing = %s, batches = batches + %s, seen_ms = %s WHERE gateway = %s AND "
                 "epoch = %s", [(*mark[2:], *mark[:2]) for mark in marks], many=True)

    def commit(self):
        """Make it durable."""
        self._do("COMMIT")

    def rollback(self):
        """Forget what was begun; a connection that cannot is dropped."""
        try:
            self.db.execute("ROLLBACK")
        except psycopg.Error:
            self.db.close()

    def query(self, statement, values):
        """All rows."""
        return self._do(statement.replace("?", "%s"), values).fetchall()

    def close(self):
        """Close the connection."""
        self.db.close()
