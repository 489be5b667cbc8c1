"""Meters on a fake sysfs, and what happens when one is gone, stuck or absurd; a battery that lies."""

import json
import sys
import types

import numpy as np
import pytest
from click.testing import CliRunner

from firmware_tools import calibrate
from firmware_tools.cli import main
from gateway.core.errors import ConfigError, HeedError, NotConnected
from gateway.energy import gauges, meters, settings
from gateway.energy.accounts import Account, Stepped
from gateway.energy.ladder import Ladder
from gateway.energy.sources import RETRY, STUCK, Charge, Sources

PMIC = """ 3V7_WL_SW_A current(0)=0.00389898A
   VDD_CORE_A current(7)=1.0000A
 3V7_WL_SW_V volt(8)=3.70000V
   VDD_CORE_V volt(15)=0.8000V
     EXT5V_V volt(24)=5.15V
"""


def tree(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_probe_finds_them_best_first(tmp_path):
    tree(tmp_path, {"sys/class/hwmon/hwmon0/name": "cpu_thermal\n", "sys/class/hwmon/hwmon1/name": "ina226\n",
                    "sys/class/hwmon/hwmon1/power1_input": "1234000\n", "sys/class/hwmon/hwmon2/name": "ina3221\n",
                    "sys/class/hwmon/hwmon2/in1_input": "5000\n", "sys/class/hwmon/hwmon2/curr1_input": "200\n",
                    "sys/class/hwmon/hwmon2/in2_input": "3300\n", "sys/class/hwmon/hwmon2/curr2_input": "100\n",
                    "sys/class/powercap/intel-rapl:0/energy_uj": "5\n", "sys/class/power_supply/BAT0/capacity": "42\n",
                    "sys/class/thermal/thermal_zone0/temp": "51000\n"})
    found, gauges = meters.probe(tmp_path)
    assert [meter.name for meter in found] == ["hwmon ina226", "hwmon ina3221", "rapl", "model"]
    assert found[0].watts() == pytest.approx(1.234) and found[1].watts() == pytest.approx(5 * .2 + 3.3 * .1)
    assert gauges[0].share() == .42 and meters.celsius(tmp_path) == 51
    facts = json.loads(CliRunner().invoke(main, ["energy", "probe", "--root", str(tmp_path), "--json"]).output)
    assert facts["found"][0] == {"name": "hwmon ina226", "says": "1.234 W"} and "zero2w" in facts["boards"]
    assert "\\" not in CliRunner().invoke(main, ["energy", "probe", "--root", str(tmp_path)]).output


def test_nothing_there_leaves_the_model(tmp_path):
    found, gauges = meters.probe(tmp_path)
    assert [meter.name for meter in found] == ["model"] and gauges == [] and meters.celsius(tmp_path) is None


def test_an_ina219_without_a_kernel_driver(tmp_path, monkeypatch):
    class Chip:
        def __init__(self, shunt, busnum):
            assert (shunt, busnum) == (.1, 1)

        def configure(self):
            """As the package's."""

        def power(self):
            raise module.DeviceRangeError("out of range")
    module = types.ModuleType("ina219")
    module.INA219, module.DeviceRangeError = Chip, type("DeviceRangeError", (Exception,), {})
    monkeypatch.setitem(sys.modules, "ina219", module)
    tree(tmp_path, {"dev/i2c-1": ""})
    found, _ = meters.probe(tmp_path)
    assert [meter.name for meter in found] == ["ina219 over i2c", "model"]
    with pytest.raises(NotConnected):
        found[0].watts()


def test_rails_of_a_pi_5():
    assert meters.pmic_sum(PMIC) == pytest.approx(.00389898 * 3.7 + .8)
    with pytest.raises(NotConnected):
        meters.pmic_sum("vcgencmd: command not found")


def voltage(path, **given):
    """A gauge by a voltage in a file, its settings as they are checked."""
    values = settings.gauge(dict({"voltage": str(path)}, **given))
    return gauges.Voltage(values, gauges.curve(values["curve"]))


def test_a_voltage_curve(tmp_path):
    path = tmp_path / "in1_input"
    for millivolts, curve, cells, least, most in ((16800, "nca", 4, 1, 1), (13200, "lifepo4", 4, .5, .55), (3600, "nmc", 1, .2, .3), (12900, "lifepo4", 4, .1, .2)):
        path.write_text("%d\n" % millivolts)
        assert least <= voltage(path, curve=curve, cells=cells).share() <= most, (millivolts, curve)
    path.write_text("0\n")
    with pytest.raises(NotConnected):
        voltage(path, curve="lifepo4", cells=4).share()
    micro = tmp_path / "voltage_now"
    micro.write_text("3600000\n")
    assert .2 < voltage(micro).share() < .3


def test_a_voltage_under_load_and_with_spikes(tmp_path):
    path = tmp_path / "in1_input"
    path.write_text("13000\n")
    rest, loaded = voltage(path, curve="lifepo4", cells=4), voltage(path, curve="lifepo4", cells=4, milliohm=100.0)
    loaded.drawn_w = 13.0  # an ampere drops a tenth of a volt
    assert loaded.share() > rest.share() + .05
    before = rest.share()
    for number in range(60):
        path.write_text("%d\n" % (12500 if number % 10 == 0 else 13000))
        assert rest.share() == before


def test_a_curve_from_a_file(tmp_path):
    path, file = tmp_path / "curve.csv", tmp_path / "in1_input"
    path.write_text("share,volts\n0,3.0\n0.5,3.5\n1,4.0\n")
    file.write_text("3250\n")
    assert voltage(file, curve=str(path)).share() == pytest.approx(.25)
    for text in ("share,volts\n0,3.0\n", "share,volts\n0,3.0\n0.5,x\n", "a,b\n1,2\n", "share,volts\n0.5,3.0\n0.1,3.5\n1,4\n"):
        path.write_text(text)
        with pytest.raises(ConfigError):
            voltage(file, curve=str(path))


@pytest.mark.parametrize("given, what", [
    ({"voltage": "x", "curve": "lifepo"}, 'did you mean "lifepo4"?'), ({"curve": "nmc"}, "voltage"), ({"voltage": "x", "cells": 0}, "cells"), (7, "is 7")])
def test_a_gauge_that_is_none_is_a_fault_of_the_settings(given, what):
    with pytest.raises(ConfigError) as caught:
        settings.gauge(given)
    assert what in caught.value.message + caught.value.hint


def test_probe_names_voltages_and_how_to_use_them(tmp_path):
    tree(tmp_path, {"sys/class/hwmon/hwmon0/name": "ina226\n", "sys/class/hwmon/hwmon0/in1_input": "12930\n",
                    "sys/class/power_supply/pack/voltage_now": "3310000\n"})
    facts = json.loads(CliRunner().invoke(main, ["energy", "probe", "--root", str(tmp_path), "--json"]).output)
    said = [row["says"] for row in facts["found"] if row["name"] == "voltage"]
    assert len(said) == 2 and said[0].startswith("3.310 V: gauge = { voltage = ") and "in1_input" in said[1] and "lifepo4" in said[1]


class Says:
    """A meter that says what the test wants."""

    def __init__(self, name, value):
        self.name, self.value = name, value

    def watts(self):
        if self.value is None:
            raise NotConnected("%s is gone" % self.name)
        return self.value() if callable(self.value) else self.value


def ladder():
    return Ladder(lambda level, words: None)


@pytest.mark.parametrize("value", [None, -1.0, 230.0, float("nan")])
def test_a_meter_that_is_gone_or_absurd_is_left_for_the_next(value):
    steps = ladder()
    sources = Sources([Says("ina", value), Says("model", 1.5)], 2.3, steps)
    assert sources.watts(True) == 1.5 and sources.name == "model" and sources.counters["meter_faults"] == 1
    assert steps.rungs["meter"] == 1 and "now: model" in steps.reasons["meter"]
    sources.meters[0].value = 1.2
    for _ in range(RETRY + 1):
        sources.watts(True)
    assert sources.name == "ina" and steps.rungs["meter"] == 0


def test_a_meter_that_is_stuck_while_work_is_done():
    sources = Sources([Says("ina", 1.25), Says("model", 1.5)], 2.3, ladder())
    for _ in range(3 * STUCK):
        sources.watts(False)  # nothing was done: it may well say the same
    assert sources.name == "ina"
    for _ in range(STUCK + 1):
        sources.watts(True)
    assert sources.name == "model"


class Lies:
    """A gauge by a list."""

    def __init__(self, shares):
        self.shares = list(shares)

    def share(self):
        return self.shares.pop(0)


    band = 0.0


def levels(charge, drawn):
    """What is left after each of some readings."""
    out = []
    for mj in drawn:
        charge.update(mj)
        out.append(charge.mj)
    return out


def test_a_battery_that_lies_is_not_followed():
    charge = Charge(Lies([.5, .5, .95, .49, 7, -1, .49]), 100000, .6, ladder())
    assert max(levels(charge, [100] * 7)) <= 50000 and charge.counters["gauge_faults"] == 3 and charge.ladder.rungs["gauge"] == 0
    charge = Charge(Lies([.5, .1, .1, .1]), 100000, .6, ladder())
    assert levels(charge, [0] * 4) == [50000, 50000, 50000, 10000]  # thrice the same: it is so


def test_a_gauge_that_is_stuck_is_left_until_it_moves():
    steps, said = ladder(), [.6]
    gauge = Lies([])
    gauge.share = lambda: said[0]
    charge = Charge(gauge, 100000, .6, steps)
    for _ in range(201):
        charge.update(100)
    assert charge.mj == 60000 and steps.rungs["gauge"] == 0  # a sun might have brought as much
    for _ in range(100):
        charge.update(100)
    assert charge.mj == 50000 and steps.rungs["gauge"] == 1 and "60 % while 2" in steps.reasons["gauge"]
    said[0] = .55
    charge.update(100)
    assert charge.mj == 55000 and steps.rungs["gauge"] == 0
    said[0] = 1.0
    for _ in range(500):
        charge.update(100)
    assert charge.mj == 100000 and steps.rungs["gauge"] == 0  # full, on mains


def test_a_gauge_in_whole_percents_tells_a_harvest_that_is_true():
    """Two days on a battery of 40 Wh that a gauge reads to a hundredth: at night nothing comes in, by day what the sun gives."""
    capacity, truth = 144000000, 100000000.0
    whole = Lies([])
    whole.share, whole.band = lambda: int(100 * truth / capacity) / 100, .005
    charge = Charge(whole, capacity, .6, ladder())
    charge.update(0)
    gained = {False: 0, True: 0}
    for second in range(0, 2 * 86400, 10):
        day = second % 86400 >= 43200
        truth += 10 * (1600 if day else 0) - 10 * 700
        gained[day] += charge.update(10 * 700, .7)
    assert abs(gained[False]) < .02 * capacity and gained[True] == pytest.approx(2 * 43200 * 1600, rel=.03)


def test_an_account_learns_what_jobs_cost_and_says_what_it_cannot_explain():
    random = np.random.default_rng(1)
    account = Account(["a", "b"], [.1, .5], .6)
    for minute in range(600):
        a, b = random.poisson(60), random.poisson(12)
        account.update({"a": a, "b": b}, 60, (a * .15 + b * .4 + 60 * .7) * random.normal(1, .02))
    found = account.energies()
    assert found["a"][0] == pytest.approx(.15, abs=.03) and found["b"][0] == pytest.approx(.4, abs=.08) and found[""][0] == pytest.approx(.7, abs=.05)
    assert account.alarms < 30
    before = account.alarms
    account.update({"a": 60, "b": 12}, 60, 120.0)  # a lamp was plugged in
    assert account.alarms == before + 1


async def test_what_an_awaited_verb_waits_for_is_not_counted():
    import asyncio
    spent = []

    async def verb():
        await asyncio.sleep(.05)
        return 7
    assert await Stepped(verb(), spent.append) == 7 and sum(spent) < 30e6


def test_calibrate_measures_the_difference_and_its_error():
    random, load = np.random.default_rng(2), {"on": 0}

    class Bench:
        name = "hwmon ina226"

        def watts(self):
            return 1.0 + 2.0 * load.pop("on", 0) + random.normal(0, .01)

    def work():
        load["on"] = 1
        import time
        time.sleep(.002)
        return 1
    row = calibrate.measured(Bench(), work, .4, 3)
    assert row["mj"] == pytest.approx(2 * row["ms"], rel=.3) and 0 < row["se_mj"] < row["mj"]
    with pytest.raises(HeedError):
        calibrate.calibrate(meters.Model(), "ecg", 1)
