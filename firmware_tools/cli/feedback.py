"""heed feedback ask, show, give, skip, list, alarms, confirm, deny: labels for what a gateway is unsure of, and of its reports.

    heed feedback ask
    heed feedback show bed-1 1833 --svg beat.svg
    heed feedback give bed-1 1833 N
    heed feedback give yard 1764027382123 deny
    heed feedback list bed-1
    heed feedback confirm bed-1

A word is durable when the command returns; a running gateway learns from it within seconds.
"""

from pathlib import Path

import click

from firmware_tools.cli import grid, json_option, show as shown
from firmware_tools.cli.attention import alarms_grid, data_option, desk_in, stream_argument, when

number_argument = click.argument("number", type=int)
by_option = click.option("--by", "source", default="clinician", show_default=True, help="clinician, user or alarm, and after a colon who")


@click.group()
def feedback():
    """See what labels would help, and give them."""


@feedback.command()
@data_option
@json_option
def ask(data, as_json):
    """What the gateway asks for: a label for each of these would help most. A camera's reports are among them."""
    shown({"asked": desk_in(data).asked()}, as_json, lambda facts: [grid(None, ("stream", "number", "when", "guess", "share", "why"), [
        (r["stream"], r["seq"], when(r["t_ms"]), r["guess"], "%.2f" % r["share"], r["why"]) for r in facts["asked"]])
        if facts["asked"] else "nothing is asked for", "next: heed feedback show STREAM NUMBER, heed feedback give STREAM NUMBER LABEL"])


@feedback.command()
@stream_argument
@number_argument
@click.option("--svg", default=None, type=click.Path(dir_okay=False), help="write what it looks like to this file")
@data_option
@json_option
def show(stream, number, svg, data, as_json):
    """What one moment looks like: its shares, what was attended to, and with --svg its picture."""
    from gateway.web.drawing import drawn, most_attended
    facts = desk_in(data).moment(stream, number)
    if svg:
        Path(svg).write_text(drawn(facts))
    shown(facts, as_json, lambda facts: [
        "%s %d, %s: %s (%.2f)" % (stream, facts["seq"], when(facts["t_ms"]), facts["guess"], facts["share"]),
        grid(None, ("class", "share"), [(label, "%.3f" % share) for label, share in facts["shares"].items()]),
        "attended to: " + most_attended(facts["attended"]),
        "next: heed feedback give %s %d LABEL" % (stream, facts["seq"])])


@feedback.command()
@stream_argument
@number_argument
@click.argument("label")
@click.option("--by", "source", default=None, help="clinician, user or alarm, and after a colon who; default: clinician, of a camera's reports user")
@data_option
def give(stream, number, label, source, data):
    """Label one moment of a stream. NUMBER: from `ask`, or `r` or `report` of an event; LABEL of a report: confirm or deny."""
    from gateway.attention.feedback import Feedback
    desk = desk_in(data)
    verdict = desk.give(Feedback(stream, number, label, source or desk.giver(stream)))
    click.echo("%s\nnext: heed attention show" % {"taken": "taken: the gateway learns from it"}.get(verdict, verdict.replace("_", " ")))


@feedback.command()
@stream_argument
@number_argument
@data_option
def skip(stream, number, data):
    """A question that cannot be answered: the gateway asks another one."""
    desk_in(data).skip(stream, number)
    click.echo("skipped\nnext: heed feedback ask")


@feedback.command("list")
@stream_argument
@data_option
@json_option
def list_(stream, data, as_json):
    """All words about a stream, and what became of each."""
    shown({"stream": stream, "words": desk_in(data).words(stream)}, as_json, lambda facts: [
        grid(stream, ("number", "label", "by", "given", "verdict"), [
            (r["seq"], r["label"], r["source"], when(r["given_ms"]), r["verdict"]) for r in facts["words"]])])


@feedback.command()
@data_option
@json_option
def alarms(data, as_json):
    """Streams whose labels contradict what the model is sure of: a person is to say whether they are right."""
    shown({"alarms": desk_in(data).raised()}, as_json, lambda facts: [
        *(alarms_grid(facts["alarms"]) if facts["alarms"] else ["no labels are doubted"]),
        "next: heed feedback list STREAM, then heed feedback confirm STREAM or heed feedback deny STREAM"])


@feedback.command()
@stream_argument
@by_option
@data_option
def confirm(stream, source, data):
    """Answer an alarm: it is the right patient, and the labels given until now are right."""
    click.echo("%d labels of %s are confirmed: the gateway learns from them\nnext: heed attention show" % (
        desk_in(data).confirm(stream, source), stream))


@feedback.command()
@stream_argument
@by_option
@data_option
def deny(stream, source, data):
    """Answer an alarm: the labels given until now are wrong. None of them teaches; the stream is as shipped."""
    click.echo("%d labels of %s are dropped, and it is as shipped\nnext: heed feedback ask" % (desk_in(data).deny(stream, source), stream))
