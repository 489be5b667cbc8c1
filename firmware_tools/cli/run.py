"""heed init, check, run, status: from settings to a running gateway.

    heed init && heed check && heed run
    heed status --data heed-data --json
"""

import logging
from pathlib import Path

import click

from firmware_tools.cli import grid, json_option, show
from gateway.core.errors import ConfigError

RECORDS = ("ecg/mitdb/200", "ecg/demo/208demo")
TEMPLATE = Path(__file__).with_name("heed.toml")
settings = click.argument("settings", default="heed.toml", type=click.Path(dir_okay=False))


@click.command()
@settings
def init(settings):
    """Write a settings file to start from; it plays a recorded ECG and needs no hardware."""
    if Path(settings).exists():
        raise ConfigError("%s is there already" % settings, "edit it, or give another name: heed init other.toml")
    from gateway import data
    here = [name for name in RECORDS if data.find(name)]
    Path(settings).write_text(TEMPLATE.read_text().replace(RECORDS[-1], here[0] if here else RECORDS[-1]))
    fetch = "" if here else "heed data fetch ecg/demo, then "
    click.echo("wrote %s\nnext: %sheed check %s" % (settings, fetch, settings))


@click.command()
@settings
@click.option("--no-open", is_flag=True, help="read the settings only, open no sensor and no uplink")
@json_option
def check(settings, no_open, as_json):
    """Check a settings file: every fault at once, each with its place and its remedy. Opens each part once."""
    import asyncio
    from rich.markup import escape
    from gateway import config
    from gateway.preflight import preflight
    from models.package import names
    chosen, faults = config.check(settings, names())
    if not faults and not no_open:
        faults = asyncio.run(preflight(chosen, settings))
    from gateway.energy.settings import warnings
    told = warnings(chosen.energy.classes, chosen.energy.values["worst"]) if chosen and chosen.energy else []
    facts = {"settings": settings, "faults": [{"place": f.place, "problem": f.problem, "remedy": f.remedy} for f in faults], "warnings": told}
    show(facts, as_json, lambda facts: [escape(str(fault)) for fault in faults] or
         [escape("warning: " + line) for line in told] + ["%s is sound\nnext: heed run %s" % (settings, settings)])
    if faults:
        raise click.exceptions.Exit(2)


@click.command()
@settings
@click.option("--until-end", is_flag=True, help="stop when all recordings are played and delivered")
@click.option("--board", default=None, help="board whose energy tables are used, in place of that in [energy]")
@click.option("--meter", default=None, help="what tells power, in place of that in [energy]: auto, model ...")
def run(settings, until_end, board, meter):
    """Run a gateway until SIGTERM or Ctrl-C."""
    from gateway import app, config
    from models.package import names
    chosen = config.load(settings, names(), {name: value for name, value in (("board", board), ("meter", meter)) if value})
    logging.basicConfig(level=chosen.gateway["log"].upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    app.serve(chosen, until_end)


@click.command()
@click.option("--data", default="heed-data", help="the gateway's data folder")
@click.option("--prometheus", is_flag=True, help="print metrics, for node-exporter's textfile collector")
@json_option
def status(data, prometheus, as_json):
    """What a gateway is doing: states, counters, what waits in the outbox."""
    from gateway.status import read
    if prometheus:
        from gateway.forms.prometheus import of_snapshot, text_of
        return click.echo(text_of(of_snapshot(read(data))), nl=False)
    show(read(data), as_json, status_tables)


def status_tables(facts):
    """The snapshot for a person."""
    yield "gateway %(gateway)s: [bold]%(state)s[/bold], status %(age_ms)d ms old" % facts
    yield grid("parts", ("name", "state", "restarts", "counters", "reason"), [
        (part["name"], part["state"], part["restarts"], counted(part["counters"]), part["reason"]) for part in facts["parts"]])
    outbox = facts["outbox"]
    yield grid("outbox", ("class", "waiting", "bytes", "limit", "hours left"), [
        (cls, n, outbox["bytes"][cls], outbox["limits"][cls], hours(outbox["hours_left"][cls])) for cls, n in outbox["waiting"].items()])
    yield grid("uplinks", ("name", "acknowledged up to", "behind"), [
        (name, mark, outbox["behind"][name]) for name, mark in outbox["marks"].items()])
    yield counted(outbox["counters"]) + ("\n[red]%s[/red]" % outbox["fault"] if outbox["fault"] else "")


def hours(left):
    """Hours until the room is used up, at the rate of the last hour."""
    return "-" if left is None else "%.1f" % left if left < 100 else "%d" % left


def counted(counters):
    """Counters in one line, zeros left out."""
    return " ".join("%s=%s" % (name, n) for name, n in counters.items() if n)
