"""The rule instead of a model: last week's hour, moved by how far today is from it."""
# runs on CPython and MicroPython

from gateway.core.plugin import Model
from gateway.core.records import Forecast
from plugins.traffic.lags import AHEAD, AROUND, RECENT

NEWEST = 6  # slots that say where today stands
LASTS = 32  # how slowly the distance to last week is forgotten, in slots


def rule(lags):
    """AHEAD values from LAGS."""
    recent, week = lags[:RECENT], lags[RECENT + AROUND:]
    apart = sum(recent[-NEWEST:]) - sum(week[RECENT - NEWEST:RECENT])
    return [max(0, week[RECENT + h] + apart * LASTS // (NEWEST * (LASTS + h))) for h in range(AHEAD)]


class Rules(Model):
    """Knows any sensor, attends to nothing."""

    def infer(self, features):
        """Forecast of every sensor."""
        return Forecast(features.stream, features.seq, features.t_ms, [rule(lags) for lags in features.values[0]], None, "baseline")
