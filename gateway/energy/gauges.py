"""What tells the charge of a battery: a fuel gauge of the kernel, or its voltage through a curve.

A gauge has name, share(), 0 to 1, which raises NotConnected when it cannot tell, and band: the share by which it may be off. drawn_w:
what the board draws, told before each reading.

A voltage says little of a battery that works: it falls with the current (milliohm makes up for what the board draws; what a panel
brings in is not known), comes back to rest over hours, and that of LiFePO4 hardly moves between a third and nine tenths. The median
of a minute is taken, and the sum of what was drawn goes on between the bounds.
"""

import csv
from collections import deque
from pathlib import Path
from statistics import median

from gateway.core.errors import ConfigError, NotConnected
from gateway.core.options import guess

MEDIAN = 61  # readings, one a second
BEYOND = .4  # volts of a cell outside of its curve: no cell of this kind
# Open-circuit volts of a cell by share of its charge, thinned from the tables of simses 1.3.12 (BSD-3-Clause, TU Munich):
# CLFP_Sony_US26650_OCV.csv (Naumann, PhD thesis, TU Munich 2018), NMC_Sanyo_OCV.csv (UR18650E; Schmalstieg et al., Journal of Power
# Sources 257, 2014), NCA_PanasonicNCR_OCV.csv.
SHARES = (0, .02, .05, .1, .15, .2, .3, .4, .5, .6, .7, .8, .9, .95, .98, 1)
CURVES = {
    "lifepo4": (2.0, 2.873, 3.05, 3.189, 3.211, 3.231, 3.267, 3.29, 3.299, 3.303, 3.309, 3.325, 3.342, 3.344, 3.348, 3.6),
    "nmc": (3.33, 3.368, 3.425, 3.492, 3.55, 3.584, 3.628, 3.657, 3.704, 3.773, 3.871, 3.968, 4.07, 4.122, 4.141, 4.16),
    "nca": (3.244, 3.278, 3.329, 3.392, 3.449, 3.508, 3.572, 3.62, 3.685, 3.791, 3.874, 3.955, 4.06, 4.125, 4.17, 4.2)}
VOLTAGE = {"options": {
    "voltage": {"required": True, "type": "path", "help": "file that holds volts: in1_input of an INA chip (mV), voltage_now (uV)"},
    "unit": {"default": 0.0, "type": "float", "min": 0, "help": "volts of one count of the file; 0 = by its name"},
    "curve": {"default": "nmc", "type": "str", "help": "%s, or a CSV file with share,volts of one cell" % ", ".join(CURVES)},
    "cells": {"default": 1, "type": "int", "min": 1, "max": 64, "help": "cells in series"},
    "milliohm": {"default": 0.0, "type": "float", "min": 0, "max": 10000, "help": "resistance of the whole battery with its leads"}}}


def number(path):
    """The integer in a sysfs file, or NotConnected."""
    try:
        return int(Path(path).read_text().split()[0])
    except (OSError, ValueError, IndexError):
        raise NotConnected("%s cannot be read" % path)


class Gauge:
    """A battery with a fuel gauge that the kernel knows, in whole percent."""

    drawn_w, band = 0.0, .005

    def __init__(self, folder):
        self.folder, self.name = Path(folder), "gauge " + Path(folder).name

    def share(self):
        """Charge, 0 to 1."""
        return number(self.folder / "capacity") / 100


class Voltage:
    """A battery known by its voltage alone. values: see VOLTAGE; points: [(volts of a cell, share)], rising."""

    name, drawn_w, band = "voltage curve", 0.0, .02

    def __init__(self, values, points):
        self.values, self.points, self.last = values, points, deque(maxlen=MEDIAN)

    def share(self):
        """Charge, 0 to 1, between the points of the curve."""
        values = self.values
        volts = number(values["voltage"]) * (values["unit"] or unit_of(values["voltage"]))
        cell = (volts + self.drawn_w / max(volts, .1) * values["milliohm"] / 1000) / values["cells"]
        if not self.points[0][0] - BEYOND <= cell <= self.points[-1][0] + BEYOND:
            raise NotConnected("%.3g V a cell is none of %s" % (cell, values["curve"]))
        self.last.append(cell)
        return between(self.points, median(self.last))


def between(points, x):
    """The second of a pair at a first of x, on straight lines between the pairs; the ends go on level."""
    if x <= points[0][0]:
        return points[0][1]
    for (low, a), (high, b) in zip(points, points[1:]):
        if x <= high:
            return a + (b - a) * (x - low) / (high - low)
    return points[-1][1]


def unit_of(path):
    """Volts of a count, by the kernel's names: hwmon's in1_input is in mV, voltage_now of a power supply in uV."""
    return 1e-6 if Path(path).name.startswith("voltage") else 1e-3


def curve(name):
    """[(volts, share)] of a curve by name, or from a CSV file. Raises ConfigError."""
    if name in CURVES:
        return list(zip(CURVES[name], SHARES))
    if not name.endswith(".csv"):
        raise ConfigError('[energy] gauge: no curve "%s"' % name, guess(name, CURVES) + ", or a CSV file with share,volts of one cell")
    try:
        with open(name, newline="", encoding="utf-8") as file:
            points = sorted((float(row["volts"]), float(row["share"])) for row in csv.DictReader(file))
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ConfigError("[energy] gauge: curve %s cannot be read: %r" % (name, error), "CSV with the head share,volts, one cell")
    volts, shares = [p[0] for p in points], [p[1] for p in points]
    if len(set(volts)) < max(2, len(volts)) or shares != sorted(shares) or not 0 <= shares[0] < shares[-1] <= 1:
        raise ConfigError("[energy] gauge: curve %s does not rise from share 0 towards 1" % name, "two points at least, no volts twice")
    return points


def probe(base):
    """[(path, volts)] of files that tell a voltage which may be that of a battery."""
    files = [path for path in sorted(base.glob("sys/class/power_supply/*/voltage_now")) if not (path.parent / "capacity").exists()]
    for path in files + sorted(base.glob("sys/class/hwmon/hwmon*/in[1-9]_input")):
        try:
            yield str(path), number(path) * unit_of(path)
        except NotConnected:
            continue
