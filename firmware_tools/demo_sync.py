"""heed demo sync: a real ECG goes to a hub over a line that is cut and healed; every record arrives, once."""

import asyncio
import logging
import time
from pathlib import Path

import plotext
from rich.console import Group
from rich.live import Live
from rich.text import Text

from firmware_tools.link import Link
from gateway import app, config
from gateway.hub.app import Hub
from models.package import names

SETTINGS = """
[gateway]
name = "demo"
data = '%s'
[[sensor]]
name = "bed-1"
kind = "replay"
feeds = "ecg"
options = { record = '%s', speed = %s, block_ms = 1000 }
[[plugin]]
name = "ecg"
kind = "ecg"
model = "ecg"
[[uplink]]
name = "hub"
kind = "http"
options = { url = "http://127.0.0.1:%d/v1/batches" }
"""
EVERY_S = 0.25
LINES = 6


class Watch:
    """What is seen: (seconds, accepted, arrived) over time, and what happened. cuts: [(from, to)] in seconds."""

    def __init__(self, gateway, hub, link, cuts, console):
        self.gateway, self.hub, self.link, self.cuts, self.console = gateway, hub, link, cuts, console
        self.points, self.events, self.state = [], [], ""
        self.began = time.monotonic()
        self.live = Live(console=console, auto_refresh=False, get_renderable=self.picture) if console.is_terminal else None

    def look(self):
        """Cut or heal when it is time, and note where both ends are."""
        now = time.monotonic() - self.began
        wanted = not any(begin <= now < end for begin, end in self.cuts)
        if wanted != self.link.up:
            (self.link.heal if wanted else self.link.cut)()
            self.say(now, "[bold green]the line is back[/bold green]" if wanted else "[bold red]the line is cut[/bold red]")
        uplink = next(child for child in self.gateway.supervisor.children if child.name == "hub")
        self.points.append((now, self.gateway.outbox.accepted_seq, self.hub.ingest.counters["records"]))
        if uplink.state != self.state:
            self.state = uplink.state
            self.say(now, "the uplink is %s%s" % (uplink.state, uplink.reason and ": " + uplink.reason))
        if self.live:
            self.live.refresh()

    def say(self, now, words):
        """Something happened."""
        _, accepted, arrived = self.points[-1] if self.points else (0, 0, 0)
        line = "%5.1f s  %4d accepted, %4d arrived  %s" % (now, accepted, arrived, words)
        self.events.append(line)
        if not self.live:
            self.console.print(line)

    def picture(self):
        """The whole picture."""
        return Group(Text.from_ansi(self.curves()), *[Text.from_markup(line) for line in self.events[-LINES:]])

    def curves(self):
        """Accepted and arrived over time; the difference waits on disk."""
        plotext.clear_figure()
        plotext.theme("clear")
        plotext.plot_size(min(100, self.console.width), 16)
        times, accepted, arrived = zip(*self.points or [(0, 0, 0)])
        plotext.plot(times, accepted, marker="braille", label="accepted on disk", color="cyan")
        plotext.plot(times, arrived, marker="braille", label="arrived at the hub", color="green")
        for begin, end in self.cuts:
            for at in (begin, end):
                plotext.vline(at, "red")
        plotext.xlabel("s; the line is cut between the red marks")
        return plotext.build()


async def play(path, speed, cuts, folder, console):
    """Run hub, line and gateway to the end. Gives the verdict as dict."""
    logging.getLogger("heed").setLevel("ERROR")  # a lost line is on the picture
    hub = Hub(str(Path(folder) / "hub.db"), ("127.0.0.1", 0))
    await hub.start()
    async with Link(hub.port) as link:
        chosen, faults = config.check_text(SETTINGS % (Path(folder) / "gateway", path, speed, link.port), "demo", names())
        assert not faults, [str(fault) for fault in faults]
        gateway = app.Gateway(chosen)
        watch = Watch(gateway, hub, link, cuts, console)
        await watched(gateway, watch)
    found = await verdict(gateway, hub, link, watch)
    await hub.stop()
    return found


async def watched(gateway, watch):
    """Run a gateway to its end, and look at it."""
    running = asyncio.ensure_future(gateway.run(until_end=True))
    if watch.live:
        watch.live.start()
    while not running.done():
        await asyncio.wait({running}, timeout=EVERY_S)
        watch.look()
    if watch.live:
        watch.live.stop()
    running.result()


async def verdict(gateway, hub, link, watch):
    """What arrived, against what was accepted."""
    accepted = gateway.outbox.accepted_seq
    records = await hub.ingest.ask(hub.ingest.store.records, "demo", gateway.outbox.epoch, 0, accepted + 1)
    seqs = [record["seq"] for record in records]
    reader = next(runner for runner in gateway.runners if hasattr(runner, "sensor"))
    return {"accepted": accepted, "arrived": len(seqs), "lost": accepted - len(set(seqs)), "doubled": len(seqs) - len(set(seqs)),
            "out_of_order": seqs != sorted(seqs), "most_waiting": max(a - b for _, a, b in watch.points),
            "bytes": hub.ingest.counters["bytes"], "raw_bytes": 2 * reader.counters["samples"]}
