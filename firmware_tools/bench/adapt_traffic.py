"""Free labels on a road network: forecasts that learn from what comes beside the same ones as shipped, calm and with imposed changes.

The last fifth of the recording in time order, after twelve days in which the gateway ran already, through plugin and model as they run in
a gateway. Changes begin in the middle of the part, on a fifth of the sensors, drawn once.
"""

import copy
import time

import numpy as np

from firmware_tools.bench.adapt_ridge import Ridge
from firmware_tools.evaluate import options_of, ready
from firmware_tools.evaluate_traffic import own_series
from firmware_tools.recordings import pems08
from firmware_tools.verify_traffic import HISTORY_DAYS, blocks_of
from gateway.attention.experts import EXPERTS, SHIPPED
from gateway.attention.online import OnlineForecasts
from gateway.context import GatewayContext
from gateway.core.errors import HeedError
from gateway.core.records import Signal, Summary
from models.traffic.recipe.data import Series, targets
from plugins.traffic.lags import AHEAD
from plugins.traffic.plugin import MANIFEST as TRAFFIC, TrafficPlugin

GATES = {"traffic_online_mae_real": ("traffic_static_mae_real", "traffic_static_mae_real", False), "traffic_scaled_mae": (12, 9, False), "traffic_scaled_mae_day1": (16, 11, False),
         "traffic_shift_mae": (21, 16, False), "traffic_sensors_unharmed_share": (.95, .95, True)}
SEED, SHARE, FACTOR, SHIFT_MIN = 6, .2, .6, 120
WORSE = .005  # a sensor is harmed that is so much worse
WARM_DAYS, QUICK_DAYS = 12, 2
ALONE = 20  # slots between two in which the model is timed alone


class Change:
    """What happens to `sensors` from slot `at` on: "scaled", "shift", "dead". Gives a changed Series, and which targets are real."""

    def __init__(self, series, kind, sensors, at):
        self.kind, self.sensors, self.at = kind, sensors, at
        values, real = series.values.copy(), ~series.copied()
        late = SHIFT_MIN // series.step_min
        if kind == "scaled":
            values[at:, sensors] = np.round(values[at:, sensors] * FACTOR)
        elif kind == "shift":
            values[at:, sensors], real[at:, sensors] = series.values[at - late:-late, sensors], real[at - late:-late, sensors]
        else:
            values[at:, sensors] = np.nan
        self.series = Series(values, series.names, series.step_min, series.first_min, series.first, series.gain)
        self.real = real


class Road:
    """A plugin and its model at a road; follow() plays slots, and keeps of each what was given out, what was shipped, and the
    plain mean of the experts."""

    def __init__(self, model, series):
        self.online, self.series = OnlineForecasts(model), series
        step_ms = 60000 * series.step_min
        self.plugin = TrafficPlugin(dict(options_of(TRAFFIC), step_s=step_ms // 1000), GatewayContext("traffic", "."))
        self.signals = [Signal(name, name, "", 1000 / step_ms, series.gain, 0) for name in series.names]
        self.kept, self.spent = {}, {"model and what learns around it": [], "model alone": []}

    def branch(self):
        """The same road, that goes its own way from here; both ask the same model."""
        model = self.online.model
        shared = {id(part): part for part in (model, model.context, self.series)}
        return copy.deepcopy(self, {**shared, id(self.kept): dict(self.kept)})

    def follow(self, series, first, last, history=0):
        """Play slots first to last - 1 of a series, of which `history` at once."""
        spans = [(first, first + history)] if history else []
        for begin, end in [*spans, *[(at, at + 1) for at in range(first + history, last)]]:
            for n, signal in enumerate(self.signals):
                for block in blocks_of(signal, series, n, begin, end, 60000 * series.step_min):
                    for item in self.plugin.push(block):
                        self._take(item, series)
        return self

    def _take(self, item, series):
        if isinstance(item, Summary):
            return
        forecast = self._timed("model and what learns around it", self.online, item)
        if item.seq % ALONE == 0:
            self._timed("model alone", self.online.model, item)
        self.plugin.decide(item, forecast)
        slot, online = item.seq, self.online
        pending = online.experts.pending[:, slot % AHEAD]
        rows = np.full((3, len(self.series.names), AHEAD), np.nan, np.float32)
        for n, name in enumerate(self.series.names):
            station = self.plugin.stations.get(name)
            if station and name in online.places:
                mine = pending[online.places[name]]
                rows[:, n] = station.values, mine[:, SHIPPED], mine[:, :len(EXPERTS)].mean(1)
                if station.health.state == "imputed":  # a copied week is continued as it was, whatever was forecast
                    rows[1:, n] = station.values
        self.kept[slot - series.first] = rows

    def _timed(self, who, model, item):
        began = time.process_time()
        answer = model.infer(item)
        self.spent[who].append(1000 * (time.process_time() - began))
        return answer

    def values(self, now):
        """{"online", "static", "mean"}: (windows, sensors, AHEAD)."""
        found = np.stack([self.kept[at] for at in now], 1)
        return dict(zip(("online", "static", "mean"), found))


def judged(values, series, real, now, sensors=slice(None)):
    """(MAE on real targets, on all that are measured) in the series' unit."""
    truth = targets(np.nan_to_num(series.values), now)[:, sensors]
    there = (truth != 0) & np.isfinite(values[:, sensors])
    off = np.abs(values[:, sensors] - truth) / series.gain
    return float(off[there & targets(real, now)[:, sensors]].mean()), float(off[there].mean())


def unharmed(found, series, real, now):
    """(share of sensors that are at most WORSE worse online than static on real targets, the largest change)."""
    pairs = [(judged(found["online"], series, real, now, [n])[0], judged(found["static"], series, real, now, [n])[0])
             for n in range(len(series.names)) if (targets(real, now)[:, n] & (targets(series.values, now)[:, n] > 0)).any()]
    changes = np.array([online / static - 1 for online, static in pairs])
    return float((changes <= WORSE).mean()), float(changes.max())


class Course:
    """One run over a series: calm, then each change from the middle on, by the road and by the ridges beside it."""

    def __init__(self, series, model, days=None):
        self.series, test = series, series.parts()[2]
        self.now = test[:days * series.per_day] if days else test
        self.middle = len(self.now) // 2
        warm = (1 if days else WARM_DAYS) * series.per_day
        begin = max(0, self.now[0] - warm - HISTORY_DAYS * series.per_day)
        half = self.now[self.middle]
        self.road = Road(model, series).follow(series, begin, half, history=self.now[0] - warm - begin)
        self.ridge = Ridge(series)
        self.ridge.follow(series, self.now[:self.middle])
        count = max(1, round(SHARE * len(series.names)))
        self.sensors = np.sort(np.random.default_rng(SEED).permutation(len(series.names))[:count])

    def calm(self):
        """(figures, baselines) of the time without a change."""
        road, ridge, series = self.road.branch(), self.ridge.branch(), self.series
        road.follow(series, self.now[self.middle], self.now[-1] + 1)
        ridge.follow(series, self.now[self.middle:])
        found, real = dict(road.values(self.now), **ridge.values(self.now)), ~series.copied()
        rows = {name: judged(values, series, real, self.now) for name, values in found.items()}
        share, worst = unharmed(found, series, real, self.now)
        figures = {"traffic_static_mae_real": rows["static"][0], "traffic_online_mae_real": rows["online"][0],
                   "traffic_sensors_unharmed_share": share}
        counts = {name: float(n) for name, n in road.online.context.counters.items()}
        return figures, {"traffic, calm": table(rows), "traffic, worst sensor": {"change": worst}, "traffic, counters": counts,
                         "traffic, ms of processor a slot": {who: float(np.mean(ms)) for who, ms in road.spent.items()}}

    def changed(self, kind):
        """{column: {row: (real, all)}} of a change: changed sensors, their first day, and the others."""
        change = Change(self.series, kind, self.sensors, self.now[self.middle])
        road, ridge, now = self.road.branch(), self.ridge.branch(), self.now[self.middle:]
        road.follow(change.series, now[0], now[-1] + 1)
        ridge.follow(change.series, now)
        found = dict(road.values(now), **ridge.values(now))
        others = np.setdiff1d(np.arange(len(self.series.names)), self.sensors)
        columns = {"others": (now, others)}
        if kind != "dead":
            columns.update({"changed": (now, self.sensors), "changed, day 1": (now[:self.series.per_day], self.sensors)})
        return {column: {name: judged(values[:len(at)], change.series, change.real, at, who) for name, values in found.items()}
                for column, (at, who) in columns.items()}


def table(rows):
    """{"row, real": MAE, "row, all": MAE}."""
    return {"%s, %s" % (name, targets_of): value for name, pair in rows.items() for targets_of, value in zip(("real", "all"), pair)}


def measure(quick, csv=None):
    """(figures, baselines). csv: a recording of a stranger's, judged with the package that knows any sensor."""
    series, model = (own_series({"csv": csv, "step": None, "columns": ""}), "traffic_single") if csv else (pems08(), "traffic")
    model = ready(model, "float")
    if model.package.manifest["forecast"]["step_min"] != series.step_min:
        raise HeedError("the file has slots of %d min" % series.step_min, "heed bench adapt takes slots of 5 min: resample it")
    course = Course(series, model, QUICK_DAYS if quick else None)
    figures, baselines = course.calm()
    for kind in ("scaled", "shift") if quick else ("scaled", "shift", "dead"):
        found = course.changed(kind)
        baselines.update({"traffic, %s, %s" % (kind, column): table(rows) for column, rows in found.items()})
        if kind != "dead":
            figures["traffic_%s_mae" % kind] = found["changed"]["online"][0]
            figures["traffic_%s_mae_day1" % kind] = found["changed, day 1"]["online"][0]
    baselines["traffic, changed sensors"] = {"number of them": len(course.sensors), "seed": SEED}
    return figures, baselines
