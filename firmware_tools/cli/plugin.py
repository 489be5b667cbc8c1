"""heed plugin: what there is, and what it takes.

    heed plugin list
    heed plugin show replay
"""

import click

from firmware_tools.cli import grid, json_option, show
from gateway.core.errors import ConfigError
from gateway.core.options import guess


@click.group()
def plugin():
    """Sensors, plugins and uplinks."""


folder = click.option("--folder", default=None, help="a folder with plugins of your own")


@plugin.command("list")
@folder
@json_option
def list_(folder, as_json):
    """All that is found, without importing any of it."""
    from gateway.discover import discover
    parts, faults = discover(folder)
    facts = {"parts": [dict(summary=p.manifest["summary"], kind=p.kind, name=p.name, version=p.manifest["version"], origin=p.origin,
                            runs_on=p.manifest["runs_on"]) for _, p in sorted(parts.items())], "faults": [str(f) for f in faults]}
    show(facts, as_json, lambda facts: [grid(None, ("kind", "name", "version", "runs on", "what it does"), [
        (p["kind"], p["name"], p["version"], ", ".join(p["runs_on"]), p["summary"]) for p in facts["parts"]]), *facts["faults"],
        "next: heed plugin show NAME"])


@plugin.command("show")
@click.argument("name")
@folder
@json_option
def show_(name, folder, as_json):
    """Manifest and options of one part."""
    from gateway.discover import discover
    parts, _ = discover(folder)
    found = [part for part in parts.values() if part.name == name]
    if not found:
        raise ConfigError('no part called "%s"' % name, guess(name, [part.name for part in parts.values()]))
    show([part.manifest for part in found], as_json, lambda facts: [page for manifest in facts for page in pages(manifest)])


def pages(manifest):
    """One manifest for a person."""
    yield "[bold]%(kind)s %(name)s[/bold] %(version)s: %(summary)s" % manifest
    yield grid("options", ("name", "default", "help"), [
        (name, "required" if spec.get("required") else repr(spec["default"]), spec["help"]) for name, spec in manifest["options"].items()])
    if "leaves" in manifest:
        yield grid("what may leave", ("summary", "field", "meaning"), [
            (kind, name, meaning) for kind, fields in manifest["leaves"].items() for name, meaning in fields.items()])
