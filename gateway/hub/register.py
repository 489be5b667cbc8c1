"""The hub's register of tokens and certificates: who was let in, when, until when, and who was put out."""

import hashlib
import re
import secrets
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path

from gateway.core.errors import ConfigError, Rejected
from gateway.hub import HUB
from gateway.hub.ca import described, key_of

SCHEMA = """
CREATE TABLE IF NOT EXISTS token(hash TEXT PRIMARY KEY, gateway TEXT NOT NULL, until_ms INTEGER NOT NULL, key TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS certificate(serial TEXT PRIMARY KEY, gateway TEXT NOT NULL, from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL,
  made_ms INTEGER NOT NULL, how TEXT NOT NULL, address TEXT NOT NULL, revoked_ms INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS certificate_gateway ON certificate(gateway);
"""
NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")  # what may stand in a topic, in a path and in a certificate
MAX_VALID = 10  # certificates of one gateway; in order it has two, the old one and its successor
KEPT_MS = 400 * 86400000  # how long certificates that have ended stay in the register


class Register:
    """authority: see gateway.hub.ca; days: life of the certificates. Each call is one transaction on DATABASE in its folder."""

    def __init__(self, authority, days=30):
        self.authority = authority
        self.days = days
        self.path = Path(authority.folder) / "register.db"

    def _do(self, work):
        """work(db) in one transaction, on a connection of its own: commands and the hub share the file."""
        db = sqlite3.connect(self.path, isolation_level=None, timeout=10)
        try:
            self.path.chmod(0o600)
            db.executescript(SCHEMA)
            db.execute("BEGIN IMMEDIATE")
            result = work(db)
            db.execute("COMMIT")
            return result
        finally:
            db.close()

    def token(self, gateway, hours):
        """A fresh secret that lets one key in as `gateway`, within `hours`. Only its hash is kept. Raises ConfigError."""
        if not NAME.fullmatch(gateway) or gateway == HUB:
            raise ConfigError("a gateway cannot be called %r" % gateway, "1 to 64 of A-Z a-z 0-9 _ . - , and not %s" % HUB)
        value = secrets.token_urlsafe(24)

        def work(db):
            db.execute("DELETE FROM token WHERE until_ms < ?", (now_ms(),))
            until_ms = now_ms() + int(hours * 3600000)
            db.execute("INSERT INTO token(hash, gateway, until_ms) VALUES(?, ?, ?)", (digest(value), gateway, until_ms))
        self._do(work)
        return value

    def enrol(self, token, request, address=""):
        """(gateway, certificate as PEM text) for a token. Asked again with the same key it answers again: an answer may be
        lost on the way. Raises Rejected."""
        key = key_of(request)

        def work(db):
            found = db.execute("SELECT gateway, until_ms, key FROM token WHERE hash = ?", (digest(token),)).fetchone()
            if not found:
                raise Rejected("the token is not known here", "it may be of another hub, or long over: `heed hub token`")
            gateway, until_ms, used_by = found
            if used_by not in ("", key):
                raise Rejected("the token has been used by another gateway", "make a new one: `heed hub token`")
            if until_ms < now_ms():
                raise Rejected("the token is over", "make a new one: `heed hub token`")
            pem = self._issue(db, gateway, request, "token", address)
            db.execute("UPDATE token SET key = ? WHERE hash = ?", (key, digest(token)))
            return gateway, pem
        return self._do(work)

    def renew(self, gateway, serial, request, address=""):
        """(gateway, certificate) for one whose old certificate holds. Raises Rejected."""
        def work(db):
            old = db.execute("SELECT revoked_ms FROM certificate WHERE serial = ? AND gateway = ?", (serial, gateway)).fetchone()
            if not old or old[0]:
                raise Rejected("the certificate of %s is %s" % (gateway, "revoked" if old else "not from this hub"), "")
            return gateway, self._issue(db, gateway, request, "renewal", address)
        return self._do(work)

    def _issue(self, db, gateway, request, how, address):
        valid = db.execute("SELECT COUNT(*) FROM certificate WHERE gateway = ? AND to_ms > ? AND revoked_ms = 0", (gateway, now_ms()))
        if valid.fetchone()[0] >= MAX_VALID:
            raise Rejected("%s has %d certificates that are valid" % (gateway, MAX_VALID), "put out those that are lost: `heed hub revoke`")
        pem, serial, from_ms, to_ms = described(self.authority.issue(request, gateway, self.days))
        db.execute("DELETE FROM certificate WHERE to_ms < ?", (now_ms() - KEPT_MS,))
        db.execute("INSERT INTO certificate VALUES(?, ?, ?, ?, ?, ?, ?, 0)", (serial, gateway, from_ms, to_ms, now_ms(), how, address))
        return pem

    def revoke(self, what):
        """Revoke all certificates and open tokens of a gateway, or one certificate by its serial; gives their serials, and
        writes the list for the broker. Raises ConfigError when there is none."""
        def work(db):
            rows = db.execute("SELECT serial FROM certificate WHERE gateway = ? OR serial = ?", (what, what.lower())).fetchall()
            tokens = db.execute("DELETE FROM token WHERE gateway = ?", (what,)).rowcount
            if not rows and not tokens:
                raise ConfigError("no certificate of %r" % what, "`heed hub certificates` lists them")
            db.executemany("UPDATE certificate SET revoked_ms = ? WHERE serial = ? AND revoked_ms = 0",
                           [(now_ms(), row[0]) for row in rows])
            self.authority.revoke([(int(serial, 16), datetime.fromtimestamp(ms / 1000, UTC)) for serial, ms in db.execute(
                "SELECT serial, revoked_ms FROM certificate WHERE revoked_ms > 0")])
            return [row[0] for row in rows]
        return self._do(work)

    def certificates(self):
        """All certificates that were issued, the newest first, as dicts."""
        names = ("serial", "gateway", "from_ms", "to_ms", "made_ms", "how", "address", "revoked_ms")
        rows = self._do(lambda db: db.execute("SELECT %s FROM certificate ORDER BY made_ms DESC" % ", ".join(names)).fetchall())
        return [dict(zip(names, row), state="revoked" if row[7] else "ended" if row[3] < now_ms() else "valid") for row in rows]


def digest(token):
    """A token has 192 random bits: a plain hash of it cannot be searched."""
    return hashlib.sha256(token.encode()).hexdigest()


def now_ms():
    """Wall time in ms."""
    return int(time.time() * 1000)
