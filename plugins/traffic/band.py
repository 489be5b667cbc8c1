"""How far off a forecast may be, horizon by horizon, learnt from how far off it was; and how high a sensor reaches.

Both are quantiles that move a step at each reading, so that they hold whatever model forecasts and whatever changes
(adaptive conformal inference: Gibbs and Candes, 2021). Integers, on every interpreter.
"""
# runs on CPython and MicroPython

from plugins.traffic.lags import AHEAD

ONE = 256
STEPS = 100  # a step is one part in so many, at the beginning a greater one
START = 400  # per mille of scale(): what the rule is off by, so that a band is too wide before it is right


class Quantile:
    """The value that `percent` of the readings stay below."""

    def __init__(self, percent, start):
        self.percent, self.n = percent, 0
        self.value = max(1, start) * ONE

    def update(self, value):
        """Take a reading."""
        self.n = min(self.n + 1, STEPS)
        step = max(1, self.value // (self.n * 100))
        self.value = max(ONE, self.value + step * (self.percent if value * ONE > self.value else self.percent - 100))


class Band:
    """Forecasts of one sensor that wait for their truth. inside, judged: how many of them held, of how many; off: sum
    of their errors."""

    def __init__(self, percent):
        self.waiting = []
        self.reach = [Quantile(percent, START) for _ in range(AHEAD)]
        self.clear()

    def clear(self):
        """Begin to count anew."""
        self.inside = self.judged = self.off = 0

    def expect(self, values):
        """The forecast (AHEAD values) made in the slot that was judged last."""
        self.waiting[0] = values

    def forecast(self, ahead):
        """What was expected of this slot `ahead` (1 to AHEAD) slots before it, or None."""
        values = self.waiting[ahead - 1] if len(self.waiting) >= ahead else None
        return values and values[ahead - 1]

    def judge(self, value):
        """Take the truth of this slot (None: none came): all forecasts of it are judged."""
        for ahead in range(1, len(self.waiting) + 1):
            forecast = self.forecast(ahead)
            if value is not None and forecast is not None:
                self._one(ahead - 1, forecast, value)
        self.waiting = [None] + self.waiting[:AHEAD - 1]

    def _one(self, h, forecast, value):
        apart = abs(value - forecast)
        share = 1000 * apart // scale(forecast)
        self.inside += share * ONE <= self.reach[h].value
        self.off += apart
        self.judged += 1
        self.reach[h].update(share)

    def half(self, h, forecast):
        """Half the width of the band around a forecast of horizon h (0 to AHEAD - 1), in counts."""
        return self.reach[h].value * scale(forecast) // (1000 * ONE)


def scale(forecast):
    """What an error is measured by: more traffic is off by more, but not in proportion. At least 16."""
    return 16 + int(4 * forecast ** .5)
