"""Traffic: any number of sensors on one clock; each slot is forecast, judged by what comes, and put in words."""
# runs on CPython and MicroPython

from gateway.core.plugin import Plugin
from gateway.core.records import Decision, Features
from plugins.traffic.baseline import Rules
from plugins.traffic.digest import Digest
from plugins.traffic.looked import looked
from plugins.traffic.station import Station

MANIFEST = {
    "kind": "plugin", "name": "traffic", "version": "0.1.0", "api": 1,
    "summary": "forecasts traffic, finds incidents and sensors that fail, in one sensor or a network",
    "runs_on": ("cpython", "micropython"), "needs": (), "permissions": (), "budget": {"ms": 100, "mb": 64},
    "leaves": {
        "event": {"event": "kind of event", "was": "state of the sensor before", "value": "reading", "expected": "what was expected of it",
                  "score": "percent of the usual residual", "forecast": "the next twelve slots", "limit": "count that is congested"},
        "hour": {"from_ms": "begin", "to_ms": "end", "sensors": "how many", "states": "sensors by state", "events": "events by kind",
                 "model": "what forecast", "off": "mean error of the forecasts", "inside": "percent of readings inside of the band"},
        "forecast": {"now": "reading or what stands in for it", "ahead": "minutes ahead, count, low and high, three times",
                     "state": "of the sensor"},
    },
    "options": {
        "step_s": {"default": 300, "type": "int", "min": 60, "max": 3600, "help": "length of a slot; that of the model"},
        "utc_min": {"default": 0, "type": "int", "min": -840, "max": 840, "help": "minutes that local time is ahead of UTC"},
        "zeros": {"default": False, "type": "bool", "help": "whether 0 is a reading; otherwise it means that none came"},
        "band": {"default": 80, "type": "int", "min": 50, "max": 99, "help": "percent of readings that the band should hold"},
        "bad": {"default": "high", "type": "str", "choices": ("high", "low"), "help": "which side is congested: low for speeds"},
        "congested": {"default": 105, "type": "int", "min": 10, "max": 300,
                      "help": "percent of the level that a sensor seldom exceeds at which it is congested; about 60 for speeds"},
        "limit": {"default": 0.0, "type": "float", "min": 0, "help": "the same as a fixed number in the sensor's unit; 0 = by percent"},
        "incident": {"default": 180, "type": "int", "min": 100, "max": 5000, "help": "percent of the usual residual, over an hour, that is an incident"},
        "calm_min": {"default": 120, "type": "int", "min": 5, "max": 1440, "help": "minutes of calm that end an incident"},
        "learn_h": {"default": 48, "type": "int", "min": 1, "max": 720, "help": "hours in which a new sensor only learns"},
        "dead_min": {"default": 60, "type": "int", "min": 5, "max": 1440, "help": "minutes without a reading that make a sensor dead"},
        "stuck_min": {"default": 60, "type": "int", "min": 10, "max": 1440, "help": "minutes of one and the same reading that make it stuck"},
        "digest_min": {"default": 60, "type": "int", "min": 5, "max": 1440, "help": "how often the whole is summed up"},
        "forecasts": {"default": True, "type": "bool", "help": "whether each sensor's forecast goes upstream with it"},
    },
}
MAX_SENSORS = 4096
ODD = 8  # at most so many percent may a signal's step differ from step_s


class TrafficPlugin(Plugin):
    """stations: {stream: Station} in the order of their first reading; slot: the one that is now."""

    baseline = Rules

    def __init__(self, options, context):
        super().__init__(options, context)
        self.step_ms = options["step_s"] * 1000
        self.stations, self.slot, self.waited, self.reported = {}, None, set(), set()
        self.closed, self.doubts = -1, False
        self.digest = Digest(context.name, options)
        self.events = []

    def slot_of(self, t_ms):
        """Number of the slot of a wall time; local midnight begins a day. A reading may come half a second early."""
        return (t_ms + 500 + self.options["utc_min"] * 60000) // self.step_ms

    def push(self, block):
        """File the readings; what a slot that is complete gives: Summaries that are due, and Features for the model."""
        if self._doubtful(self.slot_of(block.t_ms)):
            self.context.count("jumps_doubted")
            return []
        station, slot, out = self._station(block), self.slot, []
        if station is None:
            return out
        for i, value in enumerate(block.values):
            slot = self.slot_of(block.time_of(block.seq + i))
            if self.slot is not None and slot > self.slot > self.closed and i == len(block.values) - 1:
                out += self._close(self.slot)
            self._file(station, slot, int(value))
        if self.slot is None or slot > self.slot:
            # who reported in the last slot is waited for in this one
            self.slot, self.waited, self.reported = slot, self.reported, set()
        if slot == self.slot:
            self.waited.discard(block.stream)
            self.reported.add(block.stream)
        if not self.waited and self.slot > self.closed:
            out += self._close(self.slot)
        return out

    def _doubtful(self, slot):
        """Whether a reading lies so far ahead that its clock may be wrong: only a second one in a row is believed, since
        one wrong clock must not stop the others' time."""
        far = self.slot is not None and slot > self.slot + 86400000 // self.step_ms
        doubted, self.doubts = far and not self.doubts, far
        return doubted

    def _station(self, block):
        if block.stream not in self.stations:
            if len(self.stations) >= MAX_SENSORS:
                self.context.count("sensors_refused")
                return None
            step_ms = 1000 / block.signal.rate_hz
            if abs(step_ms - self.step_ms) * 100 > ODD * self.step_ms:
                self.context.count("odd_steps")
                self.context.log("warning", "%s has a reading each %d s, the slots are of %d s" % (
                    block.stream, step_ms // 1000, self.options["step_s"]))
            self.stations[block.stream] = Station(block.signal, self.options, self.step_ms, self.slot_of(block.t_ms))
            self.context.count("sensors_new")
        return self.stations[block.stream]

    def _file(self, station, slot, value):
        if slot <= station.track.newest:
            # the first reading of a slot counts: a later one is a repetition, a jittering clock, or late
            self.context.count("readings_extra")
            return
        if value < 0:
            self.context.count("readings_negative")
        filled = station.file(slot, value if value >= 0 else None)
        if filled:
            self.context.count("slots_filled", filled)
        if value == 0 and station.reading is None:
            self.context.count("zeros")

    def _close(self, slot):
        """What is due at the end of a slot."""
        missed = slot - self.closed - 1 if self.closed >= 0 else 0
        if missed:
            self.context.count("slots_missed", missed)
        self.closed = slot
        t_ms = (slot + 1) * self.step_ms - self.options["utc_min"] * 60000
        minute = slot * self.step_ms // 60000
        out, names = [], list(self.stations)
        for station in self.stations.values():
            if station.track.newest < slot:
                self.context.count("slots_filled")
            out += station.close(slot, missed, minute // 60 % 24, t_ms)
        self.digest.add(out)
        clock = [minute // 15 % 96, (minute // 1440 + 3) % 7]  # the first of January 1970 was a Thursday
        lags = [self.stations[name].track.lags() for name in names]
        measured = [int(self.stations[name].good is not None) for name in names]
        facts = {"streams": names, "step_min": self.step_ms // 60000, "measured": measured}
        return out + [Features(self.context.name, slot, t_ms, [lags, clock], facts)]

    def decide(self, features, forecast):
        """Take over the forecasts; whether congestion is ahead of any sensor."""
        self.events, names = [], features.facts["streams"]
        for i, name in enumerate(names):
            station = self.stations[name]
            station.expect(forecast.values[i])
            self.events += station.ahead(features.t_ms, lambda i=i: looked(forecast.maps, i, names))
        reasons = ["%s: %s" % (event.stream, event.reason) for event in self.events]
        return Decision(bool(reasons), False, 0, "; ".join(reasons[:3]) or "%d sensors as expected" % len(names))

    def summarise(self, features, forecast, decision):
        """The events, and the digest when it is due."""
        self.digest.add(self.events)
        if not self.digest.due(features.t_ms):
            return self.events
        said = [self.digest.close(features.t_ms, self.stations, forecast.variant)]
        if self.options["forecasts"]:
            said += [station.hour_ahead(features.t_ms) for station in self.stations.values()]
        return self.events + said

    def finish(self):
        """The digest that has begun."""
        return [self.digest.close(self.digest.last_ms, self.stations, "")] if self.digest.begun() else []


PLUGIN = TrafficPlugin
