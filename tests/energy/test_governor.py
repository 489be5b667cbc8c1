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

    def __init__(self, folder, start_ms=MIDNIGHT):
        (folder / "bat").mkdir(exist_ok=True)
        self.gauge, self.offered, self.clock = folder / "bat" / "capacity", [], FakeClock(start_ms)
        self.share = 60.0
        self.gauge.write_text("60\n")
        faults = []
        config = settings.check(dict(GIVEN, gauge=str(folder / "bat")), ["ecg"], lambda *fault: faults.append(fault))
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
