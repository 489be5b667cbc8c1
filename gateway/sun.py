"""Traces of sun or power: read from CSV, and two real ones fetched from the package registry.

payerne: one minute, June 2016, measured by MeteoSwiss for BSRN, as the source distribution of pvlib carries it for its tests.
greensboro: one hour, a typical year (TMY3, NREL), as the wheel of pvlib carries it. pvlib is BSD-3-Clause.
"""

import csv
import datetime
import gzip
import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from gateway import data
from gateway.core.errors import ConfigError, HeedError

PVLIB = "pvlib==0.16.1"
DAY = 1440
SHORT_GAP = 120  # minutes that are bridged by a straight line; longer gaps take the same time of the day before
UNITS = {"w_m2": "W/m2", "w": "W"}
SETS = {
    "energy/payerne": ("irradiance at Payerne, June 2016, each minute", ("--no-binary", ":all:"), "tests/data/bsrn-pay0616.dat.gz",
                       "4b30e5faacd06b9786d1547406667a17e392c2b926b29d16bc87b3f36b9f4e0c"),
    "energy/greensboro": ("irradiance at Greensboro, a typical year, each hour", ("--only-binary", ":all:"), "pvlib/data/723170TYA.CSV",
                          "1e96f84638ce98e6b29002bc45a27aa69bb29b0ed0368d3b52b7b1f81610c6c9")}


class Trace:
    """minutes: array of a value for each minute of whole days, W/m2 or W; unit: "w_m2" or "w"; filled: minutes that the file lacks."""

    def __init__(self, name, minutes, unit, filled):
        self.name, self.minutes, self.unit, self.filled = name, minutes, unit, filled
        self.days = len(minutes) // DAY


def read(path):
    """Trace of a CSV file with a header `time,w_m2` or `time,w`; time is ISO 8601 or seconds since 1970. Raises ConfigError."""
    try:
        rows = list(csv.reader(Path(path).read_text(encoding="utf-8").splitlines()))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("%s cannot be read: %s" % (path, getattr(error, "strerror", error)), "give a CSV file: time,w_m2")
    if len(rows) < 3 or len(rows[0]) < 2 or rows[0][0] != "time" or rows[0][1] not in UNITS:
        raise ConfigError("%s has no head time,w_m2 or time,w" % path, "first line: time,w_m2 for irradiance, time,w for power")
    stamps, values = [], []
    for number, row in enumerate(rows[1:], 2):
        try:
            stamps.append(seconds(row[0]))
            values.append(float(row[1]))
        except (ValueError, IndexError):
            raise ConfigError("%s, line %d: %r" % (path, number, ",".join(row)), "write a time and a number")
    return regular(Path(path).stem, np.array(stamps), np.array(values), rows[0][1])


def seconds(text):
    """Seconds since 1970 of a time as text. Raises ValueError."""
    try:
        return float(text)
    except ValueError:
        when = datetime.datetime.fromisoformat(text)
        return (when if when.tzinfo else when.replace(tzinfo=datetime.timezone.utc)).timestamp()


def regular(name, stamps, values, unit):
    """A Trace: each value holds until the next is due; what is missing is filled and counted; time must go forward."""
    if (np.diff(stamps) <= 0).any():
        at = int(np.argmax(np.diff(stamps) <= 0)) + 2
        raise ConfigError("trace %s: time goes back after line %d" % (name, at), "sort the file; one line for each time")
    step = max(1, int(round(float(np.median(np.diff(stamps))) / 60)))
    first = stamps[0] // 86400 * 86400
    at = np.round((stamps - first) / 60).astype(int)
    days = (at[-1] + step + 60) // DAY  # the last hour of a day may lack
    if days < 1:
        raise ConfigError("trace %s is shorter than a day" % name, "give whole days, from midnight")
    minutes = np.full(max(at[-1] + step, days * DAY), np.nan)
    for offset in range(step):
        minutes[at + offset] = values
    minutes = minutes[:days * DAY]
    lacking = int((~np.isfinite(minutes)).sum())
    return Trace(name, np.maximum(0, bridged(minutes)), unit, lacking)


def bridged(minutes):
    """The same without gaps."""
    known = np.isfinite(minutes)
    if known.all():
        return minutes
    if not known.any():
        raise ConfigError("the trace has no numbers", "give a CSV file: time,w_m2")
    line = np.interp(np.arange(len(minutes)), np.flatnonzero(known), minutes[known])
    edges = np.flatnonzero(np.diff(np.concatenate([[1], known.astype(int), [1]])))
    out = np.where(known, minutes, line)
    for begin, end in zip(edges[::2], edges[1::2]):
        if end - begin > SHORT_GAP:
            for i in range(begin, end):
                out[i] = out[i - DAY] if i >= DAY else line[i]
    return out


def find(name):
    """Trace by path, or by a name such as energy/payerne. Raises ConfigError with how to get it."""
    path = Path(name) if Path(name).is_file() else data.find(name + ".csv")
    if not path:
        raise ConfigError("no trace %s" % name, "give a CSV file" + (", or: heed data fetch %s" % name if name in SETS else ""))
    return read(path)


def fetch(name):
    """Fetch one of SETS into the cache as CSV; gives its folder."""
    path = data.cache() / (name + ".csv")
    if not path.exists():
        _, options, member, sha256 = SETS[name]
        raw = from_registry(options, member)
        if hashlib.sha256(raw).hexdigest() != sha256:
            raise HeedError("%s of %s is not the file that Heed knows" % (member, PVLIB), "do not use it")
        lines = bsrn(gzip.decompress(raw).decode("latin-1")) if member.endswith(".gz") else tmy(raw.decode("latin-1"))
        data.keep(path, ("time,w_m2\n" + "".join("%s,%g\n" % line for line in lines)).encode())
    return path.parent


def from_registry(options, member):
    """One file out of the package."""
    with tempfile.TemporaryDirectory() as scratch:
        done = subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--dest", scratch, *options, PVLIB],
                              capture_output=True, text=True)
        found = list(Path(scratch).glob("pvlib*"))
        if done.returncode or not found:
            raise HeedError("pip cannot fetch %s: %s" % (PVLIB, done.stderr.strip()[-200:]), "is a package registry in reach?")
        packed = found[0].read_bytes()
        if found[0].suffix == ".whl":
            return zipfile.ZipFile(io.BytesIO(packed)).read(member)
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            return archive.extractfile("pvlib-%s/%s" % (PVLIB.split("==")[1], member)).read()


def bsrn(text):
    """(time, W/m2) of global irradiance in a BSRN station-to-archive file (logical record 0100, June 2016)."""
    lines = text.splitlines()
    at = lines.index(next(line for line in lines if line.startswith("*U0100"))) + 1
    while not lines[at].startswith("*"):
        day, minute, value = int(lines[at][:3]), int(lines[at][4:9]), float(lines[at][10:16])
        if value > -90:  # -999: not measured
            yield "2016-06-%02dT%02d:%02d" % (day, minute // 60, minute % 60), value
        at += 2


def tmy(text):
    """(time, W/m2) of a TMY3 file: the hour that ends at the time given; its months are of different years, told as of 2001."""
    rows = list(csv.reader(io.StringIO(text)))[2:]
    for number, row in enumerate(rows):
        yield (datetime.datetime(2001, 1, 1) + datetime.timedelta(hours=number)).isoformat(), float(row[4])
