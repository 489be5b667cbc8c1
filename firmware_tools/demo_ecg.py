"""The live view of `heed demo`: the wave, the beats with their classes, what was attended to, what is reported."""

import time
from collections import Counter, deque

import numpy as np
import plotext
from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

COLOURS = {"N": "green", "S": "yellow", "V": "red", "F": "magenta", "?": "bright_black"}
BARS = " ▁▂▃▄▅▆▇█"
SECONDS = 5
EVENTS = 7
FRAME_S = 0.12


class View:
    """watch() is called with each beat; text() is the picture. record: WfdbRecord; index: lead; first, last: samples played."""

    def __init__(self, record, index, first, last, console):
        self.record, self.index, self.first, self.last = record, index, first, last
        self.console = console
        self.counts, self.kinds = Counter(), Counter()
        self.beats = deque(maxlen=40)
        self.events = deque(maxlen=EVENTS)
        self.maps = None
        # drawn from watch(), not by a thread of its own that would look at the beats while they change
        self.live = Live(console=console, auto_refresh=False, get_renderable=self.text) if console.is_terminal else None
        self.drawn = 0.0

    def watch(self, features, inference, decision, summaries):
        """One beat, or summaries that are due without one."""
        if features:
            label = inference.label if max(inference.scores) >= .6 else "?"
            self.counts[label] += 1
            self.beats.append((features.seq, label, max(inference.scores)))
            self.variant, self.maps = inference.variant, inference.maps
        for summary in summaries:
            self.kinds[summary.data.get("event", summary.kind)] += 1
            self.events.append((self.beats[-1][0] / self.record.rate_hz if self.beats else 0.0, summary))
            if not self.live:
                self.console.print(self.event_line(*self.events[-1]))
        if self.live and time.monotonic() - self.drawn > FRAME_S:
            self.live.refresh()
            self.drawn = time.monotonic()

    def event_line(self, seconds, summary):
        """One summary."""
        colour = "bold red" if summary.cls == "alarm" else "cyan"
        return Text("%5.1f s  %-7s %s" % (seconds, summary.cls, summary.reason), style=colour)

    def text(self):
        """The whole picture."""
        if not self.beats:
            return Text("listening: the first beats teach what is usual for this patient ...")
        return Group(self.head(), self.wave(), self.labels(), self.attention(),
                     *[self.event_line(*event) for event in self.events])

    def head(self):
        """Where we are."""
        table = Table.grid(expand=True)
        at = self.first + self.beats[-1][0]
        table.add_row(Text("%s  %s  %d Hz   model: %s   %s" % (
            self.record.path.name, self.record.leads[self.index].name, self.record.rate_hz, self.variant,
            "  ".join("%s %d" % pair for pair in sorted(self.counts.items())))))
        table.add_row(ProgressBar(total=self.last - self.first, completed=at - self.first))
        return table

    def wave(self):
        """The last seconds of the signal."""
        lead, rate_hz = self.record.leads[self.index], self.record.rate_hz
        end = min(self.last, self.first + self.beats[-1][0] + int(.5 * rate_hz))
        n = min(int(SECONDS * rate_hz), end)
        values = (self.record.read(end - n, n)[:, self.index] - lead.zero) / lead.gain
        plotext.clear_figure()
        plotext.theme("clear")
        plotext.plot_size(min(110, self.console.width), 14)
        plotext.plot(np.linspace((end - n) / rate_hz, end / rate_hz, n).tolist(), values.tolist(), marker="braille")
        plotext.ylabel(lead.unit)
        plotext.xlabel("s")
        return Text.from_ansi(plotext.build())

    def labels(self):
        """The last beats as coloured letters."""
        line = Text("beats      ")
        for _, label, _ in self.beats:
            line.append(label, COLOURS[label])
        return line

    def attention(self):
        """How much the newest beat was judged by each of the 32 before it, mean over heads, newest right."""
        if self.maps is None:
            return Text("attention  (rules have none)")
        weights = np.asarray(self.maps).reshape(-1, self.maps.shape[-1]).mean(0)
        bars = "".join(BARS[min(8, int(9 * w / max(weights.max(), 1e-9)))] for w in weights)
        return Text("attention  " + " " * max(0, len(self.beats) - len(bars)) + bars + "  newest")

    def found(self):
        """What was found, in words."""
        total = sum(self.counts.values())
        beats = ", ".join("%d %s" % (n, label) for label, n in self.counts.most_common())
        return "%d beats (%s); reported: %s" % (total, beats, ", ".join("%d %s" % (n, k) for k, n in self.kinds.items()) or "nothing")
