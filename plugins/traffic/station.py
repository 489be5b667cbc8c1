"""One sensor of a network: its track, its health, what was forecast of it, and what it says of each slot."""
# runs on CPython and MicroPython

from gateway.core.records import Summary
from plugins.traffic.band import Band, Quantile
from plugins.traffic.baseline import rule
from plugins.traffic.health import Health, words
from plugins.traffic.incident import Watch
from plugins.traffic.lags import AHEAD
from plugins.traffic.track import Track

HORIZONS = (2, 5, 11)  # forecasts that go upstream: in 15, 30 and 60 minutes where a slot has five
PEAK = 98  # percent of its readings that a sensor stays below: what its road carries, or its free flow


class Station:
    """options: of the plugin; step_ms: length of a slot; slot: the first one."""

    def __init__(self, signal, options, step_ms, slot):
        slots = lambda minutes: max(1, minutes * 60000 // step_ms)
        self.signal, self.options, self.step_ms = signal, options, step_ms
        self.track = Track(86400000 // step_ms, slot)
        self.health = Health(slots(options["dead_min"]), slots(options["stuck_min"]))
        self.watch = Watch(options["incident"], slots(options["calm_min"]), slots(60 * options["learn_h"]))
        self.band = Band(options["band"])
        self.peak = None
        self.reading = self.good = None
        self.congested = False
        self.values = self.why = None

    def file(self, slot, value):
        """Put a reading into its slot; gives how many slots before it were filled."""
        self.reading = None if value == 0 and not self.options["zeros"] else value
        return self.track.file(slot, self.reading)

    def close(self, slot, missed, hour, t_ms):
        """The slot is over: judge what was forecast of it; gives the Summaries of what has changed. missed: slots before
        it in which nothing came from any sensor."""
        for _ in range(min(missed, AHEAD)):
            self.band.judge(None)
        if self.track.newest < slot:
            self.reading = None
            self.track.file(slot, None)
        was, since = self.health.state, self.health.since
        state = self.health.update(self.track, slot)
        self.good = good = self.reading if self.health.state == "good" else None
        said = [self._failed(state, was, slot - since, t_ms)] if state else []
        if good is not None:
            if self.peak is None:
                self.peak = Quantile(PEAK, good)
            self.peak.update(good)
            said += self._incident(good, hour, t_ms)
        self.band.judge(good)
        return said

    def _failed(self, state, was, slots, t_ms):
        quiet = {"dead": self.track.absent, "stuck": self.track.same + 1}.get(state, slots)
        text = words(state, was, quiet * self.step_ms // 60000, self.said(self.track.value))
        return Summary(self.signal.stream, "event", "event", t_ms, text, {"event": "sensor_" + state, "was": was})

    def _incident(self, value, hour, t_ms):
        what, score, expected = self.watch.update(value, hour, self.band.forecast(1))
        if not what:
            return []
        ends = what == "ends"
        text = "back to what was expected" if ends else "%s instead of %s: %s" % (
            self.said(value), self.number(expected), "an incident?" if expected > value else "much more than expected")
        data = {"event": "incident_" + what, "value": value, "expected": expected, "score": score}
        return [Summary(self.signal.stream, "event", "event" if ends else "alarm", t_ms, text, data)]

    def expect(self, values):
        """Take over a forecast (None: the model does not know this sensor); a copied week is continued as it was."""
        if self.health.state == "imputed":
            week = self.track.around(self.track.week)
            values = week and week[-AHEAD:]
        self.values = values or rule(self.track.lags())
        self.band.expect(self.values)

    def ahead(self, t_ms, looked):
        """Summaries of a congestion that begins or ends within the forecast. looked: function giving words on why."""
        limit = self.limit()
        if limit is None or self.health.state in ("dead", "stuck"):
            return []
        bad = [h for h, value in enumerate(self.values) if self.beyond(value, limit)]
        if self.congested and not bad and not self.beyond(self.track.value, limit):
            self.congested = False
            return [self._congestion("ends", "congestion is over: %s" % self.said(self.values[0]), t_ms, {})]
        if self.congested or len(bad) < 2:
            return []
        self.congested = True
        h = bad[0]
        low, high = self.limits(h)
        text = "congestion in %d min: %s (%s to %s) expected, its limit is %s; %s" % (
            (h + 1) * self.step_ms // 60000, self.said(self.values[h]), self.number(low), self.number(high), self.number(limit), looked())
        return [self._congestion("ahead", text, t_ms, {"forecast": self.values, "limit": limit})]

    def _congestion(self, what, text, t_ms, data):
        return Summary(self.signal.stream, "event", "event", t_ms, text, dict(data, event="congestion_" + what))

    def hour_ahead(self, t_ms):
        """Summary of the forecast."""
        ahead = [[(h + 1) * self.step_ms // 60000, self.values[h]] + list(self.limits(h)) for h in HORIZONS]
        text = "%s now, %s (%s to %s) in %d min" % (self.said(self.track.value), self.said(ahead[-1][1]), self.number(ahead[-1][2]),
                                                    self.number(ahead[-1][3]), ahead[-1][0])
        return Summary(self.signal.stream, "forecast", "digest", t_ms, text, {"now": self.track.value, "ahead": ahead, "state": self.health.state})

    def limit(self):
        """The count at which this sensor's road is congested, or None before it is known."""
        if self.options["limit"]:
            return int(self.options["limit"] * self.signal.gain)
        learnt = self.watch.slots >= self.watch.quiet and self.peak
        return self.peak.value * self.options["congested"] // 25600 if learnt else None

    def beyond(self, value, limit):
        """Whether a count is on the bad side of the limit."""
        return value >= limit if self.options["bad"] == "high" else value <= limit

    def limits(self, h):
        """(low, high) of the band of horizon h, in counts."""
        half = self.band.half(h, self.values[h])
        return max(0, self.values[h] - half), self.values[h] + half

    def number(self, count):
        """A count in the sensor's unit."""
        return str(count) if self.signal.gain == 1 else "%.1f" % (count / self.signal.gain)

    def said(self, count):
        """The same with the unit's name."""
        return (self.number(count) + " " + self.signal.unit).strip()
