"""Which slots a forecast looks at: the last hour, and the same two hours a day and a week before.

A slot is one step of the network's clock (5 minutes for most loop detectors).
"""
# runs on CPython and MicroPython

RECENT = 12  # slots up to now
AHEAD = 12  # slots that are forecast
AROUND = RECENT + AHEAD  # slots of an earlier day: those of the last hour, and those of the hour ahead
GROUPS = (("recent", RECENT), ("day", AROUND), ("week", AROUND))
LAGS = RECENT + 2 * AROUND


def offsets(per_day):
    """Offsets from now of the LAGS slots, oldest first in each group. per_day: slots in a day."""
    out = list(range(1 - RECENT, 1))
    for back in (per_day, 7 * per_day):
        out += list(range(1 - RECENT - back, AHEAD + 1 - back))
    return out


def span(per_day):
    """How many slots, the newest included, the lags reach back over."""
    return 7 * per_day + RECENT
