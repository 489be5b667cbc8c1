"""How long the room on disk lasts: hours until a class of records reaches its limit, at the rate of the last hour."""

import math

from gateway.core.compat import ticks_diff

MEMORY_MS = 3600000
SOONEST_MS = 10000  # a rate from less than that says nothing


class Horizon:
    """quota: gateway.core.quota.Quota. The rate of each class is a mean over time that forgets by half in 40 minutes."""

    def __init__(self, quota, ticks_ms):
        self.quota = quota
        self.ticks_ms = ticks_ms
        self.began = self.last = ticks_ms()
        self.taken, self.rates = {}, {}

    def _update(self):
        """Account for what was taken since the last call."""
        now = self.ticks_ms()
        passed, self.last = ticks_diff(now, self.last), now
        keep = math.exp(-passed / MEMORY_MS)
        for cls, total in self.quota.taken.items():
            fresh, self.taken[cls] = total - self.taken.get(cls, 0), total
            self.rates[cls] = keep * self.rates.get(cls, 0) + (1 - keep) * fresh / max(1, passed)
        return ticks_diff(now, self.began)

    def hours_left(self):
        """{class: hours, or None while nothing is known or nothing comes}."""
        age = self._update()
        weight = 1 - math.exp(-age / MEMORY_MS)  # what the mean has of its weight, so soon after the start
        return {cls: self._hours(cls, self.rates.get(cls, 0) / weight if age >= SOONEST_MS else 0) for cls in self.quota.limits}

    def _hours(self, cls, rate):
        room = max(0, self.quota.limits[cls][0] - self.quota.bytes[cls])
        return round(room / rate / 3600000, 2) if rate else None
