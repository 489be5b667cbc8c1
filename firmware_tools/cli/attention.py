"""heed attention show, history, diff, freeze, reset, rollback, export, import: what a gateway has learnt to attend to.

    heed attention show
    heed attention history bed-1
    heed attention rollback bed-1 --to 3
    heed attention export bed-1 --out bed-1.json

A running gateway takes a change up within a second, of a forecast at its next slot.
"""

import json
from pathlib import Path

import click

from firmware_tools.cli import grid, json_option, show as shown
from gateway.core.errors import ConfigError

data_option = click.option("--data", default="heed-data", show_default=True, help="data folder of the gateway")
stream_argument = click.argument("stream")


def store_in(data):
    """The AttentionStore of a data folder. Raises ConfigError where there is none."""
    from gateway.attention.store import FILE, AttentionStore
    if not (Path(data) / FILE).exists():
        raise ConfigError("nothing was learnt in %s: there is no %s" % (data, FILE), "run a gateway with an adaptable model, or name its --data")
    return AttentionStore(Path(data) / FILE)


def desk_in(data):
    """The Desk of a data folder."""
    from gateway.attention.desk import Desk
    return Desk(store_in(data))


def when(t_ms):
    """Wall time in words."""
    import datetime
    return datetime.datetime.fromtimestamp(t_ms / 1000).isoformat(" ", "seconds")


def alarms_grid(alarms):
    """Alarms of the guard as a table, where there are any."""
    if alarms:
        yield grid("alarms", ("stream", "since", "why", "answer", "by", "when"), [
            (a["stream"], when(a["raised_ms"]), a["why"], a["answer"] or "none yet", a["source"],
             when(a["answered_ms"]) if a["answered_ms"] else "") for a in alarms])


def origin_of(package):
    """The Origin of "name version", from the package that is installed here. Raises ConfigError where that is another."""
    from gateway.attention import reports
    from gateway.attention.state import Origin
    from models.package import Package, folder_of
    from models.twin import Twin
    if package.startswith(reports.PREFIX):
        return reports.origin(package)
    twin = Twin(Package(folder_of(package.split(" ")[0])))
    if twin.package != package:
        raise ConfigError("made for %s, here is %s" % (package, twin.package), "states do not pass from one release to another")
    return Origin(twin.package, twin.parameters, twin.ranges, twin.classes)


@click.group()
def attention():
    """What was learnt of each stream: look at it, take it back, carry it elsewhere."""


@attention.command()
@data_option
@json_option
def show(data, as_json):
    """All streams: version in use, and why it was adopted; of forecasts whom they listen to, and their verified errors."""
    from firmware_tools.cli.attention_online import tables
    from gateway.attention import kept
    desk = desk_in(data)
    found = {"streams": desk.streams(), "forecasts": kept.sensors(desk.store)}
    shown(found, as_json, lambda facts: [grid(None, ("stream", "version", "frozen", "since", "why"), [
        (r["stream"], r["version"], "yes" if r["frozen"] else "", when(r["t_ms"]) if r["t_ms"] else "", r["reason"]) for r in facts["streams"]]),
        *tables(facts["forecasts"]), "next: heed attention history STREAM, heed feedback ask"])


@attention.command()
@stream_argument
@data_option
@json_option
def history(stream, data, as_json):
    """All versions of a stream that are kept, and its alarms with their answers."""
    shown(desk_in(data).history(stream), as_json, lambda facts: [grid(stream, ("version", "from", "when", "why"), [
        (s["version"], s["parent"], when(s["t_ms"]), s["reason"]) for s in facts["versions"]]), *alarms_grid(facts["alarms"])])


@attention.command()
@stream_argument
@click.argument("old", type=int)
@click.argument("new", type=int)
@data_option
@json_option
def diff(stream, old, new, data, as_json):
    """What two versions differ in; 0 = as shipped."""
    from gateway.attention.kept import refuse
    from gateway.attention.state import difference
    store = store_in(data)
    refuse(store, stream)
    states = [store.state(stream, version) if version else None for version in (old, new)]
    known = next((state for state in states if state), None)
    if not known:
        raise ConfigError("0 and 0 are the same", "heed attention history %s" % stream)
    parts = [state.parameters if state else origin_of(known.package).shipped for state in states]
    found = difference(parts[1], parts[0])
    shown({name: {"largest": d[0], "norm": d[1]} for name, d in found.items()}, as_json, lambda facts: [grid(
        "%s: %d to %d" % (stream, old, new), ("", "largest change", "norm"), [(name, "%.3f" % d[0], "%.3f" % d[1]) for name, d in found.items()])])


@attention.command()
@stream_argument
@click.option("--off", is_flag=True, help="let it learn again")
@data_option
def freeze(stream, off, data):
    """Stop a stream's learning; what is in use stays."""
    desk_in(data).freeze(stream, not off)
    click.echo("%s %s\nnext: heed attention show" % (stream, "learns again" if off else "is frozen"))


@attention.command()
@stream_argument
@data_option
def reset(stream, data):
    """Go back to what was shipped; the history stays."""
    desk_in(data).reset(stream)
    click.echo("%s is as shipped\nnext: heed attention freeze %s, if it is not to learn again" % (stream, stream))


@attention.command()
@stream_argument
@click.option("--to", "version", default=None, type=int, help="version; default: the one before")
@data_option
def rollback(stream, version, data):
    """Go back to an earlier version."""
    click.echo("%s uses version %d\nnext: heed attention show" % (stream, desk_in(data).rollback(stream, version)))


@attention.command()
@stream_argument
@click.option("--out", default=None, type=click.Path(), help="file; default: STREAM.json")
@data_option
def export(stream, out, data):
    """Write the state in use to a file."""
    from gateway.attention.kept import refuse
    store = store_in(data)
    refuse(store, stream)
    state = store.current(stream)[0]
    if not state:
        raise ConfigError("%s is as shipped: there is nothing to export" % stream, "heed attention show")
    path = Path(out or stream.replace("/", "_") + ".json")
    path.write_text(json.dumps(state.to_dict(), indent=1) + "\n")
    click.echo("wrote %s\nnext: heed attention import %s --stream NAME, on another gateway" % (path, path))


@attention.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--stream", default=None, help="stream that gets it; default: the one it is from")
@data_option
def import_(file, stream, data):
    """Use a state that was exported; refused unless it is whole, of this package, and within its ranges."""
    from gateway.attention.state import state_from
    try:
        state = state_from(json.loads(Path(file).read_text()))
    except ValueError as error:
        raise ConfigError("%s is no JSON: %s" % (file, error), "`heed attention export` writes one")
    origin_of(state.package).check(state.parameters)
    store = store_in(data)
    state.stream, state.parent, state.reason = stream or state.stream, 0, "imported: " + state.reason
    click.echo("%s uses version %d\nnext: heed attention show" % (state.stream, store.adopt(state)))
