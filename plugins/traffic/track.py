"""What is kept of one sensor: a week of slots without holes, and how its last readings came about."""
# runs on CPython and MicroPython

from gateway.core.window import Window
from plugins.traffic.lags import AHEAD, RECENT, span


class Track:
    """per_day: slots in a day. newest: number of the last slot filed; absent, same, copied: for how many slots until
    now nothing came, the reading did not change, or was the week before's."""

    def __init__(self, per_day, slot):
        self.week = 7 * per_day
        self.backs = (self.week, per_day, 1)
        self.window = Window(span(per_day), "i")
        self.newest = slot - 1
        self.absent = self.same = self.copied = 0
        self.value = 0

    def back(self, slots):
        """The value `slots` before the next one, or 0 where nothing is kept of it."""
        total = self.window.total
        return self.window.span(total - slots, total - slots + 1)[0] if slots <= self.window.filled else 0

    def fill(self):
        """What stands in for a reading: the week before's, else the day before's, else the last."""
        for slots in self.backs:
            value = self.back(slots)
            if value:
                return value
        return 0

    def file(self, slot, value):
        """Put a reading (None: none came) into its slot; gives how many slots before it had to be filled."""
        gap = min(slot - self.newest - 1, self.window.size)
        for _ in range(gap):
            self._put(None)
        self.newest = slot
        self._put(value)
        return gap

    def _put(self, value):
        self.absent = self.absent + 1 if value is None else 0
        filled = self.fill() if value is None else value
        self.same = self.same + 1 if value is not None and value == self.value else 0
        before = self.back(self.week)
        self.copied = self.copied + 1 if value is not None and value == before and value else 0
        self.value = filled
        self.window.push((filled,))

    def recent(self):
        """The last slots up to now; the oldest is repeated where fewer are kept."""
        n = min(RECENT, self.window.filled)
        values = list(self.window.latest(n))
        return values[:1] * (RECENT - n) + values

    def around(self, slots):
        """The slots around this time, so many slots before, or None where they are not all kept."""
        last = self.window.total - slots
        if last - RECENT < self.window.total - self.window.filled:
            return None
        return list(self.window.span(last - RECENT, last + AHEAD))

    def lags(self):
        """The LAGS values that a forecast looks at. A week that is not kept is the day, a day the last reading."""
        day = self.around(self.backs[1]) or [self.value] * (RECENT + AHEAD)
        return self.recent() + day + (self.around(self.week) or day)
