"""What the benchmark stands on: the oracle is a bound, the certificate is never below it, guarantees hold in the simulator."""

import copy

import numpy as np
import pytest
from click.testing import CliRunner

from firmware_tools.bench.energy import survived
from firmware_tools.bench.energy_baselines import Plain
from firmware_tools.bench.energy_judge import certified, headroom, played, policy_of
from firmware_tools.bench.energy_season import survives
from firmware_tools.bench.energy_world import FAULTS, Window, starts
from firmware_tools.cli import main
from firmware_tools.energy_fluid import Fluid
from gateway import sun
from gateway.core.errors import ConfigError, HeedError
from gateway.energy import tables


BOARD = """
idle_mw = 900
busy_mw = 2500
slower = 0.5
"""
TWO_CRITICAL = """
[[device]]
name = "coral"
power_mw = 950
start_mj = 2000
[[class]]
name = "ecg"
critical = true
variant = [ { name = "s", time_ms = 6, utility = 0.8 }, { name = "l", time_ms = 60, utility = 1 } ]
[[class]]
name = "fall"
critical = true
weight = 3
period_ms = 2000
deadline_ms = 1500
variant = [ { name = "s", time_ms = 30, utility = 0.7 }, { name = "l", time_ms = 160, utility = 1 } ]
[[class]]
name = "vision"
device = "coral"
period_ms = 500
per_hour = 1500
bursts = true
variant = [ { name = "s", time_ms = 20, energy_mj = 40, utility = 0.6, device = "coral" },
            { name = "l", time_ms = 60, energy_mj = 90, utility = 1, device = "coral" } ]
[[class]]
name = "traffic"
period_ms = 10000
variant = [ { name = "s", time_ms = 100, utility = 0.6 }, { name = "l", time_ms = 1500, utility = 1 } ]
"""
NO_CRITICAL = """
[[class]]
name = "traffic"
period_ms = 5000
variant = [ { name = "s", time_ms = 100, utility = 0.6 }, { name = "l", time_ms = 1500, utility = 1 } ]
"""


def trace_of(days, unit="w_m2"):
    """A trace of so many equal days."""
    return sun.Trace("made", np.tile(np.clip(np.sin((np.arange(1440) / 1440 - .25) * 2 * np.pi), 0, None) * 500, days), unit, 0)


def window(classes, peak=700, fault=None, size=.35, idle_mw=580):
    """Two days of a made-up sun, a clear one and a dull one, after six of history."""
    day = np.clip(np.sin((np.arange(1440) / 1440 - .25) * 2 * np.pi), 0, None) * peak
    trace = sun.Trace("made", np.concatenate([day * share for share in (1, .6, .8, .3, 1, .7, 1, .25)]), "w_m2", 0)
    return Window(trace, 6, size, classes, idle_mw, ["vision"], 2, fault)


@pytest.fixture
def classes():
    board = tables.board("zero2w")
    return tables.classes(tables.read(tables.LOAD), board, "load")


def test_oracle_above_policy_and_certificate_above_oracle(classes):
    from firmware_tools.bench.energy_oracle import solve
    made = window(classes)
    oracle, most = solve(made.site, made.mean_mj), certified(made)
    points, result = played(made, policy_of(made))
    smallest, _ = played(made, Plain(made.classes(), made.told_capacity, 580, {c.name: 0 for c in classes}))
    assert smallest < points <= oracle.points <= most * 1.000001 and most < 1.02 * oracle.points
    assert oracle.dark_minutes < 1 and result.critical_missed == result.brownouts == 0


def test_an_impossible_window_is_told_as_such(classes):
    from firmware_tools.bench.energy_oracle import solve
    made = window(classes, size=.03)
    made.site.harvest = [0] * len(made.site.harvest)
    assert solve(made.site, made.mean_mj).dark_minutes > 60


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_no_critical_job_is_missed_when_something_is_not_as_told(classes, fault):
    made = window(classes, fault=fault)
    _, result = played(made, policy_of(made))
    assert (result.critical_missed, result.critical_dark, result.brownouts) == (0, 0, 0)


def test_two_runs_are_the_same(classes):
    made = window(classes)
    assert played(made, policy_of(made))[0] == played(copy.deepcopy(made), policy_of(made))[0]


@pytest.mark.parametrize("load", (TWO_CRITICAL, NO_CRITICAL), ids=("two critical, an accelerator", "none critical"))
def test_any_load_on_any_board(tmp_path, load):
    from firmware_tools.bench.energy_oracle import solve
    (tmp_path / "board.toml").write_text(BOARD)
    (tmp_path / "load.toml").write_text(load)
    board = tables.board(str(tmp_path / "board.toml"))
    made = window(tables.classes(tables.read(tmp_path / "load.toml"), board, "load"), idle_mw=900)
    oracle, most = solve(made.site, made.mean_mj), certified(made)
    points, result = played(made, policy_of(made))
    assert 0 < points <= oracle.points * 1.000001 <= most * 1.000002
    assert (result.critical_missed, result.critical_dark, result.brownouts) == (0, 0, 0)


def test_windows_are_spread_over_what_a_trace_has():
    assert starts(trace_of(100), 6) == [25, 39, 54, 68, 83, 97] and starts(trace_of(5), 6) == [1, 2]
    with pytest.raises(ConfigError, match="has 3 days"):
        starts(trace_of(3), 6)
    dark = trace_of(90)
    dark.minutes[:60 * 1440] = 0
    assert starts(dark, 6) == [48, 61, 74, 87]
    dark.minutes[:] = 0
    with pytest.raises(ConfigError, match="brings nothing"):
        starts(dark, 6)


def test_where_nobody_survives_nothing_is_said():
    with pytest.raises(HeedError, match="in none of the 1 windows"):
        survived([{"feasible": False}])


def test_a_season_that_nobody_survives_is_told_as_such(classes):
    made = window(classes)
    assert survives(made.site, [2000 * 1200] * 144) and not survives(made.site, [100 * 1200] * 144)


def test_a_load_that_a_board_cannot_carry_is_refused_with_the_arithmetic(tmp_path):
    (tmp_path / "slow.toml").write_text("idle_mw = 40\nbusy_mw = 300\nslower = 300\n")
    (tmp_path / "sun.csv").write_text("time,w_m2\n" + "".join("%d,300\n" % (3600 * hour) for hour in range(96)))
    words = ["bench", "energy", "--quick", "--json", "--trace", str(tmp_path / "sun.csv"), "--platform", str(tmp_path / "slow.toml")]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2 and "at worst" in result.output, result.output


def test_headroom_of_a_load_without_a_choice_is_its_share_of_the_best():
    assert headroom(90, 80, 100) == .5 and headroom(99.6, 99.5, 100) == .996


def test_a_night_without_power_is_one_brownout(classes):
    played = Fluid(classes, 580, 40000000, 1000000, [0] * 12 + [5000000] * 12 + [0] * 48)
    assert played.brownouts == 2 and played.dark > 12
