"""Bounded hand-over between two tasks."""

from gateway.core.compat import bounded_deque
from gateway.core.condition import Condition
from gateway.core.errors import EndOfStream


class Channel:
    """At most `size` items. A live channel drops the oldest and counts it; a lossless one makes put() wait."""

    def __init__(self, size, lossless=False):
        self.items = bounded_deque(size)
        self.size = size
        self.lossless = lossless
        self.dropped = 0
        self.peak = 0
        self.closed = False
        self._filled = Condition()
        self._emptied = Condition()

    async def put(self, item):
        """Hand `item` over. Raises EndOfStream on a closed channel."""
        if self.lossless:
            await self._emptied.wait_for(lambda: len(self.items) < self.size or self.closed)
        if self.closed:
            raise EndOfStream("the channel is closed")
        if len(self.items) == self.size:
            self.items.popleft()
            self.dropped += 1
        self.items.append(item)
        self.peak = max(self.peak, len(self.items))
        self._filled.notify()

    async def get(self):
        """The oldest item; waits for one. Raises EndOfStream when closed and empty."""
        await self._filled.wait_for(lambda: self.items or self.closed)
        if not self.items:
            raise EndOfStream("the channel is closed")
        self._emptied.notify()
        return self.items.popleft()

    def close(self):
        """No more items will come; what is inside can still be taken."""
        self.closed = True
        self._filled.notify()
        self._emptied.notify()
