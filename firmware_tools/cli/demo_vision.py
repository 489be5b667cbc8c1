"""heed demo vision: a video through the gateway, and where the model looks.

    heed demo vision
    heed demo vision --video yard.mp4 --plot pictures
"""

import json
import tempfile
from pathlib import Path

import click

from gateway.core.errors import HeedError

VIDEO = "vision/video/car-detection.mp4"
VISION = """
[gateway]
name = "demo"
data = '%s'
[[sensor]]
name = "camera-1"
kind = "video"
feeds = "vision"
options = { file = '%s', speed = %s, duration_s = %s }
[[plugin]]
name = "vision"
kind = "vision"
model = "%s"
options = %s
[[uplink]]
name = "file"
kind = "file"
"""


@click.command()
@click.option("--video", default=VIDEO, help="a video file of yours, or a name in the data folder")
@click.option("--seconds", default=0.0, help="how much to play; 0 = to the end")
@click.option("--speed", default=1.0, help="times real time; 0 = as fast as it goes")
@click.option("--model", default="vision", help="model package, or baseline")
@click.option("--line", default=50, help="where the counting line lies, in percent of the height")
@click.option("--threshold", default=20, help="change that wakes a tile; 0 = look everywhere")
@click.option("--plot", default=None, type=click.Path(file_okay=False), help="save pictures into this folder")
def vision(video, seconds, speed, model, line, threshold, plot):
    """Play a video through the gateway and watch where the model looks (extra `vision`)."""
    from rich.console import Console
    from firmware_tools.cli.demo import play
    from firmware_tools.demo_vision import View
    from firmware_tools.recordings import video_file
    from plugins.vision.plugin import MANIFEST
    console, path = Console(), video_file(video)
    chosen = dict(input_of(model), line=line, threshold=threshold)
    options = dict({name: spec["default"] for name, spec in MANIFEST["options"].items()}, **chosen)
    view = View(path, options, console)
    with tempfile.TemporaryDirectory(prefix="heed-") as folder:
        lines = play(VISION % (folder, path, speed, seconds, model, inline(chosen)), view, Path(folder))
    console.print("\n[bold]%s[/bold]: %s" % (path.name, view.found()))
    console.print("%d summaries of %d bytes in all went upstream, for %d bytes of video" % (
        len(lines), sum(map(len, lines)), path.stat().st_size))
    if plot:
        from firmware_tools.pictures_vision import save_video
        for picture in save_video(path, model, Path(plot), options):
            console.print("saved %s" % picture)
    console.print("next: heed model import FILE, and its name as --model")


def input_of(model):
    """Options of the vision plugin that follow from a package: what it takes, and what it tells apart."""
    if model == "baseline":
        return {}
    from models.package import Package, folder_of
    manifest = Package(folder_of(model)).manifest
    taken, classes = manifest["inputs"][0], manifest["classes"]
    if len(taken["shape"]) != 4:
        raise HeedError("%s takes no pictures: its input is %s" % (model, taken["shape"]), "heed model list")
    found = {"input": taken["shape"][1:3], "zero": 0 if taken["dtype"] == "uint8" else -128, "grey": taken["shape"][3] == 1}
    if manifest["domain"] != "vision":
        found.update(classes=classes, watch=classes[:1], call=classes[0], share=10)
    return found


def inline(options):
    """A TOML inline table."""
    return "{ %s }" % ", ".join("%s = %s" % (name, json.dumps(value)) for name, value in options.items())
