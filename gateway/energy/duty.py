"""Duty of the radio: while energy is short the uplinks flush each so many minutes, and the radio is off between."""

from gateway.core.compat import ticks_diff


class Duty:
    """every_ms: from flush to flush; open_ms: how long a flush may take; short(): whether energy is short; waits(): whether anything
    waits for the far end; alarms(): how many alarms there have been, since a new one opens at once."""

    def __init__(self, every_ms, open_ms, clock, short, waits, alarms):
        self.every_ms, self.open_ms, self.clock = every_ms, open_ms, clock
        self.short, self.waits, self.alarms = short, waits, alarms
        self.open, self.since, self.seen = True, clock.ticks_ms(), 0
        self.counters = {"flushes": 0, "flushes_cut": 0}

    def on(self):
        """Whether the radio should be on."""
        passed = ticks_diff(self.clock.ticks_ms(), self.since)
        if not self.short():
            self._set(True)
        elif self.open:
            if not self.waits() or passed >= self.open_ms:
                self.counters["flushes_cut"] += self.waits()
                self._set(False)
        elif passed >= self.every_ms or self.alarms() != self.seen:
            self.counters["flushes"] += 1
            self._set(True)
        return self.open

    def _set(self, open):
        if open != self.open or not self.short():
            self.since = self.clock.ticks_ms()
        self.open, self.seen = open, self.alarms()

    def closed(self):
        """Why nothing may pass, in words; "" when the radio is on."""
        left = self.every_ms - ticks_diff(self.clock.ticks_ms(), self.since)
        return "" if self.open else "energy is short: the radio is on again in %d s" % max(0, left // 1000)
