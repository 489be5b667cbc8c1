"""Days of a gateway's energy on a clock that jumps: certificate, restart, what lies and what is lost."""

import json

import pytest

from gateway.energy import settings
from gateway.energy.governor import Governor
from gateway.energy.harvest import SLOT_MS
from gateway.testing import FakeClock, FakeContext

GIVEN = {"battery_wh": 40.0, "summary_s": 7200, "class": [
    {"name": "ecg", "weight": 5.0, "critical": True, "period_ms": 1000, "variant": [
        {"name": "small", "time_ms": 4, "energy_mj": 6, "utility": .8}, {"name": "large", "time_ms": 90, "energy_mj": 150, "utility": 1.0}]}]}
MIDNIGHT = 1700006400000


class Site:
    """A governor, its fake clock, what it offered, and a battery that a sun charges."""

    def __init__(self, folder, start_ms=MIDNIGHT, gauge=None):
        (folder / "bat").mkdir(exist_ok=True)
        self.gauge, self.offered, self.clock = folder / "bat" / "capacity", [], FakeClock(start_ms)
        self.share = 60.0
        self.gauge.write_text("60\n")
        faults = []
        config = settings.check(dict(GIVEN, gauge=gauge or str(folder / "bat")), ["ecg"], lambda *fault: faults.append(fault))
        assert not faults
        self.context = FakeContext("energy", self.clock)
        self.governor = Governor(config, folder, self.context, "test", self.offered.extend)

    def slot(self):
        """Twenty minutes: a third of an hour's jobs at the variant that the policy takes, then a look around."""
        governor, c = self.governor, self.governor.policy.classes[0]
        for _ in range(40):  # a job stands for thirty
            arrived = governor.arrived(c)
            governor.done(c, governor.choose(c, arrived), 4000, arrived)
        self.clock.now += SLOT_MS
        hour = self.clock.now // 3600000 % 24
        self.share = min(100.0, max(0.0, self.share + (2.2 if 6 <= hour < 18 else -.7)))
        self.gauge.write_text("%d\n" % self.share)
        governor.step()


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.setenv("HEED_SYSFS", str(tmp_path))
    return Site(tmp_path)


def test_a_certificate_each_midnight_and_a_restart_that_goes_on(site, tmp_path, monkeypatch):
    for _ in range(150):
        site.slot()
    found = site.governor.journal.certificates
    assert [c["slots"] for c in found] == [72, 72] and all(0 < c["reached_percent"] <= 100 for c in found)
    assert site.governor.policy.harvest.mean() > 0 and site.governor.counters["critical_missed"] == 0
    told = [summary for summary in site.offered if summary.kind == "energy"]
    assert told and told[-1].data["certificate"] == found[-1] and told[-1].data["meter"] == "model"
    site.governor.save()
    again = Site(tmp_path, site.clock.now)
    assert again.governor.journal.certificates == found
    assert again.governor.policy.harvest.slots == site.governor.policy.harvest.slots
    json.dumps(again.governor.shown())


def test_a_damaged_file_is_begun_anew(tmp_path, monkeypatch):
    monkeypatch.setenv("HEED_SYSFS", str(tmp_path))
    (tmp_path / "energy.json").write_text('{"days": [')
    assert Site(tmp_path).governor.ledger.days == {}


def test_a_clock_that_jumps_is_counted_and_the_next_plan_stands(site):
    for _ in range(80):
        site.slot()
    governor, wall = site.governor, site.clock.wall_ms
    site.clock.wall_ms = lambda: site.clock.now + 5 * 3600000
    site.slot()
    assert governor.counters["clock_jumps"] == 1 and governor.policy.harvest.filled == 15
    site.slot()
    assert governor.ladder.rungs["clock"] == 0 and governor.counters["clock_jumps"] == 1 and wall() < site.clock.wall_ms()


def test_a_gauge_that_is_lost_leaves_the_sum(site):
    site.slot()
    before = site.governor.charge.mj
    site.gauge.unlink()
    site.clock.now += 3600000
    site.governor.step()
    assert before - 3600 * 700 < site.governor.charge.mj < before - 3600 * 500
    assert site.governor.charge.counters["gauge_faults"] == 1
    site.governor.step()
    site.governor.step()
    assert site.governor.ladder.rungs["gauge"] == 1 and "cannot be read" in site.governor.ladder.reasons["gauge"]


def test_heat_and_a_lost_accelerator_come_back(site):
    from gateway.energy import descent
    governor = site.governor
    rungs = []
    for celsius in (70, 80, 79, 86, 83, 77, 74, None):
        descent.heat(governor, celsius)
        rungs.append(governor.policy.heat)
    assert rungs == [0, 1, 1, 2, 1, 1, 0, 0]
    descent.lose(governor, "tpu", "pulled out")
    descent.accelerators(governor, governor.clock.ticks_ms() + 1000)
    assert governor.policy.lost == ("tpu",)
    descent.accelerators(governor, governor.clock.ticks_ms() + 60000)
    assert governor.policy.lost == () and governor.ladder.shown() == []


def test_a_harvest_is_what_came_in_and_not_what_a_coarse_gauge_hides(site):
    """Three days, a gauge in whole percents: 12 hours a day bring 2.2 % of 40 Wh each twenty minutes beside what is drawn."""
    for _ in range(216):
        site.slot()
    harvest = site.governor.policy.harvest
    night = [mj for number, mj in enumerate(harvest.slots) if not 18 <= (number + 1) % 72 < 54]
    assert max(night) < .02 * 144000000 and sum(night) < .1 * sum(harvest.slots), (max(night), sum(night), sum(harvest.slots))


CHIP = "sys/class/hwmon/hwmon0"


@pytest.fixture
def metered(tmp_path, monkeypatch):
    """A site with a chip that measures."""
    monkeypatch.setenv("HEED_SYSFS", str(tmp_path))
    (tmp_path / CHIP).mkdir(parents=True)
    (tmp_path / CHIP / "name").write_text("ina226\n")
    (tmp_path / CHIP / "power1_input").write_text("900000\n")
    return Site(tmp_path)


@pytest.mark.parametrize("said", [None, "-100000", "99000000", "nonsense"])
def test_a_meter_that_fails_in_use_leaves_the_model_and_the_guarantees(metered, tmp_path, said):
    governor, file, c = metered.governor, tmp_path / CHIP / "power1_input", metered.governor.policy.classes[0]
    metered.slot()
    assert governor.sources.name == "hwmon ina226" and governor.watts == .9
    before = governor.charge.mj
    file.unlink() if said is None else file.write_text(said + "\n")
    for _ in range(3):
        metered.slot()
    assert governor.sources.name == "model" and governor.ladder.rungs["meter"] == 1 and governor.counted()["meter_faults"] == 1
    assert governor.counters["critical_missed"] == 0 and governor.choose(c, governor.now_us()) >= 0
    assert 0 < before - governor.charge.mj < before
    file.write_text("900000\n")
    for _ in range(300):
        metered.clock.now += 1000
        governor.step()
    assert governor.sources.name == "hwmon ina226" and governor.ladder.rungs["meter"] == 0


def test_a_meter_that_is_stuck_in_use_is_left(metered):
    governor = metered.governor
    for _ in range(70):
        governor.spent_uj += 2000000  # work is done, and the meter says the same
        metered.clock.now += 1000
        governor.step()
    assert governor.sources.name == "model" and "has said 0.9 W" in governor.ladder.reasons["meter"]


def test_a_voltage_gauge_that_lies_is_not_followed(tmp_path, monkeypatch):
    monkeypatch.setenv("HEED_SYSFS", str(tmp_path))
    file = tmp_path / "in1_input"
    file.write_text("13200\n")
    site = Site(tmp_path, gauge={"voltage": str(file), "curve": "lifepo4", "cells": 4})
    governor = site.governor

    def seconds(n, millivolts):
        file.write_text("%d\n" % millivolts)
        for _ in range(n):
            site.clock.now += 1000
            governor.step()
        return governor.percent()
    before = seconds(60, 13200)
    assert 45 < before < 60
    assert abs(seconds(20, 12000) - before) < 1  # a start of a motor: the median does not see it
    assert abs(seconds(30, 0) - before) < 1 and governor.charge.counters["gauge_faults"] == 30  # a wire is off
    assert seconds(60, 12900) < 30  # it stays so for a minute: it is so


def test_a_class_of_a_lost_gauge_is_still_done(site):
    """The battery is unknown, the sum goes to nothing: critical jobs run on, at their smallest."""
    site.gauge.unlink()
    for _ in range(6):
        site.clock.now += 86400000 // 2
        site.governor.step()
    governor, c = site.governor, site.governor.policy.classes[0]
    assert governor.percent() == 0 and governor.policy.tight and governor.choose(c, governor.now_us()) == 0
