"""Restarts what failed, alone; backs off; parks what keeps failing, visibly.

After Erlang's supervisors: more than `most` failures within `window_ms` park a child, and it is tried again
after a long rest; wrong settings park it for good. NotConnected is no failure: it is waited out. When an
essential child parks, the supervisor fails, so that systemd or the hardware watchdog takes over.
"""

import asyncio
import random

from gateway.core.compat import bounded_deque, print_exception, ticks_diff
from gateway.core.condition import Condition
from gateway.core.errors import ConfigError, EndOfStream, HeedError, NotConnected, PluginError


class Child:
    """run(up): makes a coroutine that calls up() once it works; essential: the whole cannot go on without it."""

    def __init__(self, name, run, essential, most):
        self.name = name
        self.run = run
        self.essential = essential
        self.state = "starting"
        self.reason = ""
        self.restarts = 0
        self.failures = bounded_deque(most + 1)
        self.task, self.worked = None, False


class Supervisor:
    """most: failures within window_ms that are still hiccups; first_ms, cap_ms: restart delay, doubling;
    rest_ms: how long a parked child rests before one more try; log(level, message)."""

    def __init__(self, clock, log, most=5, window_ms=60000, first_ms=200, cap_ms=30000, rest_ms=300000):
        self.clock = clock
        self.log = log
        self.most, self.window_ms = most, window_ms
        self.first_ms, self.cap_ms, self.rest_ms = first_ms, cap_ms, rest_ms
        self.children, self.fatal, self._changed = [], None, Condition()

    def add(self, name, run, essential=False):
        """Add a child; children start in this order and stop in reverse."""
        self.children.append(Child(name, run, essential, self.most))

    def start(self):
        """Start all children."""
        for child in self.children:
            child.task = asyncio.create_task(self._keep(child))

    async def until(self, done):
        """Wait until done() holds. Raises PluginError when an essential child has parked."""
        await self._changed.wait_for(lambda: self.fatal or done())
        if self.fatal:
            raise PluginError("%s has failed for good: %s" % (self.fatal.name, self.fatal.reason),
                              "`heed check` tests the settings")

    async def stop(self):
        """Stop all children, the last started first."""
        for child in reversed(self.children):
            polls = 0
            while not child.task.done():
                if polls % 1000 == 0:  # once more: wait_for of Python 3.11 swallows one that comes as its future is done
                    child.task.cancel()
                polls += 1
                await self.clock.sleep_ms(5 if polls > 3 else 0)

    async def _keep(self, child):
        """Run one child until it is done or parked for good."""
        delay = self.first_ms
        while True:
            began, child.worked = self.clock.ticks_ms(), False
            if await self._once(child):
                return
            if ticks_diff(self.clock.ticks_ms(), began) > self.window_ms or child.worked and child.state == "waiting":
                delay = self.first_ms
            jitter = delay * random.getrandbits(6) // 256  # many gateways must not come back in step
            await self.clock.sleep_ms(self.rest_ms if child.state == "parked" else delay + jitter)
            delay = min(2 * delay, self.cap_ms)

    async def _once(self, child):
        """One run of a child. True when it will not run again."""
        try:
            await child.run(lambda: self._set(child, "running"))
        except EndOfStream:
            pass
        except NotConnected as error:
            self._set(child, "waiting", str(error))
            return False
        except ConfigError as error:
            return self._park(child, str(error), True)
        except Exception as error:  # the one door behind which any part may fail
            return self._failed(child, error)
        self._set(child, "done")
        return True

    def _failed(self, child, error):
        if not isinstance(error, HeedError):
            print_exception(error)
        reason = str(error) or repr(error)
        now = self.clock.ticks_ms()
        child.failures.append(now)
        child.restarts += 1
        if len(child.failures) > self.most and ticks_diff(now, child.failures[0]) <= self.window_ms:
            return self._park(child, reason, child.essential)
        self._set(child, "resting", reason)
        return False

    def _park(self, child, reason, for_good):
        self.fatal = child if child.essential else self.fatal
        self._set(child, "parked", reason)
        return for_good

    def _set(self, child, state, reason=""):
        """Change a state; each loss and each return is logged once."""
        child.worked = child.worked or state == "running"
        if (state, reason) != (child.state, child.reason):
            if reason or child.reason:
                self.log("warning" if reason else "info", "%s is %s%s" % (child.name, state, reason and ": " + reason))
            child.state, child.reason = state, reason
        self._changed.notify()
