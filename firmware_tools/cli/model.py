"""heed model: packages of weights, what they claim, and whether it is so.

    heed model list
    heed model verify ecg --evaluate
    heed model train ecg
    heed model train traffic --csv flows.csv --step 15min
"""

import click

from firmware_tools.cli import grid, json_option, show
from firmware_tools.cli.model_files import compress, import_, install, remove

# domain: module with run(seeds, epochs, out, work, say, own)
RECIPES = {"ecg": "firmware_tools.train_ecg", "traffic": "firmware_tools.train_traffic", "vision": "firmware_tools.train_vision"}
csv_option = click.option("--csv", default=None, type=click.Path(), help="traffic of your own: a column of times, one column a sensor")
step_option = click.option("--step", default=None, help="time between its rows, for example 15min; default: as found")
columns_option = click.option("--columns", default="", help="names of its sensors, comma-separated; default: all that hold numbers")


@click.group()
def model():
    """Model packages."""


@model.command("list")
@json_option
def list_(as_json):
    """The packages that are installed, with their variants and figures."""
    from models.package import Package, folder_of, names
    facts = [facts_of(Package(folder_of(name))) for name in names()]
    show(facts, as_json, lambda facts: [grid(None, ("package", "variant", "runtime", "bytes", "parameters", "figures"), [
        (f["name"], v["name"], v["runtime"], v["bytes"], v["parameters"], figures_line(v))
        for f in facts for v in f["variants"] + f["parts"]]),
        "next: heed model verify NAME --evaluate"])


def facts_of(package):
    """Name, version, fall-back order and variants as a dict."""
    manifest = package.manifest
    kept = {key: manifest[key] for key in ("name", "version", "domain", "classes", "fallback", "variants")}
    return dict(kept, parts=manifest.get("parts", []))


def figures_line(variant):
    """The headline figures of a variant."""
    figures = variant.get("figures") or {}
    return ", ".join("%s %.3f" % (name, value) for name, value in figures.items() if isinstance(value, float))


@model.command()
@click.argument("name")
@json_option
def info(name, as_json):
    """Manifest of a package, and its card."""
    from models.package import Package, folder_of
    package = Package(folder_of(name))
    card = package.folder / "card.md"
    show(package.manifest, as_json, lambda manifest: [card.read_text() if card.exists() else str(facts_of(package))])


@model.command()
@click.argument("name", default="ecg")
@click.option("--evaluate", is_flag=True, help="judge it on the test records, through the gateway's own code")
@click.option("--variant", default=None, help="only this one")
@click.option("--data", "folder", default=None, help="folder with WFDB records and .atr annotations of your own")
@csv_option
@step_option
@columns_option
@json_option
def verify(name, evaluate, variant, folder, csv, step, columns, as_json):
    """Check digests, shapes and a trial run of every variant; with --evaluate, or data of your own, also its figures."""
    from firmware_tools.evaluate import verify_package
    own = {"csv": csv, "step": step, "columns": columns} if csv else {"data": folder} if folder else None
    facts = verify_package(name, variant, evaluate or bool(own), own)
    show(facts, as_json, verdicts)
    if any(found["state"] == "broken" for found in facts["variants"]):
        raise SystemExit(1)


def verdicts(facts):
    """What verify found, for a person."""
    yield grid(None, ("variant", "state", "why"), [(v["name"], v["state"], v.get("why", "")) for v in facts["variants"]])
    for found in facts["variants"]:
        for title, table in found.get("tables", {}).items():
            yield grid("%s: %s" % (found["name"], title), ("", "Se %", "+P %", "F1 %"), [
                (cls, *["%.1f" % (100 * f[key]) for key in ("se", "pp", "f1")]) for cls, f in table.items() if isinstance(f, dict)])
        for line in found.get("lines", ()):
            yield line


@model.command()
@click.argument("name", default="ecg")
@click.option("--seeds", default="1,2,3", help="seeds, comma-separated; traffic takes the first")
@click.option("--epochs", default=0, help="passes for each seed; 0 = as the recipe says")
@click.option("--out", default=None, help="folder of the package, for traffic of both; default: where the built-in one is")
@click.option("--work", default="heed-training", help="folder for checkpoints; an interrupted run goes on there")
@csv_option
@step_option
@columns_option
def train(name, seeds, epochs, out, work, csv, step, columns):
    """Train a package from its recordings, or traffic from a file of your own (extra `train`)."""
    import importlib
    from gateway.core.errors import ConfigError
    if name not in RECIPES:
        raise ConfigError('no recipe for "%s"' % name, "recipes: " + ", ".join(RECIPES))
    try:
        own = {"csv": csv, "step": step, "columns": columns} if csv else None
        importlib.import_module(RECIPES[name]).run([int(seed) for seed in seeds.split(",")], epochs, out, work, click.echo, own)
    except ModuleNotFoundError as error:
        raise ConfigError("TensorFlow is not here: %s" % error, "pip install 'heed-gateway[train]', or: make train")


@model.command()
@click.argument("name", default="ecg")
@click.option("--data", "folder", required=True, type=click.Path(exists=True, file_okay=False), help="WFDB records with .atr labels")
@click.option("--out", required=True, type=click.Path(), help="folder of the tuned package")
@json_option
def tune(name, folder, out, as_json):
    """Adapt a package offline to labelled recordings of your own: attention controls and head; the same package out."""
    from firmware_tools.tune import tune as run
    facts = run(name, folder, out, (lambda text: None) if as_json else click.echo)
    show(facts, as_json, lambda facts: [grid("held-out beats, F1", ("", *"NSVF"), [
        (when, *["%.3f" % facts[when][c] for c in "NSVF"]) for when in ("before", "after")]), "next: heed model verify %s" % out])


@model.command()
@click.argument("name", default="ecg")
@json_option
def bench(name, as_json):
    """Time of one inference for every variant: median of the best of many short windows, one thread."""
    from firmware_tools.bench.variants import measure
    show(measure(name), as_json, lambda facts: [grid("on %(runtime)s" % facts, (
        "variant", "parameters", "bytes", "MFLOP", "us (p50)", "us (p99)", "over the first", "figures"), [
            (v["name"], v["parameters"], v["bytes"], v["mflop"], *times(v), figures_line(v)) for v in facts["variants"]])])


def times(variant):
    """The cells of one variant's times, or why there are none."""
    if "refused" in variant:
        return variant["refused"], "", ""
    return "%.1f" % variant["p50_us"], "%.1f" % variant["p99_us"], "%.2f" % variant["over_first"]


@model.command()
@click.argument("name", default="ecg")
@click.option("--target", type=click.Choice(("edgetpu", "tiny")), required=True, help="what it should run on")
@click.option("--variant", default=None, help="which variant; default: int8, or the only one")
@json_option
def check(name, target, variant, as_json):
    """Operation by operation: what a target takes, before anyone buys hardware."""
    from models.check import check_target
    show(check_target(name, target, variant), as_json, lambda facts: [
        grid("%(package)s %(variant)s on %(target)s" % facts, ("operation", "count", "taken", "why"), [
            (row["op"], row["count"], "yes" if row["taken"] else "no", row["why"]) for row in facts["ops"]]), facts["verdict"]])


for command in (import_, install, remove, compress):
    model.add_command(command)
