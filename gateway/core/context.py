"""What a part may ask for."""


class Context:
    """All that a part may ask for. This one answers on a microcontroller; the gateway and the tests
    have richer ones with the same names. gateway: name of the gateway upstream."""

    gateway = "heed"

    def __init__(self, name, clock):
        self.name = name
        self.clock = clock
        self.counters = {}

    def log(self, level, message):
        """level: "debug", "info", "warning" or "error"."""
        print(level, self.name, message)

    def count(self, counter, n=1):
        """Add `n` to a counter that the status shows."""
        self.counters[counter] = self.counters.get(counter, 0) + n

    def path(self, name):
        """Path of a file of this part's own that it may write."""
        return name

    def find(self, name):
        """Path of read-only data called `name`, or None."""
        return None
