"""Judges traffic forecasts and incidents on recorded series, through the very code that runs on the gateway."""

import json
from datetime import datetime

import numpy as np

from gateway.context import GatewayContext
from gateway.core.records import Block, Signal, Summary
from firmware_tools.evaluate import options_of
from models.traffic.recipe.data import targets
from plugins.traffic.lags import AHEAD
from plugins.traffic.plugin import MANIFEST as TRAFFIC, TrafficPlugin


HISTORY_DAYS = 8


def played(model, series, now, say=lambda done, total: None):
    """Plays a series through the plugin, over `now` (a run of slot numbers) after the days that the lags need.

    Gives {"values": (windows, sensors, AHEAD) forecasts in counts, "halves": half widths of their bands, both NaN where
    no forecast was due; "summaries"; "plugin"}.
    """
    step_ms = 60000 * series.step_min
    plugin = TrafficPlugin(dict(options_of(TRAFFIC), step_s=step_ms // 1000), GatewayContext("traffic", "."))
    signals = [Signal(name, name, "", 1000 / step_ms, series.gain, 0) for name in series.names]
    shape = (len(now), len(series.names), AHEAD)
    found = {"values": np.full(shape, np.nan), "halves": np.full(shape, np.nan), "summaries": [], "plugin": plugin}
    begin = max(0, now[0] - HISTORY_DAYS * series.per_day)
    for first, last in [(begin, now[0]), *[(at, at + 1) for at in now]]:
        for n, signal in enumerate(signals):
            for block in blocks_of(signal, series, n, first, last, step_ms):
                for item in plugin.push(block):
                    take(found, item, model, series, now)
        say(last - now[0], len(now))
    found["summaries"] += plugin.finish()
    return found


def take(found, item, model, series, now):
    """A Summary, or Features to be forecast and kept."""
    if isinstance(item, Summary):
        found["summaries"].append(item)
        return
    plugin, forecast = found["plugin"], model.infer(item)
    found["summaries"] += plugin.summarise(item, forecast, plugin.decide(item, forecast))
    row = item.seq - series.first - now[0]
    for n, name in enumerate(series.names if 0 <= row < len(now) else ()):
        station = plugin.stations.get(name)
        if station:
            found["values"][row, n] = station.values
            found["halves"][row, n] = [station.band.half(h, value) for h, value in enumerate(station.values)]


def blocks_of(signal, series, n, first, last, step_ms):
    """Readings of one sensor from slot `first` to `last` - 1: a block for each run without a hole."""
    values = series.values[first:last, n]
    there = np.flatnonzero(~np.isnan(values))
    for run in np.split(there, np.flatnonzero(np.diff(there) > 1) + 1):
        if len(run):
            yield Block(signal, first + int(run[0]), (series.first + first + int(run[0])) * step_ms, values[run].astype(int).tolist())


def errors(values, series, now):
    """Figures of forecasts (windows, sensors, AHEAD) in the series' unit, readings of 0 left out as the literature does: MAE on real
    targets (not copied from the week before), at 3, 6 and 12 slots, on all and on copied ones; RMSE and MAPE on all."""
    truth = targets(np.nan_to_num(series.values), now)
    counted = (truth != 0) & np.isfinite(values)
    real = counted & ~targets(series.copied(), now)
    off = np.abs(values - truth) / series.gain
    out = {"mae_real": off[real].mean(), "mae_all": off[counted].mean(),
           "mae_copied": off[counted & ~real].mean() if (counted & ~real).any() else 0.0,
           "rmse_all": np.sqrt((off[counted] ** 2).mean()), "mape_all": 100 * (off[counted] * series.gain / truth[counted]).mean()}
    out.update({"mae_real_%d" % h: off[:, :, h - 1][real[:, :, h - 1]].mean() for h in (3, 6, 12)})
    return {name: float(value) for name, value in out.items()}


def coverage(found, series, now):
    """Share of real readings inside of the band, and its mean half width in the series' unit."""
    truth = targets(np.nan_to_num(series.values), now)
    real = (truth != 0) & np.isfinite(found["values"]) & ~targets(series.copied(), now)
    inside = np.abs(found["values"] - truth) <= found["halves"]
    return {"band_holds": float(inside[real].mean()), "band_half": float(found["halves"][real].mean() / series.gain)}


def labelled(folder):
    """{file: [(begin, end)] in ms} of NAB's windows."""
    windows = json.loads((folder / "combined_windows.json").read_text())
    stamp = lambda text: int(datetime.fromisoformat(text + "+00:00").timestamp() * 1000)
    return {name: [(stamp(a), stamp(b)) for a, b in spans] for name, spans in windows.items()}
