"""A part in a process of its own, spoken to over pipes."""

import asyncio
import json
import sys

from gateway.core.errors import PluginError
from gateway.isolation.wire import encode, pack, raised, unpack

LINE_BYTES = 16 * 1024 * 1024
START_S = 20


class ProcessPart:
    """Each verb is awaitable. The process starts with the first call, and anew after it died or was killed."""

    express = False
    sent_bytes = 0

    def __init__(self, found, options, context, verbs, budget_s):
        self.found = found
        self.options = options
        self.context = context
        self.budget_s = budget_s
        self.process = None
        for verb in verbs:
            setattr(self, verb, self._verb(verb))

    def _verb(self, verb):
        async def call(*values):
            if verb == "close" and not self.process:
                return None
            if not self.process:
                await self._start()
            try:
                return unpack(await self._ask([verb, [pack(value) for value in values]], self.budget_s))
            finally:
                if verb in ("close", "finish"):
                    await self._end()
        return call

    async def _start(self):
        found = self.found
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway.isolation.child", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            limit=LINE_BYTES)
        self.context.count("processes_started")
        await self._ask({"name": self.context.name, "folder": str(self.context.folder), "gateway": self.context.gateway,
                         "manifest": found.manifest,
                         "path": str(found.path), "module": found.module, "options": self.options,
                         "mb": found.manifest["budget"].get("mb")}, START_S)

    async def _ask(self, message, limit_s):
        """Send a line, wait for the answer. A part that hangs, exits or babbles is killed: PluginError."""
        name = self.context.name
        try:
            answer = await self._exchange(message, limit_s)
        except TimeoutError:
            await self._end()
            self.context.count("hung_calls")
            raise PluginError("%s did not answer in %.1f s and was stopped" % (name, limit_s), "raise its budget, or mend it")
        except (OSError, ValueError):
            answer = None
        except asyncio.CancelledError:
            await self._end()  # its answer would be taken for that to the next question
            raise
        if not isinstance(answer, dict) or not ("result" in answer or "error" in answer):
            code = await self._end()
            self.context.count("processes_died")
            raise PluginError("%s has exited (%s)" % (name, code), "see its output in the log")
        self.context.counters.update({"part_" + key: value for key, value in answer["counters"].items()})
        if "error" in answer:
            raise raised(answer)
        return answer["result"]

    async def _exchange(self, message, limit_s):
        self.process.stdin.write(encode(message))
        await self.process.stdin.drain()
        line = await asyncio.wait_for(self.process.stdout.readline(), limit_s)
        return json.loads(line) if line else None

    async def _end(self):
        """Stop the process; gives its exit code."""
        process, self.process = self.process, None
        if process:
            if process.returncode is None:
                process.kill()
            process.stdin.close()
            return await process.wait()
        return None
