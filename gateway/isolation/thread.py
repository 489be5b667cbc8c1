"""A part in a thread of its own."""

import asyncio
import inspect
import queue
import threading

from gateway.core.errors import PluginError


class Worker:
    """One daemon thread: the gateway can end although a call in it hangs (a thread pool would wait for it)."""

    def __init__(self, name):
        self.jobs = queue.SimpleQueue()
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def _work(self):
        for loop, future, function, values in iter(self.jobs.get, None):
            try:
                result = function(*values)
                result = asyncio.run(result) if inspect.iscoroutine(result) else result
                self._tell(loop, future, future.set_result, result)
            except BaseException as error:  # it belongs to whoever called
                self._tell(loop, future, future.set_exception, error)

    @staticmethod
    def _tell(loop, future, setter, value):
        if not loop.is_closed():
            loop.call_soon_threadsafe(lambda: future.done() or setter(value))

    def run(self, function, values):
        """A future of the loop that runs now."""
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        self.jobs.put((loop, future, function, values))
        return future


class ThreadPart:
    """Each verb becomes awaitable and runs in one thread. budget_s: longest a call may take, None = any time."""

    express = False
    sent_bytes = 0

    def __init__(self, part, verbs, budget_s, context):
        self.budget_s = budget_s
        self.context = context
        self.worker = Worker(context.name)
        for verb in verbs:
            setattr(self, verb, self._verb(getattr(part, verb)))

    def _verb(self, function):
        async def call(*values):
            try:
                return await asyncio.wait_for(self.worker.run(function, values), self.budget_s)
            except asyncio.CancelledError:
                self._leave()  # or close() would wait behind a call that hangs
                raise
            except TimeoutError:
                self.context.count("hung_calls")
                self._leave()
                raise PluginError("%s did not answer in %.1f s" % (self.context.name, self.budget_s),
                                  'run it with isolation = "process"')
        return call

    def _leave(self):
        """A thread cannot be killed: it is left behind, and a fresh one takes the next call."""
        self.worker.jobs.put(None)
        self.worker = Worker(self.context.name)
