"""The live view of `heed demo vision`: the picture as the gate sees it, bright where the model looked, and what is reported."""

import time
from collections import Counter, deque

from rich.console import Group
from rich.live import Live
from rich.style import Style
from rich.text import Text

from gateway.core.errors import EndOfStream
from plugins.vision.objects import Background, Tracker
from plugins.vision.retina import COLS, ROWS, close, coarse
from plugins.vision.scene import PATIENCE_MS
from sensors.media import Media, planes

EVENTS = 7
FRAME_S = 0.1
WIDEST = 960
DIM = 3  # how much darker the places are that were not looked at


class View:
    """watch() is called with each look; text() is the picture. path: the video; options: of the plugin; line in percent."""

    def __init__(self, path, options, console):
        self.console, self.options = console, options
        self.media, self.at, self.frame = Media(str(path), "video", False), -1, None
        self.rows, self.looked, self.boxes = [], deque(maxlen=64), []
        self.background = Background(options["contrast"])
        self.tracker = Tracker(options["smallest"], options["line"] / 100, PATIENCE_MS)
        self.frames = 0  # as the digests count them
        self.looks, self.kinds, self.passed, self.variant = 0, Counter(), Counter(), ""
        self.events = deque(maxlen=EVENTS)
        self.live = Live(console=console, auto_refresh=False, get_renderable=self.text) if console.is_terminal else None
        self.drawn = 0.0

    def watch(self, features, inference, decision, summaries):
        """One look, or summaries that are due without one."""
        if features:
            self.looks += 1
            self.variant = inference.variant
            self.looked.append((features.seq, features.facts))
            self._follow(features.seq)
        for summary in summaries:
            self.frames += summary.data.get("frames", 0)
            self.kinds[summary.data.get("event", summary.kind)] += 1
            if summary.data.get("event") == "crossed":
                self.passed[summary.data["way"]] += 1
            self.events.append(summary)
            if not self.live:
                self.console.print(self.event_line(summary))
        if self.live and self.frame is not None and time.monotonic() - self.drawn > FRAME_S:
            self.live.refresh()
            self.drawn = time.monotonic()

    def _follow(self, seq):
        """Read the video up to frame `seq`, and see what the plugin sees."""
        try:
            while self.at < seq:
                frame = self.media.frame()
                self.at += 1
                self.frame = planes(frame, WIDEST)
                self.tracker.push(self.background.push(coarse(self.frame)), int(1000 * frame.time))
        except EndOfStream:
            self.at = seq

    def event_line(self, summary):
        """One summary."""
        return Text("frame %5s  %-7s %s" % (summary.data.get("frame", ""), summary.cls, summary.reason), style="cyan")

    def text(self):
        """The whole picture."""
        if self.frame is None:
            return Text("looking: the first frames teach the empty scene ...")
        tiles = self._tiles(self.at + 1)
        head = Text("frame %d   model: %s   looks %d of %d tiles (%.1f %%)   crossed: %d up, %d down" % (
            self.at, self.variant, self.looks, tiles, 100 * self.looks / max(1, tiles), self.passed["up"], self.passed["down"]))
        return Group(head, self.picture(), *[self.event_line(event) for event in self.events])

    def _tiles(self, frames):
        return frames * self.options["rows"] * self.options["cols"]

    def picture(self):
        """The frame in half blocks: bright where the model looked, boxes round what is followed."""
        rgb = close(self.frame, (0, 0, 1, 1), ROWS, COLS) // DIM
        bright = close(self.frame, (0, 0, 1, 1), ROWS, COLS)
        for _, facts in [look for look in self.looked if look[0] == self.at]:
            top, left, bottom, right = [round(share * side) for share, side in zip(facts["rect"], (ROWS, COLS) * 2)]
            rgb[top:bottom, left:right] = bright[top:bottom, left:right]
        rgb[self.options["line"] * ROWS // 100] = (0, 160, 160)
        for track in self.tracker.tracks:
            top, left, bottom, right = track.box
            rgb[[top, bottom - 1], left:right] = rgb[top:bottom, [left, right - 1]] = (220, 60, 60)
        out = Text()
        for row in range(0, ROWS, 2):
            for upper, lower in zip(rgb[row].tolist(), rgb[row + 1].tolist()):
                out.append("▀", Style(color="rgb(%d,%d,%d)" % tuple(upper), bgcolor="rgb(%d,%d,%d)" % tuple(lower)))
            out.append("\n")
        return out

    def found(self):
        """What was found, in words."""
        kinds = ", ".join("%d %s" % (n, kind) for kind, n in self.kinds.items())
        return "%d objects crossed the line upwards, %d downwards; %d looks for the %d tiles of %d frames (%.1f %%); reported: %s" % (
            self.passed["up"], self.passed["down"], self.looks, self._tiles(self.frames), self.frames,
            100 * self.looks / max(1, self._tiles(self.frames)), kinds or "nothing")
