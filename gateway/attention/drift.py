"""Whether a stream is still what its attention was proven on."""

import numpy as np

from gateway.attention.near import apart, spread, usual

AWAY = 3.0  # times the usual distance to the nearest of what a stream was like: it has changed
BACK = .5  # how far back to where learning began a state then goes: what it learnt may still help, and may not


def halfway(base, parameters):
    """Parameters between where learning began and what was learnt, for a stream that has changed."""
    return {name: value + (base[name] - value) * np.float32(BACK) for name, value in parameters.items()}


class Ground:
    """What a stream was like when a state was proven. facts: {"hidden": rows, "usual": distance}, JSON-safe."""

    def __init__(self, facts):
        self.facts = facts
        self.hidden = np.array(facts["hidden"], np.float32)

    @classmethod
    def of(cls, hidden):
        """The ground of hidden vectors (n, width), n >= 2, in order of time."""
        kept = spread(np.array(hidden, np.float32))
        return cls({"hidden": np.round(kept.astype(float), 3).tolist(), "usual": usual(kept)})

    def away(self, latest):
        """How far the latest vectors (n, width) are from it: the median, in usual distances."""
        return float(np.median(apart(np.asarray(latest), self.hidden).min(1)) / max(self.facts["usual"], 1e-6))
