"""Waiting for something to become true. MicroPython has asyncio.Event, but no Condition and no Queue."""

import asyncio


class Condition:
    """notify() after each change; wait_for(predicate) returns once the predicate holds."""

    def __init__(self):
        self._event = asyncio.Event()

    def notify(self):
        """Let all who wait look again."""
        self._event.set()

    async def wait_for(self, predicate):
        """Wait until predicate() is true; it is asked at once, then after each notify()."""
        while not predicate():
            self._event.clear()
            await self._event.wait()
