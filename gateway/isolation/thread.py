"""A part in a thread of its own."""

import asyncio
import inspect
from concurrent.futures import ThreadPoolExecutor

from gateway.core.errors import PluginError


class ThreadPart:
    """Each verb becomes awaitable and runs in one thread. budget_s: longest a call may take, None = any time."""

    def __init__(self, part, verbs, budget_s, context):
        self.part = part
        self.budget_s = budget_s
        self.context = context
        self.worker = ThreadPoolExecutor(1, "heed-" + context.name)
        for verb in verbs:
            setattr(self, verb, self._verb(getattr(part, verb)))

    def _verb(self, function):
        async def call(*values):
            work = asyncio.get_running_loop().run_in_executor(self.worker, self._here, function, values)
            try:
                return await asyncio.wait_for(work, self.budget_s)
            except TimeoutError:
                # A thread cannot be killed: it is left behind, and a fresh one takes the next call.
                self.context.count("hung_calls")
                self.worker.shutdown(wait=False)
                self.worker = ThreadPoolExecutor(1, "heed-" + self.context.name)
                raise PluginError("%s did not answer in %.1f s" % (self.context.name, self.budget_s), "run it with isolation = \"process\"")
        return call

    @staticmethod
    def _here(function, values):
        result = function(*values)
        return asyncio.run(result) if inspect.iscoroutine(result) else result
