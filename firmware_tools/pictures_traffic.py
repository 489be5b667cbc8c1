"""Pictures of `heed demo traffic --plot`."""

from datetime import datetime, timezone

import numpy as np

from firmware_tools.recordings import series_of
from firmware_tools.verify_traffic import played
from gateway.context import GatewayContext
from models.attention import PackageModel
from plugins.traffic.baseline import Rules
from plugins.traffic.lags import AHEAD, GROUPS
from plugins.traffic.looked import lag_shares, neighbour_shares
from sensors.series_file import read

BACK = 36  # slots shown before a forecast
HORIZON = 6


class Recorder:
    """A model that remembers what it attended to for one sensor: shares and near, by slot number."""

    def __init__(self, model, sensor):
        self.model, self.sensor = model, sensor
        self.shares, self.near = {}, {}

    def infer(self, features):
        """As the model does."""
        forecast, names = self.model.infer(features), features.facts["streams"]
        if self.sensor in names:
            at = names.index(self.sensor)
            self.shares[features.seq] = lag_shares(forecast.maps, at)
            self.near[features.seq] = neighbour_shares(forecast.maps, at, names)
        return forecast


def model_of(name, folder):
    """A package, or the rule."""
    context = GatewayContext("picture", folder)
    rules = Rules({}, context)
    if name == "baseline":
        return rules
    model = PackageModel({"package": name}, context, rules)
    model.load()
    return model


def save_traffic(path, columns, package, folder, sensor, first, last, unit):
    """PNGs into `folder` of rows `first` to `last` of a file: the stretch, and the forecast of its busiest hour. Gives their paths."""
    from firmware_tools.plot_traffic import moment, stretch
    table = read(path, columns, "2016-07-01 00:00")
    series, model = series_of(table), Recorder(model_of(package, folder), sensor)
    begin, end = (int((table.times[i] + 500) // table.step_ms - series.first) for i in (first, last - 1))
    now = np.arange(max(begin, 1), min(end + 1, len(series.values) - AHEAD))
    found, n = played(model, series, now), series.names.index(sensor)
    truth = series.values[:, n] / series.gain
    values, halves = found["values"][:, n] / series.gain, found["halves"][:, n] / series.gain
    times = [datetime.fromtimestamp((series.first + at + 1) * table.step_ms / 1000, timezone.utc).replace(tzinfo=None) for at in range(len(truth))]
    folder.mkdir(parents=True, exist_ok=True)
    stem = "traffic-" + "".join(letter if letter.isalnum() else "-" for letter in sensor)
    out = folder / (stem + "-stretch.png")
    rows, at = np.arange(len(now) - HORIZON), now[:len(now) - HORIZON] + HORIZON
    ours, half = values[rows, HORIZON - 1], halves[rows, HORIZON - 1]
    stretch([times[i] for i in at], truth[at], ours, np.maximum(ours - half, 0), ours + half, over_time(model, series.first + at),
            marks(found["summaries"], sensor), "sensor %s, %s, forecast by %s" % (sensor, times[now[0]].strftime("%d %B %Y"), package), unit, out)
    yield out
    row = int(np.nanargmax(np.nan_to_num(truth[now])))
    at, out = now[row], folder / (stem + "-moment.png")
    week = series.values[at + 1 - 7 * series.per_day:at + 1 - 7 * series.per_day + AHEAD, n] / series.gain if at >= 7 * series.per_day else [np.nan] * AHEAD
    around = range(max(0, at - BACK), min(len(truth), at + AHEAD + 1))
    ahead = {"times": [times[at + 1 + h] for h in range(AHEAD)], "values": values[row], "low": np.maximum(values[row] - halves[row], 0),
             "high": values[row] + halves[row], "week": week}
    moment([times[i] for i in around], truth[list(around)], ahead, "sensor %s at %s" % (sensor, times[at].strftime("%A %H:%M")), unit,
           model.shares.get(series.first + at), model.near.get(series.first + at, []), out)
    yield out


def over_time(model, slots):
    """{group: [percent]} at these slots, or None where the model attends to nothing."""
    shares = [model.shares.get(int(slot)) for slot in slots]
    if any(share is None for share in shares):
        return None
    return {name: [share[name] for share in shares] for name, _ in GROUPS}


def marks(summaries, sensor):
    """[(time, text)] of what was reported of a sensor."""
    return [(datetime.fromtimestamp(s.t_ms / 1000, timezone.utc).replace(tzinfo=None), s.data["event"].replace("_", " "))
            for s in summaries if s.stream == sensor and s.kind == "event"]
