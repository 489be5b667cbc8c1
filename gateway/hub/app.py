"""The hub: wires store, ingest, HTTP and MQTT, and keeps them running."""

import asyncio
import logging
import signal

from gateway.core.compat import Clock
from gateway.core.errors import ConfigError
from gateway.core.supervisor import Supervisor
from gateway.hub.announcer import Announcer
from gateway.hub.http import Site
from gateway.hub.ingest import Ingest
from gateway.hub.mqtt import Listener
from gateway.hub.store import SqliteStore

LOG = logging.getLogger("heed.hub")


def store_of(database):
    """The store for a path, or for a postgresql:// address. Raises ConfigError where psycopg is missing."""
    if database.startswith(("postgresql://", "postgres://")):
        try:
            from gateway.hub.postgres import PostgresStore  # an extra: only where it is asked for
        except ImportError as error:
            raise ConfigError("%s: %s" % (database.split("@")[-1], error), "pip install 'heed-gateway[hub]'")
        return PostgresStore(database)
    return SqliteStore(database)


class Hub:
    """database: file or postgresql:// address; listen: (host, port) or None; broker: MQTT options or None; name: of this
    worker; group: shared subscription; token, tls, revoked: see Site; enrolment: see gateway.hub.enrolment, or None;
    rounds: see gateway.hub.rounds, or None."""

    def __init__(self, database, listen=None, broker=None, name="heed-hub", group="", token="", tls=None, enrolment=None, revoked=None,
                 rounds=None):
        self.ingest = Ingest(store_of(database))
        self.listen = listen
        self.enrolment = enrolment
        self.rounds = rounds
        routes = [*(enrolment.routes() if enrolment else ()), *(rounds.routes() if rounds else ())]
        if rounds:
            rounds.attach(self.ingest)
        if enrolment:
            enrolment.counters, revoked = self.ingest.counters, enrolment.revoked
        self.site = Site(self.ingest, token, tls, routes, revoked) if listen else None
        self.listener = Listener(self.ingest, broker, name, group) if broker else None
        self.announcer = Announcer(rounds, broker, name) if broker and rounds else None
        self.supervisor = Supervisor(Clock, lambda level, message: LOG.log(getattr(logging, level.upper()), message))
        self.port = None

    async def start(self):
        """Open the store, listen, begin. Raises NotConnected."""
        await self.ingest.ask(self.ingest.store.open)
        self.supervisor.add("ingest", self._ingest, essential=True)
        if self.listener:
            self.supervisor.add("mqtt", self.listener.run)
        if self.site:
            self.port = await self.site.start(*self.listen)
        if self.enrolment:
            self.enrolment.context = self.site and self.site.context
            self.supervisor.add("certificates", self.enrolment.run)
        if self.rounds:
            self.supervisor.add("rounds", self.rounds.run)
        if self.announcer:
            self.supervisor.add("round topics", self.announcer.run)
        self.supervisor.start()

    async def _ingest(self, up):
        up()
        await self.ingest.run()

    async def stop(self):
        """Stop taking, then close the store."""
        if self.site:
            await self.site.stop()
        await self.supervisor.stop()
        await self.ingest.ask(self.ingest.store.close)

    async def until(self, stopping):
        """Run until the event `stopping`, or until an essential part fails for good."""
        stop = asyncio.ensure_future(stopping.wait())
        fatal = asyncio.ensure_future(self.supervisor.until(lambda: False))
        done, rest = await asyncio.wait({stop, fatal}, return_when=asyncio.FIRST_COMPLETED)
        for task in rest:
            task.cancel()
        for task in done:
            task.result()


def serve(hub, said):
    """Run a hub in this process until SIGINT or SIGTERM; said(hub) is called once it listens."""
    async def main():
        stopping, loop = asyncio.Event(), asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stopping.set)
        await hub.start()
        said(hub)
        try:
            await hub.until(stopping)
        finally:
            await hub.stop()
    asyncio.run(main())
