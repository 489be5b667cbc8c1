"""heed uplink: what goes upstream.

    heed uplink preview
    heed uplink preview heed.toml --dry 20 --records 5
"""

import click

from firmware_tools.cli import json_option, show
from firmware_tools.cli.run import settings


@click.group()
def uplink():
    """What goes upstream."""


@uplink.command()
@settings
@click.option("--records", default=10, show_default=True, type=click.IntRange(1, 1000), help="the newest so many")
@click.option("--dry", default=0.0, type=click.FloatRange(0, 3600), help="run the sensors for so many seconds instead, and send nothing")
@json_option
def preview(settings, records, dry, as_json):
    """Show exactly what would leave, in the form of each uplink; from the outbox, or from a dry run."""
    import asyncio
    from gateway import config
    from gateway.preview import preview as look
    from models.package import names
    facts = asyncio.run(look(config.load(settings, names()), records, dry))
    if as_json:
        return show(facts, True, None)
    for line in lines(facts):
        click.echo(line)


def lines(facts):
    """The facts for a person; payloads as they are."""
    yield "%d records %s" % (facts["records"], "of a dry run, which stay here" if facts["dry"] else "wait in the outbox")
    for uplink in facts["uplinks"]:
        yield "\n%(name)s (%(kind)s)" % uplink
        for message in uplink["messages"]:
            yield "  to %(to)s, %(bytes)d bytes on the line:\n    %(text)s" % message
    if not facts["records"]:
        yield "next: heed uplink preview --dry 20 runs the settings for 20 s and sends nothing"
    for alias, name in facts["streams"].items():
        yield "\n%s is %s; only this gateway can tell" % (alias, name)
    for item in facts["permits"]:
        over = " (OVER: it stays here)" if item["over"] else ""
        yield "signal of %s may leave: to %s, until %s%s" % (item["stream"], item["to"], item["until"], over)
    for part, names in facts["held_back"].items():
        yield "%s held back: %s" % (part, ", ".join("%s %d times" % item for item in names.items()))
