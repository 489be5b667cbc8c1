"""What the schedulers make of one window of the energy benchmark. Each function takes the arguments of Window: it may run in a process
of its own."""

import time

from firmware_tools.bench import energy_baselines as others
from firmware_tools.bench.energy_sim import Run, log_of
from firmware_tools.bench.energy_world import FAULTS, Window
from gateway.energy import certificate
from gateway.energy.harvest import SLOT_MS
from gateway.energy.load import Demand
from gateway.energy.policy import EnergyPolicy
from gateway.energy.salvage import salvage

OURS = "heed"
ROOM = .01  # of the best: less than that between all smallest and the best says nothing of a scheduler
WEIGHTS = {"weights_2_2_1": (2, 2, 1), "weights_10_1_1": (10, 1, 1)}


def schedulers(window):
    """{name: the scheduler} for a window, each with classes of its own."""
    at = window.told_capacity, window.site.base_mw
    smallest, mid, largest = ({c.name: pick(c) for c in window.told} for pick in (
        lambda c: 0, lambda c: (len(c.variants) - 1) // 2, lambda c: len(c.variants) - 1))
    return {"FIFO, largest": others.Plain(window.classes(), *at, largest, fifo=True),
            "FIFO, smallest": others.Plain(window.classes(), *at, smallest, fifo=True),
            "EDF, largest that fits": others.LargestThatFits(window.classes(), *at),
            "EDF, static mid": others.Plain(window.classes(), *at, mid),
            "EDF, thresholds": others.Thresholds(window.classes(), *at),
            "ALERT-like": others.AlertLike(window.classes(), *at),
            "Lyapunov, guarded": others.Lyapunov(window.classes(), *at, harvest=window.known()),
            "best static in hindsight": others.Static(window.classes(), *at, others.best_static(window.site, window.parts)),
            OURS: policy_of(window)}


def policy_of(window):
    """The policy as it stands at the begin of a window."""
    return EnergyPolicy(window.classes(), window.told_capacity, window.site.base_mw, harvest=window.known())


def played(window, policy):
    """(points with salvage, Result) of a scheduler in a window."""
    result = Run(window.site, policy, meter=window.fault.gauge(window.day)).run()
    return result.points + salvage(window.parts, int(result.left)), result


def certified(window):
    """The certificate's bound on a window, from what the gateway's log would say."""
    site = window.site
    return certificate.bound(site.classes, Demand(site.classes).prices, log_of(site), site.charge, site.capacity, window.parts)


def judged(args):
    """What all schedulers make of one window: a dict. args: arguments of Window."""
    from firmware_tools.bench.energy_oracle import solve
    window = Window(*args)
    oracle = solve(window.site, window.mean_mj)
    rows = {}
    for name, scheduler in schedulers(window).items():
        points, result = played(window, scheduler)
        jobs = max(1, sum(map(sum, result.done)))
        rows[name] = {"u": points / oracle.points, "critical_missed": result.critical_missed + result.critical_dark, "points": points,
                      "brownouts": result.brownouts, "off_min": result.off_minutes, "refused": sum(result.refused),
                      "missed": sum(result.missed), "j_per_job": result.spent_mj / 1000 / jobs, "spilled_kj": result.spilled / 1e6}
    for row in rows.values():
        row["headroom"] = headroom(row["points"], rows["FIFO, smallest"]["points"], oracle.points)
    return {"window": window.name, "feasible": oracle.dark_minutes < 1, "dark_min": oracle.dark_minutes, "rows": rows,
            "certificate": certified(window) / oracle.points}


def headroom(points, floor, best):
    """Share of the way from all smallest to the best; where that way is shorter than ROOM of the best, the share of the best."""
    return (points - floor) / (best - floor) if best - floor > ROOM * best else points / best


def faulty(args):
    """(missed critical jobs, brown-outs, whether they could not be helped) of the policy in one window, for each thing that may be
    wrong; the oracle is asked where there are any, and what it does not survive either is not counted."""
    from firmware_tools.bench.energy_oracle import solve
    found = {}
    for fault in FAULTS:
        window = Window(*args, fault=fault)
        points, result = played(window, policy_of(window))
        bad = result.critical_missed + result.critical_dark, result.brownouts
        hopeless = any(bad) and solve(window.site, window.mean_mj).dark_minutes >= 1
        found[fault.name] = (0, 0, 1) if hopeless else (*bad, 0)
    return found


def weighted(args):
    """Share of the oracle and headroom of the policy with other class weights: [(share, headroom)] in the order of WEIGHTS."""
    from firmware_tools.bench.energy_oracle import solve
    trace, day, size, classes, *rest = args
    out = []
    for weights in WEIGHTS.values():
        for c, weight in zip(classes, weights):
            c.weight = 1000 * weight
            for variant in c.variants:
                variant.points = c.weight * variant.utility
        window = Window(trace, day, size, classes, *rest)
        best = solve(window.site, window.mean_mj).points
        floor = played(window, schedulers(window)["FIFO, smallest"])[0]
        points = played(window, policy_of(window))[0]
        out.append((points / best, headroom(points, floor, best)))
    return out


def costs(window):
    """(planner ms, decision us): CPU time of one plan, and of one choice with two jobs waiting."""
    policy = policy_of(window)
    began = time.process_time()
    for slot in range(200):
        policy.tick(slot * SLOT_MS, policy.capacity // 2, 20000)
    planner = (time.process_time() - began) / 200
    critical = [c for c in policy.classes if c.critical] or policy.classes
    waiting = [(2000000, policy.classes[-1]), (1000000, critical[0])]
    began = time.process_time()
    for now in range(20000):
        policy.choose(policy.classes[now % len(policy.classes)], now, now + 500000, waiting)
    return 1000 * planner, 1e6 * (time.process_time() - began) / 20000
