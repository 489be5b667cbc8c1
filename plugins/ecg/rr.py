"""Fifteen numbers about the rhythm around a beat: logs of RR intervals against running references.

Unit: 1/256 of a natural logarithm, integers, clipped to +-512. References that follow the majority (medians)
stand beside ones that do not (mean, upper quantile): a patient who is mostly ectopic has no other normal.
"""
# runs on CPython and MicroPython

UNIT = 256
LIMIT = 512
COUNT = 15
USUAL_MS = 800
# round(4096 * ln(1 + i / 64)): the logarithm between two powers of two
TABLE = (0, 64, 126, 188, 248, 308, 367, 425, 482, 539, 595, 650, 704, 757, 810, 862, 914, 965, 1015, 1065,
         1114, 1162, 1210, 1258, 1304, 1351, 1396, 1442, 1486, 1531, 1575, 1618, 1661, 1703, 1745, 1787,
         1828, 1869, 1909, 1949, 1989, 2028, 2067, 2105, 2143, 2181, 2218, 2255, 2292, 2329, 2365, 2400,
         2436, 2471, 2506, 2541, 2575, 2609, 2642, 2676, 2709, 2742, 2775, 2807, 2839)
LN2 = 2839  # round(4096 * ln 2)


def ln(x):
    """256 * ln(x) for an integer x >= 1, floored to an integer, within 1 of the true value."""
    x = max(1, x) << 8
    octaves = 6
    while x >= 1 << 15:
        x >>= 1
        octaves += 1
    while x < 1 << 14:
        x <<= 1
        octaves -= 1
    i, part = (x >> 8) - 64, x & 255
    between = TABLE[i] + ((TABLE[i + 1] - TABLE[i]) * part >> 8)
    return (between + octaves * LN2) >> 4


def clip(value):
    """Within +-LIMIT."""
    return max(-LIMIT, min(LIMIT, value))


class Rhythm:
    """Keeps the log intervals of one stream."""

    def __init__(self):
        self.logs = []
        self.sum = 0

    def numbers(self, before_ms, after_ms):
        """The numbers of a beat with `before_ms` since the last one and `after_ms` to the next."""
        pre, post = ln(before_ms), ln(after_ms)
        logs = self.logs
        past = (logs[-1] if logs else pre, logs[-2] if len(logs) > 1 else pre)
        logs.append(pre)
        if len(logs) > 256:
            logs.pop(0)
        recent, near = sorted(logs[-64:]), sorted(logs[-32:])
        m8, m32, m256 = middle(sorted(logs[-8:])), middle(near), middle(sorted(logs))
        mean, high = sum(logs) // len(logs), recent[len(recent) * 4 // 5]
        usual = middle(sorted(logs[-16:]))
        spread = middle(sorted([abs(v - usual) for v in logs[-16:]]))
        self.usual = m32
        return [clip(v) for v in (
            pre - m32, post - m32, pre - m256, post - m256, pre - m8, pre - past[0], post - pre, pre - ln(USUAL_MS),
            m32 - ln(USUAL_MS), past[0] - m32, past[1] - m32, 4 * spread, pre - mean, pre - high, post - high)]


def middle(ordered):
    """Upper median of a sorted list."""
    return ordered[len(ordered) // 2]
