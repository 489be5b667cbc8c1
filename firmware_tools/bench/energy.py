"""heed bench energy: the energy policy against what others do, what could be done by hand, and the best that is possible."""

import concurrent.futures
import os
import platform as machine
import time
from importlib import metadata
from pathlib import Path

import numpy as np

from firmware_tools.bench.energy_judge import OURS, WEIGHTS, costs, faulty, judged, weighted
from firmware_tools.bench.energy_season import season
from firmware_tools.bench.energy_world import FAULTS, SIZES, Window, starts
from gateway import sun
from gateway.core.errors import ConfigError, HeedError
from gateway.energy import tables
from gateway.energy.settings import impossible

TRACES = ("energy/payerne", "energy/greensboro")
LOAD, PLATFORM = str(tables.LOAD), "zero2w"
SLOWEST = 1.6  # the slow-down that the policy reckons with
# key: (gate, moonshot, whether more is better)
GATES = {"u_over_oracle_mean": (96, 99, True), "headroom_mean": (85, 95, True), "headroom_worst": (65, 85, True),
         "critical_missed": (0, 0, False), "brownouts": (0, 0, False), "certificate_valid": (1, 1, True),
         "planner_ms": (10, 10, False), "decision_us": (20, 20, False)}
MARGINS = {"static_mid": "EDF, static mid", "thresholds": "EDF, thresholds", "alert": "ALERT-like", "lyapunov": "Lyapunov, guarded",
           "best_static": "best static in hindsight"}


def traces_of(trace):
    """The Traces to judge on: the one given, or the two of development; these are fetched where they are not here."""
    if trace:
        return [sun.find(trace)]
    from gateway import data
    return [sun.find(name) if data.find(name + ".csv") else sun.read(sun.fetch(name) / (name.split("/")[1] + ".csv")) for name in TRACES]


def plans(quick, traces, load, board):
    """[(arguments of Window)] that are judged: evenly over each trace, two sizes of panel each."""
    settings = tables.read(load)
    classes = tables.classes(settings, board, load)
    bursts = [given["name"] for given in settings["class"] if given.get("bursts")]
    for place, problem, remedy in impossible(classes, SLOWEST, board):
        raise ConfigError("%s: %s: %s" % (load, place.replace("energy.", ""), problem), remedy)
    out = []
    for trace in traces:
        for number, day in enumerate(starts(trace, 1 if quick else 6, 2 if quick else 3)):
            for size in (SIZES[number % 4], SIZES[(number + 2) % 4])[:1 if quick else 2]:
                out.append((trace, day, size if not quick else .35, classes, int(board["idle_mw"]), bursts, 2 if quick else 3))
    return out


def spread(workers, function, jobs):
    """Results of a function over jobs, in processes of their own."""
    if workers < 2:
        return [function(job) for job in jobs]
    with concurrent.futures.ProcessPoolExecutor(workers) as pool:
        return list(pool.map(function, jobs))


def survived(found):
    """The windows that the oracle survives. Raises HeedError where there is none: then nothing can be said of any scheduler."""
    good = [w for w in found if w["feasible"]]
    if not good:
        raise HeedError("in none of the %d windows is there enough sun for critical jobs at their smallest" % len(found),
                        "another trace, smaller variants, or a board that draws less")
    return good


def figures_of(found):
    """The keys over the windows that the oracle survives."""
    good = survived(found)
    ours = [w["rows"][OURS] for w in good]
    figures = {"windows": len(found), "windows_infeasible": sum(not w["feasible"] for w in found)}
    for key, name in (("u", "u_over_oracle"), ("headroom", "headroom")):
        values = [100 * row[key] for row in ours]
        figures[name + "_mean"], figures[name + "_worst"] = float(np.mean(values)), float(np.min(values))
    figures["critical_missed"] = sum(row["critical_missed"] for row in ours)
    figures["brownouts"] = sum(row["brownouts"] for row in ours)
    for key, name in MARGINS.items():
        figures["over_%s_pp" % key] = float(np.mean([100 * (w["rows"][OURS]["u"] - w["rows"][name]["u"]) for w in good]))
    figures["certificate_valid"] = int(all(w["certificate"] >= 1 - 1e-6 for w in good))
    figures["certificate_gap_pp"] = float(np.mean([100 * (w["certificate"] - 1) for w in good]))
    return figures


def table_of(found):
    """{scheduler: its means over the windows that the oracle survives}."""
    good, out = survived(found), {}
    for name in good[0]["rows"]:
        rows = [w["rows"][name] for w in good]
        out[name] = {"u_over_oracle": float(np.mean([100 * r["u"] for r in rows])), "worst": float(np.min([100 * r["u"] for r in rows])),
                     "headroom": float(np.mean([100 * r["headroom"] for r in rows])),
                     **{key: int(sum(r[key] for r in rows)) for key in ("critical_missed", "brownouts", "off_min", "refused", "missed")},
                     **{key: float(np.mean([r[key] for r in rows])) for key in ("j_per_job", "spilled_kj")}}
    return out


def robust(quick, workers, jobs):
    """What is missed when something is not as told: figures, and a table."""
    found = spread(workers, faulty, jobs[:1] if quick else jobs[::4])
    keys = ("critical_missed", "brownouts", "infeasible")
    table = {"heed, " + fault.name: {key: sum(f[fault.name][k] for f in found) for k, key in enumerate(keys)} for fault in FAULTS}
    return {"robust_" + key: sum(row[key] for row in table.values()) for key in keys}, table


def seasons(jobs):
    """Thirty days for each trace that has them, by size of panel."""
    out = {}
    for trace in {job[0].name: job[0] for job in jobs}.values():
        if trace.days >= 30:
            for size in SIZES:
                day = max(0, (trace.days - 30) // 2)
                out[trace.name, size] = season(Window(trace, day, size, *jobs[0][3:6], days=30))
    return out


def measure(quick, trace=None, load=None, platform=None):
    """The benchmark's one object."""
    began = time.monotonic()
    board, load = tables.board(platform or PLATFORM), load or LOAD
    jobs = plans(quick, traces_of(trace), load, board)
    workers = min(2, os.cpu_count() or 1)
    found = spread(workers, judged, jobs)
    figures, (figures["planner_ms"], figures["decision_us"]) = figures_of(found), costs(Window(*jobs[0]))
    more, table = robust(quick, workers, jobs)
    figures.update(more)
    if len(jobs[0][3]) == 3:
        rows = spread(workers, weighted, jobs[:1] if quick else jobs[::6])
        for number, name in enumerate(WEIGHTS):
            figures["u_" + name], figures["headroom_" + name] = (float(np.mean([100 * row[number][k] for row in rows])) for k in (0, 1))
    long = {} if quick else seasons(jobs)
    if long:
        figures["season_u_over_bound_mean"] = float(np.mean([100 * s["u"] for s in long.values()]))
        figures["season_brownouts"] = sum(s["brownouts"] for s in long.values() if s["feasible"])
        figures["season_infeasible"] = sum(not s["feasible"] for s in long.values())
    gates = [{"key": key, "value": figures[key], "gate": gate, "moonshot": moon,
              "met": figures[key] >= gate if more else figures[key] <= gate} for key, (gate, moon, more) in GATES.items()]
    return {"bench": "energy", "figures": figures, "gates": gates, "baselines": dict(table_of(found), **table),
            "environment": environment(board, load, found), "seconds": time.monotonic() - began}


def environment(board, load, found):
    """What the figures rest on, in words."""
    return {"python": machine.python_version(), "machine": machine.machine(), "cpus": os.cpu_count(), "scipy": metadata.version("scipy"),
            "platform": board["name"], "load": Path(load).name,
            "energy": "from tables, not metered: " + (board["source"] or "no source given"),
            "windows": [{"window": w["window"], "feasible": w["feasible"], "u": round(100 * w["rows"][OURS]["u"], 2),
                         "headroom": round(100 * w["rows"][OURS]["headroom"], 1)} for w in found]}
