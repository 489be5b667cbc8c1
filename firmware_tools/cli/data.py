"""heed data: recordings for demos, tests and training.

    heed data list
    heed data fetch ecg/demo
"""

import click

from firmware_tools.cli import grid, json_option, show


@click.group()
def data():
    """Recordings: what there is, where, and how to get it."""


@data.command("list")
@json_option
def list_(as_json):
    """The data sets that Heed knows."""
    from gateway import data as recordings
    facts = [{"name": name, "what": what, "path": path and str(path)} for name, what, path in recordings.listing()]
    show(facts, as_json, lambda facts: [grid(None, ("name", "what", "where"), [
        (row["name"], row["what"], row["path"] or "not here: heed data fetch " + row["name"]) for row in facts])])


@data.command()
@click.argument("name")
def fetch(name):
    """Fetch a data set into the cache, with checksums."""
    from gateway import data as recordings
    with click.progressbar(length=100, label=name) as bar:
        folder = recordings.fetch(name, lambda done, total: bar.update(100 * done // total - bar.pos))
    click.echo("%s is in %s\nnext: heed demo" % (name, folder))


@data.command()
@json_option
def where(as_json):
    """The folders that are searched, in order."""
    from gateway import data as recordings
    show([str(place) for place in recordings.places()], as_json, lambda facts: facts)
