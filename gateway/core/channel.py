"""Bounded hand-over between two tasks."""

import asyncio

from gateway.core.compat import bounded_deque
from gateway.core.errors import EndOfStream


class Channel:
    """At most `size` items. A live channel drops the oldest and counts it; a lossless one makes put() wait.

    MicroPython has no asyncio.Queue; two Events do (the pattern of Peter Hinch's primitives).
    """

    def __init__(self, size, lossless=False):
        self.items = bounded_deque(size + 1)
        self.size = size
        self.lossless = lossless
        self.dropped = 0
        self.peak = 0
        self.closed = False
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()

    async def put(self, item):
        """Hand `item` over. Raises EndOfStream on a closed channel."""
        while self.lossless and len(self.items) >= self.size and not self.closed:
            self._emptied.clear()
            await self._emptied.wait()
        if self.closed:
            raise EndOfStream("the channel is closed")
        if len(self.items) >= self.size:
            self.items.popleft()
            self.dropped += 1
        self.items.append(item)
        self.peak = max(self.peak, len(self.items))
        self._filled.set()

    async def get(self):
        """The oldest item; waits for one. Raises EndOfStream when closed and empty."""
        while not self.items:
            if self.closed:
                raise EndOfStream("the channel is closed")
            self._filled.clear()
            await self._filled.wait()
        self._emptied.set()
        return self.items.popleft()

    def close(self):
        """No more items will come; what is inside can still be taken."""
        self.closed = True
        self._filled.set()
        self._emptied.set()
