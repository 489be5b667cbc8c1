"""From batches to answers: many batches of many gateways share a commit."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from gateway.core.errors import ConfigError, HeedError, NotConnected, Rejected
from gateway.forms.compress import unpack
from gateway.forms.envelope import loads

MAX_PACKED = 2 << 20
MAX_PLAIN = 8 << 20
MERGE_RECORDS = 2000
MAX_WAITING = 500
COMMIT_MS = 5


class Ingest:
    """store: see gateway.hub.store. take() answers once the batch is durable."""

    def __init__(self, store):
        self.store = store
        self.waiting = asyncio.Queue(MAX_WAITING)
        self.worker = ThreadPoolExecutor(1, "hub")
        self.counters = {"batches": 0, "records": 0, "bytes": 0, "commits": 0, "express": 0, "refused": 0, "turned_away": 0,
                         "store_failures": 0, "answers_lost": 0}
        self.fault = ""

    async def ask(self, work, *values):
        """Run a function of the store in its thread."""
        return await asyncio.get_running_loop().run_in_executor(self.worker, work, *values)

    async def take(self, payload, gateway=None):
        """(batch, mark) of a payload that is stored. gateway: who the line says it is, None = nobody says.

        Raises Rejected for what will never be taken, NotConnected for what may be taken later, ConfigError for what is taken
        once the gateway goes by its own name.
        """
        self.counters["bytes"] += len(payload)
        try:
            if len(payload) > MAX_PACKED:
                raise Rejected("the payload has more than %d bytes" % MAX_PACKED, "send smaller batches")
            batch = loads(unpack(payload, MAX_PLAIN))
        except Rejected:
            self.counters["refused"] += 1
            raise
        if gateway is not None and batch.gateway != gateway:
            self.counters["turned_away"] += 1
            raise ConfigError("the gateway calls itself %s, the line is that of %s" % (batch.gateway, gateway), "mend [gateway] name")
        if self.waiting.full():
            self.counters["turned_away"] += 1
            raise NotConnected("too much waits for the database", "it is sent again later")
        answer = asyncio.get_running_loop().create_future()
        self.waiting.put_nowait((batch, answer))
        return batch, await answer

    async def run(self):
        """Commit what waits, for ever."""
        while True:
            jobs = [await self.waiting.get()]
            await asyncio.sleep(COMMIT_MS / 1000)
            while not self.waiting.empty() and sum(job[0].count for job in jobs) < MERGE_RECORDS:
                jobs.append(self.waiting.get_nowait())
            await self._commit(jobs)

    async def _commit(self, jobs):
        batches = [batch for batch, _ in jobs]
        try:
            answers = await self.ask(self.store.apply, batches)
            self.fault = ""
        except HeedError as error:
            self.counters["store_failures"] += 1
            self.fault = str(error)
            answers = [error] * len(jobs)
            await asyncio.sleep(1)
        self.counters["commits"] += 1
        for (batch, future), answer in zip(jobs, answers):
            self._answer(batch, future, answer)

    def _answer(self, batch, future, answer):
        if future.done():  # whoever asked has gone; the batch is stored all the same
            return
        if isinstance(answer, Exception):
            future.set_exception(NotConnected(str(answer), "it is sent again later"))
            return
        self.counters["batches"] += 1
        self.counters["records"] += batch.count
        self.counters["express"] += batch.express
        future.set_result(answer)
