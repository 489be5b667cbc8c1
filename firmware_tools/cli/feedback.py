"""heed feedback ask, give, list: labels for what a gateway is unsure of, and what of its reports is true.

    heed feedback ask
    heed feedback give bed-1 1833 N
    heed feedback give yard 1764027382123 deny
    heed feedback list bed-1

A word is durable when the command returns; a running gateway learns from it within seconds.
"""

from collections import Counter

import click

from firmware_tools.cli import grid, json_option, show
from firmware_tools.cli.attention import data_option, store_in, when
from gateway.core.errors import ConfigError


@click.group()
def feedback():
    """See what labels would help, and give them."""


def door_of(store, stream):
    """The Door for words from outside about a stream. Raises ConfigError for a stream that is not known."""
    from gateway.attention.feedback import Door
    from gateway.attention.moments import Moments
    from gateway.core.options import guess
    origins = store.origins()
    if stream not in origins:
        raise ConfigError('no stream "%s"' % stream, guess(stream, origins))
    return Door(Moments(store, Counter()), origins[stream]["classes"], origins[stream]["reach"], Counter(), outside=True)


@feedback.command()
@data_option
@json_option
def ask(data, as_json):
    """What the gateway asks for: a label for each of these would help most. Reports that can be confirmed or denied are among them."""
    store = store_in(data)
    rows = [dict(zip(("seq", "t_ms", "guess", "share", "why"), row), stream=stream)
            for stream in store.origins() for row in door_of(store, stream).asked(stream)]
    show({"asked": rows}, as_json, lambda facts: [grid(None, ("stream", "number", "when", "guess", "share", "why"), [
        (r["stream"], r["seq"], when(r["t_ms"]), r["guess"], "%.2f" % r["share"], r["why"]) for r in rows]) if rows else "nothing is asked for",
        "next: heed feedback give STREAM NUMBER LABEL"])


@feedback.command()
@click.argument("stream")
@click.argument("number", type=int)
@click.argument("label")
@click.option("--by", "source", default=None, help="clinician, user or alarm, and after a colon who; default: clinician, of reports user")
@data_option
def give(stream, number, label, source, data):
    """Label one moment of a stream. NUMBER: from `ask`, or `r` or `report` of an event; LABEL of a report: confirm or deny."""
    from gateway.attention.feedback import Feedback
    door = door_of(store_in(data), stream)
    verdict = door.give(Feedback(stream, number, label, source or ("user" if "deny" in door.classes else "clinician")))
    click.echo("%s\nnext: heed attention show" % {"taken": "taken: the gateway learns from it"}.get(verdict, verdict.replace("_", " ")))


@feedback.command("list")
@click.argument("stream")
@data_option
@json_option
def list_(stream, data, as_json):
    """All words about a stream, and what became of each."""
    names = ("seq", "label", "source", "given_ms", "verdict")
    rows = [dict(zip(names, row)) for row in store_in(data).rows(
        "SELECT seq, label, source, given_ms, verdict FROM feedback WHERE stream = ? ORDER BY id", stream)]
    show({"stream": stream, "words": rows}, as_json, lambda facts: [grid(stream, ("number", "label", "by", "given", "verdict"), [
        (r["seq"], r["label"], r["source"], when(r["given_ms"]), r["verdict"]) for r in rows])])
