"""heed model import, install, remove, compress: packages that come, go, and get smaller.

    heed model import detector.tflite --labels labels.txt --detector --scores classificators
    heed model compress vision --out small
"""

import click

from firmware_tools.cli import grid, json_option, show


@click.command()
@click.argument("name", default="vision")
@click.option("--data", "own", default=None, type=click.Path(exists=True), help="folder of pictures, or .npz of inputs, like those in use")
@click.option("--out", required=True, type=click.Path(), help="folder of the package with the smaller variants")
@click.option("--epochs", default=20, help="epochs of the student; pruning and distillation need the extra `train`")
@json_option
def compress(name, own, out, epochs, as_json):
    """Smaller variants of a float package: dynamic range, int8, pruned, taught to a smaller net; what each costs and gains."""
    from rich.markup import escape
    from firmware_tools.compress import compress as run
    facts = run(name, own, out, epochs, (lambda text: None) if as_json else click.echo)
    title = "%(package)s, %(measure)s on %(judged_on)d" % facts
    show(facts, as_json, lambda facts: [grid(title, ("variant", "bytes", "packed", "%", "ms"), [
        (r["name"], r["bytes"], r["packed"], "%.2f" % (100 * r["accuracy"]), "%.3f" % r["ms"]) for r in facts["rows"]]),
        *[escape("%s left out: %s" % pair) for pair in facts["left_out"].items()], *(["plot: " + facts["plot"]] if facts["plot"] else []),
        "next: heed model bench %s" % out])


@click.command("import")
@click.argument("file", type=click.Path())
@click.option("--name", default=None, help="name of the package; default: that of the file")
@click.option("--into", default=None, help="folder of packages; default: your own")
@click.option("--labels", default=None, type=click.Path(exists=True, dir_okay=False), help="text file with the class names, one a line")
@click.option("--group", "groups", multiple=True, help="NAME=LABEL;LABEL...: labels that become one class; the rest is `other`")
@click.option("--scores", default=None, help="the output that holds the classes; default: the first")
@click.option("--detector", is_flag=True, help="that output has a row for each candidate: the best one counts")
@click.option("--scale", default=1.0, help="what integers are multiplied by for a float graph, such as 0.0078125")
@click.option("--real", is_flag=True, help="the plugin gives real values: the graph's own scale turns them into its integers")
def import_(file, name, into, labels, groups, scores, detector, scale, real):
    """Make a package of any TFLite file; refused with one line where it does not run."""
    from pathlib import Path
    from models.importer import import_tflite
    from models.package import user_folder
    names = [line.strip() for line in Path(labels).read_text().splitlines() if line.strip()] if labels else None
    grouped = {group.split("=", 1)[0]: group.split("=", 1)[-1].split(";") for group in groups}
    folder = import_tflite(file, name or Path(file).stem, into or user_folder(), names, grouped, scores, detector, scale, real)
    click.echo("%s is a package now\nnext: heed model bench %s" % (folder, folder if into else folder.name))


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False))
def install(folder):
    """Install a package of somebody else's: every variant is verified first."""
    import shutil
    from firmware_tools.evaluate import verify_package
    from gateway.core.errors import ModelError
    from models.package import Package, user_folder
    package = Package(folder)
    broken = [v for v in verify_package(folder)["variants"] if v["state"] != "sound" and v["name"] != "baseline"]
    if broken:
        raise ModelError("%s is not installed: %s" % (package.name, broken[0]["why"]), "ask whoever made it")
    target = user_folder() / package.name
    if target.exists():
        raise ModelError("%s is installed already" % package.name, "heed model remove " + package.name)
    shutil.copytree(folder, target, ignore=shutil.ignore_patterns("*.py", "recipe", "__pycache__"))
    click.echo("installed %s\nnext: heed model info %s" % (package.name, package.name))


@click.command()
@click.argument("name")
def remove(name):
    """Delete a package that was imported or installed. Built-in ones stay."""
    from gateway.core.errors import ConfigError
    from models import importer
    from models.package import user_folder
    if not (user_folder() / name / "manifest.json").exists():
        raise ConfigError("%s is not among your own packages in %s" % (name, user_folder()), "heed model list")
    importer.remove(user_folder() / name)
    click.echo("removed %s\nnext: heed model list" % name)
