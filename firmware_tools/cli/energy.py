"""heed energy: what is spent, by what it is known, and whether a site will last.

    heed energy show --data heed-data
    heed energy probe
    heed energy simulate --trace irradiance.csv --board zero2w --battery 44Wh --panel 10W --load site.toml
"""

from pathlib import Path

import click

from firmware_tools.cli import grid, json_option, show
from gateway.core.errors import HeedError


@click.group()
def energy():
    """Joules: meters, ledger, plans."""


@energy.command("show")
@click.option("--data", default="heed-data", help="the gateway's data folder")
@json_option
def show_(data, as_json):
    """What a gateway spends: meter, price, ladder, ledger of today, certificates."""
    from gateway.status import read
    facts = read(data).get("energy")
    if not facts:
        raise HeedError("the gateway in %s keeps no account of energy" % data,
                        "add a table [energy], or: heed run --board zero2w --meter model")
    show(facts, as_json, tables_of)


def tables_of(facts):
    """The account for a person."""
    from rich.markup import escape
    charge = "mains" if facts["charge_percent"] is None else "%.0f %% of charge" % facts["charge_percent"]
    yield "[bold]%.2f W[/bold] by meter [bold]%s[/bold] on %s, %s, price %.3g for a joule, slow-down %.2f" % (
        facts["watts"], facts["meter"], facts["board"], charge, facts["price"] / 1e6, facts["slow"] / 1000)
    if facts["meter"] == "model":
        yield "no meter: energies are from tables (%s)" % facts["source"]
    for cause, _, words, reason in facts["ladder"]:
        yield "[yellow]%s: %s (%s)[/yellow]" % (cause, words, reason)
    for device in facts["devices"]:
        yield "%s: %s%s" % (device["name"], device["state"], ", [red]%s[/red]" % escape(device["fault"]) if device["fault"] else "")
    for sensor, ms in facts["resting"].items():
        yield "%s rests for %d ms between two readings" % (sensor, ms)
    if facts["learning"]:
        yield grid("energies, mJ a job (mW of the base)", ("of", "table", "learnt", "+-", "used"), [
            (row["name"], *["%.3f" % row[key] for key in ("table_mj", "learnt_mj", "se_mj")], "%.3f%s" % (
                row["used_mj"], "" if row["trusted"] else " (not trusted yet)")) for row in facts["energies"]])
    yield grid("today", ("who", "J", "jobs"), [(who, "%.3f" % (uj / 1e6), n or "") for who, (uj, n) in sorted(facts["today"].items())])
    yield "%.3f J for each inference, all in all" % (facts["mj_per_inference"] / 1000)
    for certificate in facts["certificates"]:
        yield "day %(day)d: at least %(reached_percent).1f %% of the possible, by %(slots)d slots of the log" % certificate
    for line in facts["history"][-5:]:
        yield line


@energy.command()
@click.option("--root", default="/", hidden=True)
@json_option
def probe(root, as_json):
    """What can tell power, charge and heat on this machine; best first."""
    from gateway.core.errors import NotConnected
    from gateway.energy import gauges, meters, tables
    found, known = meters.probe(root)
    rows = []
    for meter in found + known:
        try:
            value = "%.3f W" % meter.watts() if hasattr(meter, "watts") else "%.0f %%" % (100 * meter.share())
        except NotConnected as error:
            value = str(error)
        rows.append({"name": meter.name, "says": value})
    curves = "|".join(gauges.CURVES)
    rows += [{"name": "voltage", "says": '%.3f V: gauge = { voltage = "%s", curve = "%s", cells = N }' % (volts, path, curves)}
             for path, volts in gauges.probe(Path(root))]
    facts = {"found": rows, "celsius": meters.celsius(root), "boards": sorted(tables.boards())}
    show(facts, as_json, lambda facts: [grid(None, ("meter", "says"), [(row["name"], row["says"]) for row in rows]),
         "temperature: %s" % ("no thermometer" if facts["celsius"] is None else "%.0f C" % facts["celsius"]),
         "boards with tables: " + ", ".join(facts["boards"]), 'next: \\[energy] meter = "auto" takes the first'])


@energy.command()
@click.argument("package")
@click.option("--seconds", default=60.0, help="length of each span, with load and without")
@json_option
def calibrate(package, seconds, as_json):
    """Measure what each variant of a package takes, by the best meter here, with standard errors."""
    from firmware_tools import calibrate as measuring
    from gateway.energy import meters
    meter = meters.probe()[0][0]
    facts = {"meter": meter.name, "rows": measuring.calibrate(meter, package, seconds)}
    show(facts, as_json, lambda facts: [grid("by " + meter.name, ("variant", "mJ", "+-", "ms"), [
        (r["variant"], "%.3f" % r["mj"], "%.3f" % r["se_mj"], "%.3f" % r["ms"]) for r in facts["rows"]]),
        "next: put energy_mj into [[energy.class]] of your settings"])


@energy.command()
@click.option("--trace", default="energy/payerne", help="CSV with time,w_m2 or time,w")
@click.option("--board", default="zero2w", help="board by name, or a TOML file")
@click.option("--battery", default="44Wh", help="size of the battery")
@click.option("--panel", default="10W", help="rating of the panel; no matter for a trace in W")
@click.option("--load", default=None, help="TOML file of job classes; without it an assumed one")
@click.option("--days", default=7, help="days that are played job by job, the poorest of the trace")
@click.option("--no-search", is_flag=True, help="do not look for the panel and the battery that are enough")
@click.option("--plot", default=None, type=click.Path(file_okay=False), help="folder for a picture")
@json_option
def simulate(trace, board, battery, panel, load, days, no_search, plot, as_json):
    """Will a site last, what will be shed, which panel and battery are enough?"""
    from firmware_tools import simulate_energy as planning
    from gateway import sun
    from gateway.energy import tables
    plan = planning.Plan(sun.find(trace), tables.board(board), load or str(tables.LOAD), planning.quantity(battery, "Wh"),
                         planning.quantity(panel, "W"), days)
    facts, minutes, site = planning.facts_of(plan, not no_search)
    if plot:
        from firmware_tools.plot_energy import save
        Path(plot).mkdir(parents=True, exist_ok=True)
        facts["picture"] = str(Path(plot) / "energy-plan.png")
        save(facts["picture"], plan, site, minutes, facts)
    show(facts, as_json, answer)


def answer(facts):
    """The plan for a person."""
    from firmware_tools.demo_energy import words
    yield "[bold]%s[/bold]" % ("it lasts" if facts["lasts"] else "it goes dark for %d minutes" % facts["off_minutes"])
    yield from words(facts)
    yield "over the whole trace (fluid model): dark for %.2f %% of the time" % (100 * facts["dark_share_of_trace"])
    if facts["enough"] is not None:
        yield grid("enough, never dark in this trace", ("battery", "panel"), [
            ("%g Wh" % e["battery_wh"], "%g W" % e["panel_w"]) for e in facts["enough"]])
    if facts.get("picture"):
        yield "saved " + facts["picture"]
