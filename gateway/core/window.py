"""A fixed run of the latest samples over one array, allocated once."""

from array import array


class Window:
    """Ring of `n` numbers. typecode as in array ("h" int16, "i" int32)."""

    def __init__(self, n, typecode="h"):
        self.ring = array(typecode, [0] * n)
        self.size = n
        self.total = 0

    @property
    def filled(self):
        """How many of the n places hold samples."""
        return min(self.total, self.size)

    def push(self, values):
        """Append samples; the oldest fall out."""
        ring, size, at = self.ring, self.size, self.total % self.size
        for value in values:
            ring[at] = value
            at += 1
            if at == size:
                at = 0
        self.total += len(values)

    def latest(self, n):
        """Copy of the latest `n` samples in time order; n <= filled, else IndexError."""
        return self.span(self.total - n, self.total)

    def span(self, start, stop):
        """Copy of samples number `start` to `stop` - 1, counted since the beginning.

        Raises IndexError where part of the span has fallen out or has not come yet.
        """
        if start < self.total - self.filled or stop > self.total or start > stop:
            raise IndexError("samples %d to %d are not in the window" % (start, stop))
        a, b = start % self.size, start % self.size + (stop - start)
        if b <= self.size:
            return self.ring[a:b]
        return self.ring[a:] + self.ring[:b - self.size]
