"""Integer signal kernels as loops. kernels_fast is the numpy twin; both give the same integers."""
# runs on CPython and MicroPython


def convert(values):
    """Samples in this kernel's own form."""
    return list(values)


def join(a, b):
    """One run of samples after the other."""
    return a + b


def boxcar(x, n):
    """Sums over n neighbours: out[i] = x[i] + ... + x[i + n - 1], len(x) - n + 1 of them."""
    total = sum(x[:n])
    out = [total]
    for i in range(len(x) - n):
        total += x[i + n] - x[i]
        out.append(total)
    return out


def difference(x, shift, factor, by, y, by_y):
    """factor * x[i + shift] // by - factor * y[i] // by_y for all i of y."""
    return [factor * x[i + shift] // by - factor * y[i] // by_y for i in range(len(y))]


def slope(x, k):
    """|x[i + k] - x[i]|."""
    return [abs(x[i + k] - x[i]) for i in range(len(x) - k)]


def peaks(x, first, last):
    """Indices i in first..last-1 with x[i - 1] < x[i] >= x[i + 1]."""
    return [i for i in range(first, last) if x[i - 1] < x[i] and x[i] >= x[i + 1]]


def largest(x):
    """Index of the first largest magnitude."""
    best = 0
    for i in range(len(x)):
        if abs(x[i]) > abs(x[best]):
            best = i
    return best


def interpolate(x, indices, fractions):
    """x at indices + fractions / 256, linear."""
    return [(x[i] * (256 - f) + x[i + 1] * f) >> 8 for i, f in zip(indices, fractions)]


def centre(x):
    """x less its median (the upper one)."""
    middle = sorted(x)[len(x) // 2]
    return [v - middle for v in x]


def extent(x):
    """Largest less smallest value."""
    return max(x) - min(x)


def follow(template, x, share, limit):
    """template + (x - template, at most +-limit) // share: a running mean that outliers cannot pull far."""
    return [t + max(-limit, min(limit, v - t)) // share for t, v in zip(template, x)]


def scaled(x, unit, by, limit):
    """x * unit // by, at most +-limit."""
    return [max(-limit, min(limit, v * unit // by)) for v in x]


def subtract(x, y):
    """x - y."""
    return [a - b for a, b in zip(x, y)]


def weight(x):
    """Sum of magnitudes."""
    return sum([abs(v) for v in x])


def pack(x, y):
    """Two channels as one flat run of numbers, interleaved."""
    out = []
    for a, b in zip(x, y):
        out.append(a)
        out.append(b)
    return out
