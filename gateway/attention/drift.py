"""Whether a stream is still what its attention was proven on."""

import numpy as np

KEPT = 128  # moments that stand for what a stream was like
AWAY = 3.0  # times the usual distance to the nearest of them: the stream has changed
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
        kept = np.array(hidden, np.float32)[np.linspace(0, len(hidden) - 1, min(KEPT, len(hidden))).astype(int)]
        apart = ((kept[:, None] - kept[None]) ** 2).sum(2)
        np.fill_diagonal(apart, np.inf)
        return cls({"hidden": np.round(kept.astype(float), 3).tolist(), "usual": float(np.median(np.sqrt(apart.min(1))))})

    def away(self, latest):
        """How far the latest vectors (n, width) are from it: the median, in usual distances."""
        apart = ((np.asarray(latest)[:, None] - self.hidden[None]) ** 2).sum(2)
        return float(np.median(np.sqrt(apart.min(1))) / max(self.facts["usual"], 1e-6))
