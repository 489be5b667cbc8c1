"""The command `heed`: one file per noun, imported when it is called."""

import importlib
import json
import sys

import click

from gateway import __version__
from gateway.core.errors import ConfigError, HeedError

COMMANDS = {"demo": "demo", "init": "run", "check": "run", "run": "run", "status": "run", "plugin": "plugin",
            "data": "data", "model": "model", "attention": "attention", "feedback": "feedback", "energy": "energy", "hub": "hub",
            "enroll": "enroll", "uplink": "uplink", "bench": "bench"}


class Lazy(click.Group):
    """Finds a command in firmware_tools.cli.NOUN when it is asked for."""

    def list_commands(self, context):
        """All names, in the order that a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, context, name):
        """The command, or None."""
        if name not in COMMANDS:
            return None
        return getattr(importlib.import_module("firmware_tools.cli." + COMMANDS[name]), name)

    def invoke(self, context):
        """A fault of ours ends with its message and what to do next: 2 for settings and usage, 1 for failure."""
        try:
            return super().invoke(context)
        except HeedError as error:
            click.echo("heed: " + error.message, err=True)
            if error.hint:
                click.echo("next: " + error.hint, err=True)
            sys.exit(2 if isinstance(error, ConfigError) else 1)


@click.group(cls=Lazy)
@click.version_option(__version__, prog_name="heed")
def main():
    """Heed: gateway firmware that pays attention.

    Try: heed demo
    """


def show(facts, as_json, table):
    """Print facts: as JSON, or as the rich renderables that table(facts) gives."""
    if as_json:
        click.echo(json.dumps(facts, indent=1))
        return
    from rich.console import Console
    console = Console()
    for item in table(facts):
        console.print(item)


def grid(title, columns, rows):
    """A rich table of strings."""
    from rich.table import Table
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*[str(cell) for cell in row])
    return table


json_option = click.option("--json", "as_json", is_flag=True, help="print facts as JSON")
