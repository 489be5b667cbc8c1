"""Series of a road network on a regular grid: lags, targets, which targets count, and the split in time."""

import numpy as np

from gateway.core.errors import HeedError
from plugins.traffic.lags import AHEAD, offsets, span

SPLIT = (.6, .8)  # of the windows, in time order: training, validation, test
COPIED_OF, COPIED_MORE_THAN = 13, 6  # slots around, and how many of them equal the week before


class Series:
    """values: (slots, sensors) counts, NaN where nothing was read; names: of the sensors; step_min: minutes a slot;
    first_min: minutes from Monday 00:00, local time, to the first slot; first: its number; gain: counts per unit."""

    def __init__(self, values, names, step_min, first_min, first=0, gain=1):
        self.values = np.asarray(values, np.float32)
        self.names = list(names)
        self.step_min = step_min
        self.first_min = first_min
        self.first, self.gain = first, gain
        self.per_day = 1440 // step_min

    def clock(self, at):
        """(quarter of an hour of the day, weekday) of slot numbers, Monday 0."""
        minutes = self.first_min + np.asarray(at) * self.step_min
        return minutes // 15 % 96, minutes // 1440 % 7

    def windows(self):
        """Slot numbers that can be "now": the lags are there, and the truth after them."""
        return np.arange(span(self.per_day) - 1, len(self.values) - AHEAD)

    def parts(self):
        """(training, validation, test): slot numbers. The split is that of the literature, over windows of 12 + 12
        slots from the first slot on; training then loses the week that its lags need."""
        now = self.windows()
        if len(now) < 20 * self.per_day // 24:
            raise HeedError("%d slots are too few" % len(self.values), "a week and a day are needed before there is anything to judge")
        total = len(self.values) - 2 * AHEAD + 1
        ends = [int(round(total * share)) + AHEAD - 1 for share in SPLIT]
        return now[now < ends[0]], now[(now >= ends[0]) & (now < ends[1])], now[now >= ends[1]]

    def copied(self):
        """(slots, sensors) bool: values that are the week before's, vehicle for vehicle: imputed at the source."""
        week, half = 7 * self.per_day, COPIED_OF // 2
        same = np.zeros(self.values.shape, np.int32)
        same[week:] = (self.values[week:] == self.values[:-week]) & (self.values[week:] != 0)
        total = np.cumsum(np.pad(same, ((half + 1, half), (0, 0))), axis=0)
        return total[COPIED_OF:] - total[:-COPIED_OF] > COPIED_MORE_THAN


def filled(series):
    """Values without holes, as the plugin fills them: the week before, else the day before, else the last."""
    out = series.values.copy()
    out[np.isnan(out)] = 0
    for at in np.flatnonzero((out == 0).any(1)):
        hole = out[at] == 0
        for back in (7 * series.per_day, series.per_day, 1):
            if at >= back:
                out[at] = np.where(hole & (out[at] == 0), out[at - back], out[at])
    return out


def lags(values, now, per_day):
    """(windows, sensors, LAGS) of (slots, sensors)."""
    return np.swapaxes(values[np.asarray(now)[:, None] + np.array(offsets(per_day))], 1, 2)


def targets(values, now):
    """(windows, sensors, AHEAD)."""
    return np.swapaxes(values[np.asarray(now)[:, None] + np.arange(1, AHEAD + 1)], 1, 2)
