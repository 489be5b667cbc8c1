"""An hour of a network in one record."""
# runs on CPython and MicroPython

from gateway.core.records import Summary

NAMED = 5
EVENTS = {"sensor_good": "measures again", "sensor_dead": "died", "sensor_stuck": "got stuck", "sensor_imputed": "began to repeat last week",
          "incident_begins": "incident", "incident_ends": "incident over", "congestion_ahead": "congestion ahead",
          "congestion_ends": "congestion over"}


class Digest:
    """Counts what stations said; close() gives the Summary and begins the next."""

    def __init__(self, name, options):
        self.name, self.span_ms = name, options["digest_min"] * 60000
        self.from_ms = self.last_ms = None
        self.start(None)

    def start(self, t_ms):
        """Begin at t_ms."""
        self.from_ms, self.events = t_ms, {}

    def add(self, said):
        """Count events."""
        for summary in said:
            kind = summary.data["event"]
            self.events[kind] = self.events.get(kind, 0) + 1

    def due(self, t_ms):
        """Whether the span is over."""
        self.last_ms = t_ms
        if self.from_ms is None:
            self.from_ms = t_ms
        return t_ms - self.from_ms >= self.span_ms

    def begun(self):
        """Whether a slot has passed since the last one."""
        return self.last_ms is not None and self.last_ms > self.from_ms

    def close(self, t_ms, stations, variant):
        """Summary up to t_ms."""
        states = {}
        for name, station in stations.items():
            states.setdefault(station.health.state, []).append(name)
        judged = sum([s.band.judged for s in stations.values()])
        data = {"from_ms": self.from_ms, "to_ms": t_ms, "sensors": len(stations), "events": self.events, "model": variant,
                "states": {state: len(names) for state, names in states.items()}}
        if judged:
            data["off"] = sum([s.band.off for s in stations.values()]) // judged
            data["inside"] = 100 * sum([s.band.inside for s in stations.values()]) // judged
        summary = Summary(self.name, "hour", "digest", t_ms, self.words(data, states, stations), data)
        for station in stations.values():
            station.band.clear()
        self.start(t_ms)
        return summary

    def words(self, data, states, stations):
        """The span in one sentence."""
        parts = ["%d sensors" % data["sensors"] if len(stations) != 1 else list(stations)[0]]
        for state in ("dead", "stuck", "imputed"):
            names = states.get(state, [])
            if names:
                parts.append("%d %s (%s%s)" % (len(names), state, ", ".join(names[:NAMED]), ", ..." if len(names) > NAMED else ""))
        if "off" in data:
            unit = list(stations.values())[0]
            parts.append("forecasts off by %s, band held %d %%" % (unit.said(data["off"]), data["inside"]))
        events = ["%d %s" % (n, EVENTS[kind]) for kind, n in sorted(data["events"].items())]
        return "; ".join(parts + (events or ["nothing unusual"]))
