"""heed bench: every claim has a command that measures it anew.

    heed bench pipeline
    heed bench pipeline --json --quick
"""

import click

from firmware_tools.cli import grid, json_option, show
from gateway.core.errors import HeedError


@click.group()
def bench():
    """Measure. Exit code 1 when a gate is missed."""


@bench.command()
@click.option("--quick", is_flag=True, help="a smoke run in under a minute")
@json_option
def pipeline(quick, as_json):
    """The whole path from samples to accepted summaries: cost, streams, memory, durability."""
    from firmware_tools.bench.pipeline import measure
    report(measure(quick), as_json)


@bench.command()
@click.option("--quick", is_flag=True, help="a smoke run on four records")
@json_option
def models(quick, as_json):
    """Accuracy of the packaged models on their test protocol; cost of streaming, controls and calls."""
    from firmware_tools.bench.models import measure
    report(measure(quick), as_json)


@bench.command()
@click.option("--quick", is_flag=True, help="a smoke run on one day")
@json_option
def traffic(quick, as_json):
    """The traffic part of `models` alone: forecasts beside a ridge, incidents against false alarms."""
    from firmware_tools.bench.traffic import measure
    report(measure(quick), as_json)


@bench.command()
@click.option("--quick", is_flag=True, help="fewer kills and a short outage: two minutes instead of twenty")
@json_option
def sync(quick, as_json):
    """From outbox to hub through a broker, beside a peer; kills and an outage; the hub under a thousand gateways."""
    from firmware_tools.bench.sync import measure
    report(measure(quick), as_json)


@bench.command()
@click.option("--quick", is_flag=True, help="a smoke run on four patients")
@click.option("--data", "folder", default=None, type=click.Path(exists=True, file_okay=False), help="WFDB records with .atr labels of your own")
@click.option("--csv", default=None, type=click.Path(exists=True, dir_okay=False), help="traffic of your own, slots of 5 min, four weeks or more")
@click.option("--only", default=None, type=click.Choice(["ecg", "traffic", "vision"]), help="one of the domains")
@json_option
def adapt(quick, folder, csv, only, as_json):
    """Few labels on real patients, poison, what learning costs, what gateways learn together; traffic that labels itself; denied reports."""
    from firmware_tools.bench.adapt import measure
    report(measure(quick, folder, csv, only), as_json)


@bench.command()
@click.option("--trace", default=None, help="CSV with time,w_m2 or time,w; without it the two traces of development")
@click.option("--load", default=None, help="TOML file of job classes")
@click.option("--platform", default=None, help="board by name, or a TOML file")
@click.option("--quick", is_flag=True, help="one window of two days for each trace")
@json_option
def energy(trace, load, platform, quick, as_json):
    """The energy policy beside what others do, the best static choice in hindsight, and the best that is possible."""
    try:
        from firmware_tools.bench.energy import measure
        import scipy  # noqa: F401  asked for here, so that the fault comes before the work
    except ImportError:
        raise HeedError("the oracle of this benchmark needs scipy", "pip install 'heed-gateway[bench]'")
    report(measure(quick, trace, load, platform), as_json)


def report(facts, as_json):
    """Print the one object that every benchmark gives."""
    show(facts, as_json, lambda facts: [
        grid(facts["bench"], ("gate", "value", "gate", "moonshot", "met"), [
            (g["key"], "%.4g" % g["value"], g["gate"], g["moonshot"], "yes" if g["met"] else "NO") for g in facts["gates"]]),
        grid("figures", ("", ""), [(k, "%.4g" % v) for k, v in facts["figures"].items()]),
        grid("baselines", ("", ""), [("%s: %s" % (n, k), "%.4g" % v) for n, b in facts["baselines"].items() for k, v in b.items()]),
        grid("environment", ("", ""), [(k, v) for k, v in facts["environment"].items() if not isinstance(v, list)]),
        *["%(window)s: %(u)s %% of the oracle, headroom %(headroom)s %%" % w + ("" if w["feasible"] else ", infeasible for the oracle too")
          for w in facts["environment"].get("windows", [])],
        "measured in %.0f s" % facts["seconds"]])
    if not all(gate["met"] for gate in facts["gates"]):
        raise click.exceptions.Exit(1)
