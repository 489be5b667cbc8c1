"""What can tell power and heat on this machine, behind one interface, best first. Nothing is taken on trust.

A meter has name, and watts(), which raises NotConnected when it cannot tell; gauges: see gateway.energy.gauges.
root: "/" on a real machine; tests give a tree of their own.
"""

import os
import subprocess
import time
from pathlib import Path

from gateway.core.errors import NotConnected
from gateway.energy.gauges import Gauge, number

INA = ("ina219", "ina220", "ina226", "ina230", "ina231", "ina238", "ina3221")


class Hwmon:
    """An INA chip with a kernel driver: power1_input (uW), or volts times amperes of each channel."""

    def __init__(self, folder):
        self.folder, self.name = Path(folder), "hwmon %s" % (Path(folder) / "name").read_text().strip()

    def watts(self):
        """Power now."""
        if (self.folder / "power1_input").exists():
            return number(self.folder / "power1_input") / 1e6
        channels = [path.name[4:-6] for path in self.folder.glob("curr*_input")]
        if not channels:
            raise NotConnected("%s has no channel" % self.name)
        return sum(number(self.folder / ("in%s_input" % n)) * number(self.folder / ("curr%s_input" % n)) / 1e6 for n in channels)


class Rapl:
    """The processor package of a PC; not what a board draws."""

    name = "rapl"

    def __init__(self, path):
        self.path, self.last = Path(path), None

    def watts(self):
        """Mean power since the last call."""
        now = time.monotonic(), number(self.path)
        before, self.last = self.last or now, now
        if now[1] < before[1] or now[0] == before[0]:
            return 0.0
        return (now[1] - before[1]) / 1e6 / (now[0] - before[0])


class Pmic:
    """Pi 5: sum of the rails of `vcgencmd pmic_read_adc`; USB loads are not seen. The line is a community fit, in the notes of
    Pi 5 users: 1.1451 sum + 0.5879 W."""

    name = "pi5 pmic"

    def watts(self):
        """Power now."""
        try:
            text = subprocess.run(["vcgencmd", "pmic_read_adc"], capture_output=True, text=True, timeout=5, check=True).stdout
        except (OSError, subprocess.SubprocessError):
            raise NotConnected("vcgencmd pmic_read_adc does not answer")
        return 1.1451 * pmic_sum(text) + .5879


def pmic_sum(text):
    """Watts of all rails that tell both current and voltage."""
    found = {}
    for line in text.splitlines():
        name, _, rest = line.strip().partition(" ")
        rail, _, kind = name.rpartition("_")
        try:
            found.setdefault(rail, {})[kind] = float(rest.split("=")[1].rstrip("AV"))
        except (IndexError, ValueError):
            continue
    rails = [rail for rail in found.values() if {"A", "V"} <= set(rail)]
    if not rails:
        raise NotConnected("vcgencmd pmic_read_adc names no rail")
    return sum(rail["A"] * rail["V"] for rail in rails)


class Ina:
    """An INA219 over I2C without a kernel driver, by the package pi-ina219 (shunt 0.1 ohm)."""

    name = "ina219 over i2c"

    def __init__(self, bus):
        from ina219 import DeviceRangeError, INA219
        self.chip, self.faults = INA219(.1, busnum=bus), (OSError, DeviceRangeError)
        self.chip.configure()

    def watts(self):
        """Power now."""
        try:
            return self.chip.power() / 1000
        except self.faults as error:
            raise NotConnected("the INA219 does not answer: %s" % error)


class Model:
    """No meter: what the tables of the board say of what ran. told() is fed with joules by the gateway."""

    name = "model"

    def __init__(self):
        self.joules, self.since = 0.0, time.monotonic()

    def told(self, joules):
        """So much was spent, by the tables."""
        self.joules += joules

    def watts(self):
        """Mean power since the last call."""
        now = time.monotonic()
        spent, self.joules, span, self.since = self.joules, 0.0, max(1e-3, now - self.since), now
        return spent / span


def celsius(root="/"):
    """Temperature of the hottest zone, or None."""
    found = []
    for path in Path(root).glob("sys/class/thermal/thermal_zone*/temp"):
        try:
            found.append(number(path) / 1000)
        except NotConnected:
            continue
    return max(found, default=None)


def probe(root="/"):
    """(meters best first, gauges) of this machine; the last meter is always the model."""
    base, meters = Path(root), []
    for folder in sorted(base.glob("sys/class/hwmon/hwmon*")):
        if (folder / "name").exists() and (folder / "name").read_text().strip() in INA:
            meters.append(Hwmon(folder))
    for bus in sorted(base.glob("dev/i2c-*")) if not meters else ():
        try:
            meters.append(Ina(int(bus.name.split("-")[1])))
        except (ImportError, OSError, ValueError, RuntimeError):
            continue  # no library, no chip, or no right to the bus: probe goes on
    if b"Raspberry Pi 5" in model_name(base):
        meters.append(Pmic())
    rapl = base / "sys/class/powercap/intel-rapl:0/energy_uj"
    if rapl.exists() and os.access(rapl, os.R_OK):
        meters.append(Rapl(rapl))
    gauges = [Gauge(folder) for folder in sorted(base.glob("sys/class/power_supply/*")) if (folder / "capacity").exists()]
    return meters + [Model()], gauges


def model_name(base):
    """What the device tree calls the board, b"" on a PC."""
    path = base / "proc/device-tree/model"
    return path.read_bytes() if path.exists() else b""
