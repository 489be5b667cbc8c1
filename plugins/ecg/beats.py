"""From samples and beat positions to what the model takes in: one token a beat.

A token is the beat on a 128 Hz grid in two channels, itself and its difference from the patient's own usual
beat, in 1/64 of that beat's height; and the rhythm numbers of plugins.ecg.rr. No labels are needed: the usual
beat is a running mean of the beats with a usual interval, which outliers cannot pull far.
"""
# runs on CPython and MicroPython

from plugins.ecg.filters import KERNELS, Morphology
from plugins.ecg.rr import Rhythm, ln

GRID_HZ = 128
BEFORE, AFTER = 44, 60  # grid points before and after R: -0.34 to +0.46 s
LENGTH = BEFORE + AFTER
UNIT = 64
LIMIT = 4 * UNIT
USUAL = 38  # a usual interval is within this of the median: 15 % in units of 1/256 nat
LEARN = 5  # usual beats before the template is steady
SHARE = 16  # a usual beat moves the template by 1/16
HISTORY_MS = 6500
LONG_MS = 1400
PAUSE_MS = 2500  # the model does not wait longer for the next beat


class Tokens:
    """Beats of one stream, in order: token(window, before_ms, after_ms) -> (beat, rr).

    unlike: how far the last beat was from the usual one, percent of its area, at most 100.
    """

    def __init__(self, kernels=KERNELS):
        self.kernels = kernels
        self.rhythm = Rhythm()
        self.template = None
        self.height = 1
        self.seen = 0
        self.unlike = 0

    def token(self, window, before_ms, after_ms):
        """window: LENGTH filtered samples around R, median 0. beat: 2 x LENGTH integers, interleaved; rr: 15."""
        k = self.kernels
        rr = self.rhythm.numbers(before_ms, after_ms)
        usual = abs(rr[0]) <= USUAL and abs(rr[1]) <= USUAL
        if self.template is None:
            self.template, self.height = window, max(1, k.extent(window))
        elif usual or self.seen < LEARN:
            self._learn(window)
        self.seen += usual
        beat = k.scaled(window, UNIT, self.height, LIMIT)
        rest = k.scaled(k.subtract(window, self.template), UNIT, self.height, LIMIT)
        self.unlike = min(100, k.weight(rest) * 100 // max(1, k.weight(beat)))
        return k.pack(beat, rest), rr

    def _learn(self, window):
        share = SHARE if self.seen >= LEARN else self.seen + 2
        k, limit = self.kernels, max(1, self.height // 4)
        self.template = k.follow(self.template, window, share, self.height if self.seen < LEARN else limit)
        self.height = max(1, k.extent(self.template))


class BeatMaker:
    """push(samples, beats) -> [(r, token, facts)], each beat once the next one is known."""

    def __init__(self, rate_hz, kernels=KERNELS):
        self.kernels = kernels
        self.rate_hz = rate_hz
        self.filter = Morphology(rate_hz, kernels)
        self.tokens = Tokens(kernels)
        offsets = [(i - BEFORE) * int(rate_hz) * 256 // GRID_HZ for i in range(LENGTH)]
        self.reach = -(offsets[0] >> 8), (offsets[-1] >> 8) + 2
        self.indices = kernels.convert([(offset >> 8) - (offsets[0] >> 8) for offset in offsets])
        self.fractions = kernels.convert([offset & 255 for offset in offsets])
        self.keep = int(rate_hz * HISTORY_MS // 1000)
        self.pause = int(rate_hz * PAUSE_MS // 1000)
        self.samples, self.start = kernels.convert([]), 0
        self.waiting = []
        self.last = None

    def ms(self, samples):
        """Milliseconds of a number of samples."""
        return int(samples * 1000 // self.rate_hz)

    def push(self, values, beats):
        """values: counts; beats: sample numbers that became certain, any time after their samples came."""
        k = self.kernels
        self.samples = k.join(self.samples, k.convert(values))
        self.waiting = sorted(self.waiting + list(beats))
        out = []
        while self.waiting and self._ready():
            made = self._beat(self.waiting.pop(0))
            if made:
                out.append(made)
        surplus = len(self.samples) - self.keep
        if surplus > 0:
            self.samples = self.samples[surplus:]
            self.start += surplus
        return out

    def _ready(self):
        """Whether the first waiting beat has its next one, or has waited long enough, and its window is there."""
        end = self.start + len(self.samples)
        window = self.waiting[0] + self.filter.delay + self.reach[1]
        return end >= window and (len(self.waiting) > 1 or end - self.waiting[0] > self.pause)

    def _beat(self, r):
        """The token of the beat at r, or None when its window is not in the history (the very first ones)."""
        after = self.ms(self.waiting[0] - r) if self.waiting else PAUSE_MS
        before = self.ms(r - self.last) if self.last is not None else after
        (window, sway), (stir, swing) = self._window(r), self._between(r, before)
        self.last = r
        if window is None or before <= 0:
            return None
        beat, rr = self.tokens.token(window, before, after)
        tokens = self.tokens
        return r, (beat, rr), {"before_ms": before, "after_ms": after, "height": tokens.height, "unlike": tokens.unlike,
                               "stir": stir * 100 // tokens.height, "sway": max(sway, swing) * 100 // tokens.height}

    def _between(self, r, before):
        """How much beats and the line under them move between two beats that are far apart; 0 for others."""
        if before < LONG_MS or self.last is None:
            return 0, 0
        first = self.last + int(self.rate_hz * 4 // 10) - self.filter.delay - self.start
        last = r - int(self.rate_hz * 3 // 10) + self.filter.delay - self.start
        span = self.samples[max(0, first):last]
        if len(span) <= self.filter.support:
            return 0, 0
        filtered, sway = self.filter.split(span)
        return self.kernels.extent(filtered), sway

    def _window(self, r):
        """(the beat on the grid or None, how far the line under it moves)."""
        k = self.kernels
        first = r - self.reach[0] - self.filter.delay - self.start
        last = r + self.reach[1] + self.filter.delay - self.start
        if first < 0 or last > len(self.samples):
            return None, 0
        filtered, sway = self.filter.split(self.samples[first:last])
        return k.centre(k.interpolate(filtered, self.indices, self.fractions)), sway
