"""Streaming QRS detection after Hamilton ("Open source ECG analysis", Computers in Cardiology 2002).

Slope of the 5 to 18 Hz band summed over 100 ms; its peaks are beats or noise by a threshold between the
medians of the last beats and the last noise peaks; a search back finds what the threshold missed. The place
of a beat is the largest deflection of the band signal, so that windows cut around it line up.
"""
# runs on CPython and MicroPython

from plugins.ecg.filters import KERNELS, QrsBand

THRESHOLD = 18  # of 64: place of the threshold between noise level and beat level
BACK = 20  # of 64: what a search back asks for, as a share of the beat level
T_WAVE = 32  # of 64: what a peak within T_MS of a beat must have of that beat's slope
FLOOR = 1  # of 64: a peak below this share of a beat is not looked at
REFRACTORY_MS = 200
T_MS = 360
LEARN_MS = 3000
RELEARN_MS = 8000
KEEP = 8


def median(values):
    """Upper median of a short list."""
    return sorted(values)[len(values) // 2]


class QrsDetector:
    """push(samples) gives the sample numbers of the beats that became certain, about 0.4 s after they came."""

    def __init__(self, rate_hz, kernels=KERNELS):
        self.kernels = kernels
        self.band = QrsBand(rate_hz, kernels)
        self.step = max(1, int(rate_hz * 8 // 1000))
        self.span = max(1, int(rate_hz) // 10)
        self.reach = int(rate_hz * 80 // 1000)
        self.lag = (self.step + self.span) // 2
        self.history = kernels.convert([])
        self.start = 0
        self.judge = Judge(rate_hz)

    def push(self, values):
        """values: counts, any number. Gives sample numbers, 0 being the first sample ever pushed."""
        k = self.kernels
        x = k.join(self.history, k.convert(values))
        margin = self.reach + self.lag
        used = len(x) - self.band.support + 1 - self.step - self.span + 1 - 2 * margin
        beats = []
        if used > 0:
            band = self.band(x)
            energy = k.boxcar(k.slope(band, self.step), self.span)
            floor = self.judge.floor()
            for i in k.peaks(energy, margin, margin + used):
                if energy[i] < floor:
                    continue
                at = i + self.lag - self.reach
                place = self.start + self.band.delay + at + k.largest(band[at:at + 2 * self.reach])
                beats += self.judge.peak(place, int(energy[i]))
            x = x[used:]
            self.start += used
            beats += self.judge.now(self.start + margin + self.lag + self.band.delay)
        self.history = x
        return beats


class Judge:
    """Tells beats from noise among the peaks, given in order of time."""

    def __init__(self, rate_hz):
        self.refractory = int(rate_hz * REFRACTORY_MS // 1000)
        self.t_wave = int(rate_hz * T_MS // 1000)
        self.learn = int(rate_hz * LEARN_MS // 1000)
        self.relearn = int(rate_hz * RELEARN_MS // 1000)
        self.second = int(rate_hz)
        self.candidate = None
        self.first = []
        self.beats, self.noise, self.intervals = [], [0], []
        self.missed = []
        self.last, self.height = None, 0

    def floor(self):
        """Height below which a peak is not even noise worth remembering."""
        return median(self.beats) * FLOOR // 64 if self.beats else 0

    def peak(self, place, height):
        """A peak at sample `place`; gives the beats that it makes certain."""
        if self.first is not None:
            self.first.append((place, height))
            return []
        return self._peak(place, height)

    def _peak(self, place, height):
        if self.candidate and place - self.candidate[0] < self.refractory:
            if height > self.candidate[1]:
                self.candidate = place, height
            return []
        done = self._settle()
        self.candidate = place, height
        return done

    def now(self, place):
        """All peaks up to sample `place` have been given."""
        if self.first is not None:
            return self._begin() if place >= self.learn else []
        done = []
        if self.candidate and place - self.candidate[0] > self.refractory:
            done = self._settle()
        return done + self._search_back(place)

    def _begin(self):
        """Take the largest peak of each of the first seconds for beats, then go through all."""
        heights = {}
        for place, height in self.first:
            second = place // self.second
            heights[second] = max(heights.get(second, 0), height)
        first, self.first = self.first, None
        self.beats = sorted(heights.values())[-KEEP:] or [1]
        self.last = -self.second
        done = []
        for place, height in first:
            done += self._peak(place, height)
        return done

    def _level(self, share):
        """Height at `share` of 64 between the noise and the beats."""
        noise = median(self.noise)
        return noise + (median(self.beats) - noise) * share // 64

    def _settle(self):
        """The candidate has no larger neighbour any more: beat or noise?"""
        if not self.candidate:
            return []
        place, height = self.candidate
        self.candidate = None
        is_t = place - self.last < self.t_wave and height * 64 < self.height * T_WAVE
        if height > self._level(THRESHOLD) and not is_t:
            return [self._beat(place, height)]
        self.noise = (self.noise + [height])[-KEEP:]
        if not is_t:
            self.missed.append((height, place))
        return []

    def _beat(self, place, height):
        if self.last > 0:
            self.intervals = (self.intervals + [place - self.last])[-KEEP:]
        self.beats = (self.beats + [height])[-KEEP:]
        self.missed = []
        self.last, self.height = place, height
        return place

    def _search_back(self, place):
        """Nothing for 1.5 usual intervals: was a smaller peak a beat?"""
        usual = median(self.intervals) if self.intervals else self.second
        if place - self.last < usual * 3 // 2 + self.refractory or not self.missed:
            return []
        height, at = max(self.missed)
        if place - self.last > self.relearn:
            self.beats = [height]  # the signal has become smaller
        elif height * 64 < median(self.beats) * BACK:
            return []
        later = [peak for peak in self.missed if peak[1] > at]
        beat = self._beat(at, height)
        self.missed = later
        return [beat]
