"""Energies that a meter teaches: they come to what is true, are bounded, and go back when the meter stays unexplained."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from firmware_tools.cli import main
from gateway import status
from gateway.energy import settings
from gateway.energy.governor import Governor
from gateway.testing import FakeClock, FakeContext

GIVEN = {"battery_wh": 40.0, "class": [
    {"name": "ecg", "weight": 5.0, "critical": True, "period_ms": 1000, "variant": [
        {"name": "small", "time_ms": 4, "energy_mj": 20, "utility": .8},
        {"name": "large", "time_ms": 90, "energy_mj": 150, "utility": 1.0}]},
    {"name": "road", "weight": 2.0, "period_ms": 5000, "variant": [
        {"name": "small", "time_ms": 30, "energy_mj": 300, "utility": .7},
        {"name": "large", "time_ms": 300, "energy_mj": 900, "utility": 1.0}]}]}
TABLE = {"ecg/small": 20, "ecg/large": 150, "road/small": 300, "road/large": 900}
TRUTH = {"ecg/small": 26, "ecg/large": 105, "road/small": 375, "road/large": 1350}  # 30 % up, 30 % down, 25 % up, 50 % up
BASE_W = .75  # the table says 0.58


class Bench:
    """A governor with a chip that measures what jobs truly take."""

    def __init__(self, folder, given=GIVEN, seed=1):
        self.chip, self.clock, self.random = folder / "sys/class/hwmon/hwmon0", FakeClock(), np.random.default_rng(seed)
        self.chip.mkdir(parents=True, exist_ok=True)
        (self.chip / "name").write_text("ina226\n")
        (self.chip / "power1_input").write_text("750000\n")
        self.context, faults = FakeContext("energy", self.clock), []
        config = settings.check(given, ["ecg", "road"], lambda *fault: faults.append(fault))
        self.governor = Governor(config, folder, self.context, "test", list)
        assert not faults and self.governor.sources.name == "hwmon ina226"

    def minute(self, meter=lambda watts: watts):
        """Sixty seconds of jobs; meter: what the chip makes of the true power."""
        jobs = {"ecg/small": self.random.poisson(40), "ecg/large": self.random.poisson(30), "road/small": self.random.poisson(8),
                "road/large": self.random.poisson(8)}
        for name, n in jobs.items():
            self.governor.counts[name] = self.governor.counts.get(name, 0) + n
        watts = BASE_W + sum(n * TRUTH[name] for name, n in jobs.items()) / 60000
        (self.chip / "power1_input").write_text("%d\n" % (1e6 * meter(watts * self.random.normal(1, .002))))
        self.clock.now += 60000
        self.governor.step()

    def used(self):
        """{variant: mJ} by which the policy decides."""
        return {"%s/%s" % (c.name, v.name): v.energy_uj / 1000 for c in self.governor.policy.classes for v in c.variants}


@pytest.fixture
def bench(tmp_path, monkeypatch):
    monkeypatch.setenv("HEED_SYSFS", str(tmp_path))
    return Bench(tmp_path)


def off(used):
    """The largest share by which an energy is off."""
    return max(abs(used[name] / TRUTH[name] - 1) for name in TRUTH)


def test_energies_come_to_what_is_true(bench):
    assert off(bench.used()) >= .25
    for _ in range(30):
        bench.minute()
    assert bench.used() == TABLE  # an hour must be accounted for
    price = bench.governor.policy.demand.middle
    for _ in range(900):
        bench.minute()
    assert off(bench.used()) < .08, bench.used()
    assert bench.governor.policy.base_mw == pytest.approx(1000 * BASE_W, rel=.05)
    assert bench.governor.policy.demand.middle != price and bench.governor.counted()["energies_learnt"] > 100
    assert bench.governor.counted()["energies_reverted"] == 0


def test_what_is_learnt_stays_over_a_restart_and_is_shown(bench, tmp_path, monkeypatch):
    for _ in range(300):
        bench.minute()
    bench.governor.save()
    again = Bench(tmp_path)
    assert again.used() == pytest.approx(bench.used()) and again.used() != TABLE
    assert again.governor.learnt.account.minutes == 300
    rows = {row["name"]: row for row in json.loads(json.dumps(again.governor.shown()))["energies"]}
    assert rows["road/large"]["trusted"] and rows["road/large"]["table_mj"] == pytest.approx(900) and rows["road/large"]["used_mj"] > 1000
    facts = dict(again.governor.shown(), learning=True)
    monkeypatch.setattr(status, "read", lambda folder: {"energy": facts})
    shown = CliRunner().invoke(main, ["energy", "show"])
    assert "energies, mJ a job" in shown.output and "road/large" in shown.output and "base" in shown.output, shown
    other = json.loads(json.dumps(GIVEN))
    other["class"][0]["variant"][0]["energy_mj"] = 25
    assert Bench(tmp_path, other).used()["road/large"] == 900  # of other tables nothing is known


@pytest.mark.parametrize("change", [
    lambda kept: kept.update(learnt=[1]), lambda kept: kept["learnt"].update(used={"ecg/small": None}), lambda kept: kept["learnt"].pop("account"),
    lambda kept: kept["learnt"]["account"].update(x=[1]), lambda kept: kept["learnt"]["account"].update(p="no")])
def test_what_is_kept_and_damaged_is_not_taken(bench, tmp_path, change):
    for _ in range(100):
        bench.minute()
    bench.governor.save()
    kept = json.loads((tmp_path / "energy.json").read_text())
    change(kept)
    (tmp_path / "energy.json").write_text(json.dumps(kept))
    again = Bench(tmp_path)
    assert again.used() == TABLE and again.governor.learnt.account.minutes == 0


def test_a_switch_in_the_settings_leaves_the_tables(tmp_path, monkeypatch):
    monkeypatch.setenv("HEED_SYSFS", str(tmp_path))
    bench = Bench(tmp_path, dict(GIVEN, learn_energy=False))
    for _ in range(300):
        bench.minute()
    assert bench.used() == TABLE and bench.governor.learnt.account.minutes == 300


@pytest.mark.parametrize("meter", [
    lambda watts: 8 * watts,  # too much, yet not so much that it is left
    lambda watts: -1.0, lambda watts: 1000.0,  # left for the model
    lambda watts: 1.5 + (watts * 1e6 % 7) / 1e6,  # stuck, all but the last digit
    lambda watts: (watts * 1e6 % 997) / 100])  # noise
def test_with_an_absurd_meter_nothing_moves(bench, meter):
    for _ in range(600):
        bench.minute(meter)
    assert bench.used() == TABLE, bench.used()


def test_the_tables_come_back_when_the_meter_stays_unexplained(bench):
    for _ in range(300):
        bench.minute()
    assert bench.used() != TABLE
    for minute in range(120):
        bench.minute(lambda watts, more=3 * (minute % 2): watts + more)  # something else comes on and goes
    assert bench.used() == TABLE and bench.governor.policy.base_mw == 580 and bench.governor.counted()["energies_reverted"] == 1
    assert any("stayed unexplained" in words for _, words in bench.context.lines)
    for _ in range(900):
        bench.minute()
    assert off(bench.used()) < .1  # and learns again


def test_the_account_is_never_less_sure_than_at_the_beginning(bench):
    account = bench.governor.learnt.account
    for _ in range(20000):
        account.update({}, 60, 60 * BASE_W)
    assert np.isfinite(account.p).all() and (np.diag(account.p) <= account.most * 1.0001).all()
