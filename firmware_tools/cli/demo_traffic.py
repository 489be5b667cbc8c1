"""heed demo traffic: a road network forecast slot by slot.

    heed demo traffic
    heed demo traffic --sensor 77 --start "2016-08-26 05:00" --plot pictures
    heed demo traffic --csv flows.csv --model traffic_single
"""

import tempfile
from pathlib import Path

import click

SETTINGS = """
[gateway]
name = "demo"
data = '%s'
[[sensor]]
name = "roads"
kind = "series"
feeds = "traffic"
options = { file = '%s', columns = "%s", start = "%s", hours = %s, history_h = 200, speed = %s, unit = "%s" }
[[plugin]]
name = "traffic"
kind = "traffic"
model = "%s"
options = { step_s = %d }
[[uplink]]
name = "file"
kind = "file"
"""
PEMS08, START, FIRST = "traffic/pems08/pems08_flow.npz", "2016-08-26 04:00", "2016-07-01 00:00"


@click.command()
@click.option("--csv", "file", default=None, help="a CSV file of yours: a column of times, one column a sensor; default: PEMS08")
@click.option("--columns", default="", help="names of its sensors, comma-separated; default: all that hold numbers")
@click.option("--sensor", default=None, help="which one is shown; default: 77, or the first")
@click.option("--start", default=None, help='time to begin at, for example "2016-08-26 04:00"')
@click.option("--hours", default=18.0, help="how much to play; 0 = to the end")
@click.option("--speed", default=3000.0, help="times real time; 0 = as fast as it goes")
@click.option("--unit", default="veh", help="unit of the readings")
@click.option("--model", default=None, help="model package, or baseline; default: traffic, for a CSV file traffic_single")
@click.option("--plot", default=None, type=click.Path(file_okay=False), help="save pictures into this folder")
def traffic(file, columns, sensor, start, hours, speed, unit, model, plot):
    """Play a road network through the gateway and watch it being forecast."""
    from rich.console import Console
    from firmware_tools.cli.demo import play
    from firmware_tools.demo_traffic import View
    from gateway.core.errors import ConfigError
    from sensors.series_file import read
    console = Console()
    path = file or chosen(console)
    table = read(path, columns, FIRST)
    model, start = model or ("traffic_single" if file else "traffic"), start or ("" if file else START)
    sensor = sensor or ("77" if "77" in table.names else table.names[0])
    if sensor not in table.names:
        raise ConfigError("%s has no sensor %s" % (path, sensor), "sensors: " + ", ".join(table.names[:20]))
    first, last = table.span(start, hours)
    view = View(sensor, last - first, unit, table.gain, 80, console)
    with tempfile.TemporaryDirectory(prefix="heed-") as folder:
        lines = play(SETTINGS % (folder, path, columns, start, hours, speed, unit, model, table.step_ms // 1000), view, Path(folder))
    console.print("\n[bold]%s[/bold]: %s" % (Path(path).name, view.found()))
    console.print("%d summaries of %d bytes in all went upstream, for %d readings" % (
        len(lines), sum(map(len, lines)), int(table.there[first:last].sum())))
    if plot:
        from firmware_tools.pictures_traffic import save_traffic
        for picture in save_traffic(path, columns, model, Path(plot), sensor, first, last, unit):
            console.print("saved %s" % picture)
    console.print("next: heed model verify traffic --evaluate, or heed model train traffic --csv FILE")


def chosen(console):
    """PEMS08, fetched where it is not here."""
    from gateway import data
    if not data.find(PEMS08):
        console.print("PEMS08 is not here: fetching it (3 MB) ...")
        data.fetch("traffic/pems08")
    return str(data.find(PEMS08))
