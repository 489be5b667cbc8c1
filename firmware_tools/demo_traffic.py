"""The live view of `heed demo traffic`: a sensor with its forecast and band, what it was made from, the network, what is reported."""

import time
from collections import Counter, deque
from datetime import datetime, timezone

import plotext
from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.text import Text

from plugins.traffic.band import Band
from plugins.traffic.digest import EVENTS as WORDS
from plugins.traffic.lags import AHEAD, AROUND, GROUPS, RECENT
from plugins.traffic.looked import NAMES, lag_shares, learnt, neighbour_shares

SHOWN = 72  # slots of the past in the picture
EVENTS = 6
FRAME_S = 0.12
WIDTH = 30
COLOURS = {"sensor_dead": "red", "sensor_stuck": "red", "sensor_imputed": "yellow", "incident_begins": "bold red", "congestion_ahead": "magenta"}


class View:
    """watch() is called with each slot; text() is the picture. sensor: stream shown; slots: how many are played; unit, gain: of counts."""

    def __init__(self, sensor, slots, unit, gain, percent, console):
        self.sensor, self.slots, self.unit, self.gain, self.console = sensor, slots, unit, gain, console
        self.kinds = Counter()
        self.past, self.expected = deque(maxlen=SHOWN), deque(maxlen=SHOWN)
        self.events = deque(maxlen=EVENTS)
        self.band = Band(percent)
        self.seen = self.drawn = 0
        self.features = self.forecast = None
        self.shares, self.near, self.learnt = None, [], ""
        self.live = Live(console=console, auto_refresh=False, get_renderable=self.text) if console.is_terminal else None

    def watch(self, features, forecast, decision, summaries):
        """One slot of the network, or summaries that are due without one."""
        if features and self.sensor in features.facts["streams"]:
            self.slot(features, forecast)
        for summary in summaries:
            if summary.kind == "forecast":
                continue
            self.kinds[summary.data.get("event", summary.kind)] += 1
            if summary.cls != "digest" and summary.data.get("event") != "sensor_imputed" or summary.kind == "hour":
                self.events.append(summary)
            if not self.live and summary.kind == "hour":
                self.console.print(self.event_line(summary))
        if self.live and time.monotonic() - self.drawn > FRAME_S:
            self.live.refresh()
            self.drawn = time.monotonic()

    def slot(self, features, forecast):
        """Take over what is known of the sensor shown."""
        names = features.facts["streams"]
        at = names.index(self.sensor)
        row, values = features.values[0][at], forecast.values[at]
        self.features, self.forecast, self.week = features, forecast, row[-AROUND:]
        self.seen += 1
        self.expected.append(self.band.forecast(1))
        self.band.judge(row[RECENT - 1])
        self.past.append(row[RECENT - 1])
        if values:
            self.band.expect(values)
        self.values = values or []
        self.shares, self.near = lag_shares(forecast.maps, at), neighbour_shares(forecast.maps, at, names)
        self.learnt = learnt(forecast.maps, at)

    def event_line(self, summary):
        """One summary."""
        colour = COLOURS.get(summary.data.get("event"), "cyan" if summary.kind == "hour" else "white")
        return Text("%s  %-8s %s" % (clock(summary.t_ms), summary.stream[-8:], summary.reason), style=colour, overflow="ellipsis", no_wrap=True)

    def text(self):
        """The whole picture."""
        if not self.features:
            return Text("reading the week before, which the forecast looks back on ...")
        return Group(self.head(), self.picture(), *self.attention(), *[self.event_line(event) for event in self.events])

    def head(self):
        """Where we are."""
        day = datetime.fromtimestamp(self.features.t_ms / 1000, timezone.utc).strftime("%A %d %B %Y %H:%M")
        return Group(Text("%s   sensor %s   %d sensors   model: %s" % (day, self.sensor, len(self.features.facts["streams"]), self.forecast.variant)),
                     ProgressBar(total=self.slots, completed=self.seen))

    def picture(self):
        """The last hours, what was expected of them a slot before, and the next hour with its band."""
        scale = lambda values: [None if v is None else v / self.gain for v in values]
        plotext.clear_figure()
        plotext.theme("clear")
        plotext.plot_size(min(110, self.console.width), 16)
        n, past = len(self.past), scale(self.past)
        plotext.plot(list(range(1 - n, 1)), past, marker="braille", label="measured")
        plotext.plot(list(range(1, AHEAD + 1)), scale(self.week[RECENT:]), marker="dot", label="last week")
        if self.values:
            halves = [self.band.half(h, value) for h, value in enumerate(self.values)]
            for sign in (1, -1):
                edge = scale([max(0, v + sign * half) for v, half in zip(self.values, halves)])
                plotext.plot(list(range(1, AHEAD + 1)), edge, marker="braille", label="band" if sign > 0 else None)
            plotext.plot(list(range(1, AHEAD + 1)), scale(self.values), marker="hd", label="forecast")
        plotext.ylabel(self.unit)
        plotext.xticks(list(range(-SHOWN, AHEAD + 1, AHEAD)))
        plotext.xlabel("slots from now")
        return Text.from_ansi(plotext.build())

    def attention(self):
        """What the forecast was made from, as bars."""
        if self.shares is None:
            return [Text("attention  (the rule has none)")]
        bars = [Text("%-14s %s %d %%" % (NAMES[name], "█" * round(WIDTH * self.shares[name] / 100), self.shares[name])) for name, _ in GROUPS]
        near = ", ".join("%s %d %%" % pair for pair in self.near)
        return bars + [Text(line) for line in ("neighbours     " + near if near else "", "online         " + self.learnt if self.learnt else "") if line]

    def found(self):
        """What was found, in words."""
        off, held = self.band.off / max(1, self.band.judged) / self.gain, 100 * self.band.inside // max(1, self.band.judged)
        return "%d slots, forecasts of sensor %s off by %.1f %s, its band held %d %%; reported: %s" % (
            self.seen, self.sensor, off, self.unit, held, ", ".join("%d %s" % (n, WORDS.get(k, k + "s")) for k, n in sorted(self.kinds.items())) or "nothing")


def clock(t_ms):
    """Time of day."""
    return datetime.fromtimestamp(t_ms / 1000, timezone.utc).strftime("%H:%M")
