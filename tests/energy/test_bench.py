"""What the benchmark stands on: the oracle is a bound, the certificate is never below it, guarantees hold in the simulator."""

import copy

import numpy as np
import pytest

from firmware_tools.bench.energy_baselines import Plain
from firmware_tools.bench.energy_judge import certified, played, policy_of
from firmware_tools.bench.energy_world import FAULTS, Window
from gateway import sun
from gateway.energy import tables


def window(classes, peak=700, fault=None, size=.35):
    """Two days of a made-up sun, a clear one and a dull one, after six of history."""
    day = np.clip(np.sin((np.arange(1440) / 1440 - .25) * 2 * np.pi), 0, None) * peak
    trace = sun.Trace("made", np.concatenate([day * share for share in (1, .6, .8, .3, 1, .7, 1, .25)]), "w_m2", 0)
    return Window(trace, 6, size, classes, 580, ["vision"], 2, fault)


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
