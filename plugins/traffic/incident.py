"""Is this reading what was to be expected? Residuals of a forecast for the slot that is now, sensor by sensor.

The expectation is an attention over what could be known of the slot: its hour's usual value, the level of late, and the
model's forecast where there is one; each is weighed by how right it has been of late. Integers, on every interpreter.
"""
# runs on CPython and MicroPython

ONE = 64  # fixed point
LEVEL, USUAL, ERROR, SPREAD = 10, 10, 100, 100  # the newest counts one part in so many
SMOOTH = 12  # the score is the mean over about so many slots
CLIP = 4  # a residual counts for the spread up to so many spreads


class Expectation:
    """What the next reading should be. errors: running squared errors of usual value, level and model."""

    def __init__(self):
        self.usual = [None] * 24
        self.level = self.spread = self.score = 0
        self.new = True
        self.errors = [ONE, ONE, ONE]

    def voices(self, hour, model):
        """What each expects, times ONE; model: counts, or None."""
        level = self.level
        usual = self.usual[hour]
        return [level if usual is None else usual, level, None if model is None else model * ONE]

    def expected(self, voices):
        """Their mean, each weighed by one over its squared error, squared."""
        best = min([error for voice, error in zip(voices, self.errors) if voice is not None]) * 1024
        shares = [0 if voice is None else (best // error) ** 2 for voice, error in zip(voices, self.errors)]
        return sum([share * voice for share, voice in zip(shares, voices) if share]) // max(1, sum(shares))

    def update(self, value, hour, model=None):
        """Take a reading (counts) of an hour of the day; gives (score in percent of the usual residual, smoothed and
        signed; what was expected, in counts)."""
        value *= ONE
        if self.new:
            self.level, self.new = value, False
        voices = self.voices(hour, model)
        expected = self.expected(voices)
        residual = value - expected
        if not self.spread:
            self.spread = max(abs(residual), ONE)
        self.score += (100 * residual // max(1, self.spread) - self.score) // SMOOTH
        self._learn(value, hour, voices, residual)
        return self.score, expected // ONE

    def _learn(self, value, hour, voices, residual):
        self.spread += (min(abs(residual), CLIP * self.spread + ONE) - self.spread) // SPREAD
        for i, voice in enumerate(voices):
            if voice is not None:
                self.errors[i] = max(ONE, self.errors[i] + ((value - voice) ** 2 - self.errors[i]) // ERROR)
        usual = self.usual[hour]
        self.usual[hour] = value if usual is None else usual + (value - usual) // USUAL
        self.level += (value - self.level) // LEVEL


class Watch:
    """Turns scores into incidents: one begins where the score passes the threshold, and ends after a calm.

    threshold: percent; calm: slots; quiet: slots at the beginning in which nothing is said."""

    def __init__(self, threshold, calm, quiet):
        self.expectation = Expectation()
        self.threshold, self.calm, self.quiet = threshold, calm, quiet
        self.slots = self.since = 0
        self.lasts = False

    def update(self, value, hour, model=None):
        """(what happened: "begins", "ends" or ""; score; expected)."""
        score, expected = self.expectation.update(value, hour, model)
        return self.turn(score), score, expected

    def turn(self, score):
        """What a score changes."""
        self.slots += 1
        loud = abs(score) >= self.threshold and self.slots > self.quiet
        self.since = 0 if loud else self.since + 1
        if loud and not self.lasts:
            self.lasts = True
            return "begins"
        if self.lasts and self.since >= self.calm:
            self.lasts = False
            return "ends"
        return ""
