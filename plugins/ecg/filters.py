"""Linear-phase integer filters made of running sums (Lynn, 1977), without state: the same numbers in any cut.

Widths scale with the rate, 100 to 1000 Hz.
"""
# runs on CPython and MicroPython

try:
    from plugins.ecg import kernels_fast as KERNELS
except ImportError:
    from plugins.ecg import kernels_plain as KERNELS

SCALE = 16  # output units a count


def odd(width):
    """The odd whole number next to `width`, at least 1: odd widths have a whole delay."""
    return 2 * (int(width) // 2) + 1


class Morphology:
    """0.7 to 35 Hz, what the eye looks at. out[i] belongs to sample i + delay of the input."""

    def __init__(self, rate_hz, kernels=KERNELS):
        self.kernels = kernels
        self.base = odd(0.6 * rate_hz)
        self.smooth = odd(0.443 * rate_hz / 38)
        self.delay = self.base - 1
        self.support = 2 * self.base - 1

    def __call__(self, x):
        """Filtered x: len(x) - support + 1 numbers."""
        return self.split(x)[0]

    def split(self, x):
        """(filtered x, how far the line that was taken away from it goes up and down, in the same unit)."""
        k, base = self.kernels, self.base
        wander = k.boxcar(k.boxcar(x, base), base)
        smooth = k.boxcar(x, self.smooth)
        filtered = k.difference(smooth, self.delay - self.smooth // 2, SCALE, self.smooth, wander, base * base)
        return filtered, k.extent(wander) * SCALE // (base * base)


class QrsBand:
    """5 to 18 Hz, where a QRS complex stands out. out[i] belongs to sample i + delay of the input."""

    def __init__(self, rate_hz, kernels=KERNELS):
        self.kernels = kernels
        self.low = odd(0.319 * rate_hz / 18)
        self.high = odd(0.443 * rate_hz / 5)
        self.delay = self.low - 1 + self.high // 2
        self.support = 2 * self.low - 1 + self.high - 1

    def __call__(self, x):
        """Filtered x: len(x) - support + 1 numbers."""
        k, gain = self.kernels, self.low * self.low
        smooth = k.boxcar(k.boxcar(x, self.low), self.low)
        return k.difference(smooth, self.high // 2, SCALE, gain, k.boxcar(smooth, self.high), gain * self.high)
