"""The live view of `heed demo energy`: three days in a minute."""

import time

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from firmware_tools.simulate_energy import Plan, facts_of
from gateway import data, sun
from gateway.energy import tables
from gateway.energy.tables import LOAD

DAYS, BATTERY_WH, PANEL_W = 3, 32, 6
FRAME_S = .12
COLOURS = ("cyan", "blue", "magenta", "bright_magenta")


def trace_of(name, console):
    """A Trace by path or name, fetched where it is one of ours and not here."""
    if name in sun.SETS and not data.find(name + ".csv"):
        console.print("fetching %s from the package registry ..." % sun.SETS[name][0])
        sun.fetch(name)
    return sun.find(name)


def show_days(name, seconds, folder):
    """Play the three poorest days of a trace; save the picture."""
    console = Console()
    plan = Plan(trace_of(name, console), tables.board("zero2w"), str(LOAD), BATTERY_WH, PANEL_W, DAYS)
    facts, minutes, site = facts_of(plan, False)
    frames = max(1, int(seconds / FRAME_S)) if seconds else 0
    if frames and console.is_terminal:
        with Live(console=console, auto_refresh=False) as live:
            for frame in range(frames):
                began = time.monotonic()
                live.update(view(plan, site, minutes, (frame + 1) * len(minutes) // frames - 1, len(minutes) // 72), refresh=True)
                time.sleep(max(0, FRAME_S - (time.monotonic() - began)))
    for line in words(facts):
        console.print(line)
    from firmware_tools.plot_energy import save
    folder.mkdir(parents=True, exist_ok=True)
    save(folder / "energy-days.png", plan, site, minutes, facts)
    console.print("saved %s\nnext: heed energy simulate --trace FILE.csv --battery 44Wh --panel 10W" % (folder / "energy-days.png"))


def view(plan, site, minutes, now, span):
    """What the gateway does at a minute: charge, sun, price, and the last hour's jobs by variant."""
    charge, price, *_ = minutes[now]
    before = minutes[max(0, now - span)]
    head = Table.grid(padding=(0, 1))
    head.add_row("day %d, %02d:%02d" % (plan.first + now // 1440 + 1, now % 1440 // 60, now % 60), state(minutes[now], plan))
    head.add_row("battery", ProgressBar(total=100, completed=100 * charge, width=50), "%3.0f %%" % (100 * charge))
    head.add_row("sun", ProgressBar(total=max(1, max(site.harvest)), completed=site.harvest[min(now, len(site.harvest) - 1)], width=50),
                 "%.2f W" % (site.harvest[min(now, len(site.harvest) - 1)] / 60000))
    head.add_row("price", "%.2f for a joule" % (price / 1e6))
    rows = [row(c, [a - b for a, b in zip(minutes[now][2][k], before[2][k])], minutes[now][3][k] - before[3][k])
            for k, c in enumerate(plan.classes)]
    return Group(head, *rows)


def state(minute, plan):
    """What is off, in words."""
    off = [c.device.name for c, away in zip(plan.classes, minute[4]) if away]
    return Text("reserve: critical jobs only" if minute[5] else ", ".join(off) + " off" if off else "all on",
                style="bold red" if minute[5] else "yellow" if off else "green")


def row(c, done, refused):
    """One class: a bar of the variants that ran."""
    total = max(1, sum(done) + refused)
    line = Text("%-9s" % c.name)
    for k, n in enumerate(done):
        line.append("█" * round(50 * n / total), COLOURS[min(k, 3)])
    line.append("░" * round(50 * refused / total), "bright_black")
    counts = [*zip([v.name for v in c.variants], done), ("refused", refused)]
    return line.append("  " + ", ".join("%s %d" % pair for pair in counts if pair[1]))


def words(facts):
    """The outcome, in words."""
    yield "%s, %d days from day %d, the poorest of the trace: %s board, %g Wh, %g W panel" % (
        facts["trace"], facts["days"], facts["first_day"] + 1, facts["board"], facts["battery_wh"], facts["panel_w"])
    yield "critical jobs missed: %d; minutes without power: %d; lowest charge: %.1f %%" % (
        facts["critical_missed"] + facts["critical_dark"], facts["off_minutes"], facts["lowest_percent"])
    for name, c in facts["classes"].items():
        yield "%s: %s, refused %d of %d" % (name, ", ".join("%s %d" % pair for pair in c["done"].items()), c["refused"], c["jobs"])
    yield "certificate: at least %.1f %% of what any scheduler could have done (energies %s)" % (
        facts["certificate_percent"], facts["energy"])
