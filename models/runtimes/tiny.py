"""Integer arithmetic of the tiny runtime: no floats, the same bytes on every interpreter.

Activations are int16 in units of 1/256, weights int8 with a shift for each row.
"""
# runs on CPython and MicroPython

from array import array

try:
    from models.runtimes.kernels_viper import matvec
except (ImportError, SyntaxError, NameError):
    from models.runtimes.kernels_plain import matvec

ONE = 256
# 32768 * 2 ** (-i / 256), for i = 0..255: the fraction of a power of two
EXP2 = array("H", [32768])
LOG2E = 369  # round(256 * log2(e))


def _fill():
    """Powers of 2 ** (-1 / 256), which is 1070838486 / 2 ** 30."""
    x = 1 << 30
    for _ in range(255):
        x = x * 1070838486 >> 30
        EXP2.append((x + (1 << 14)) >> 15)


_fill()


class Dense:
    """A fully connected layer: weights bytes (rows x columns, int8), bias array("i"), shifts bytes."""

    def __init__(self, weights, bias, shifts, columns):
        self.weights = weights
        self.bias = bias
        self.shifts = shifts
        self.columns = columns
        self.rows = len(shifts)

    def __call__(self, x, at=0):
        """Layer of x[at : at + columns]."""
        out = array("h", bytes(2 * self.rows))
        matvec(out, self.weights, x, at, self.bias, self.shifts, self.columns)
        return out


def relu(x):
    """In place."""
    for i in range(len(x)):
        if x[i] < 0:
            x[i] = 0
    return x


def add(x, y):
    """Sum, within int16."""
    return array("h", [max(-32768, min(32767, a + b)) for a, b in zip(x, y)])


def isqrt(n):
    """Whole part of the square root (Newton)."""
    if n < 2:
        return n
    x, y = n, (n + 1) >> 1
    while y < x:
        x, y = y, (y + n // y) >> 1
    return x


def norm(x, gain, offset):
    """Layer norm with gain and offset in units of 1/256."""
    n = len(x)
    mean = sum(x) // n
    centred = [v - mean for v in x]
    spread = isqrt((sum([v * v for v in centred]) // n << 8) + 1) or 1  # in units of 1/4096
    return array("h", [max(-32768, min(32767, (((v << 12) // spread) * g >> 8) + o))
                       for v, g, o in zip(centred, gain, offset)])


def softmax(logits):
    """Shares in units of 1/32768 of logits in units of 1/256."""
    top = max(logits)
    powers = []
    for logit in logits:
        below = (top - logit) * LOG2E >> 8
        powers.append(EXP2[below & 255] >> (below >> 8) if below < 4096 else 0)
    total = sum(powers)
    return [(p << 15) // total for p in powers]
