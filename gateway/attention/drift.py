"""Whether a stream is still what its attention was proven on, and what judges it where it is not."""

import numpy as np

from gateway.attention.near import apart, spread, usual
from gateway.attention.optimise import judged

AWAY = 5.0  # times the usual distance to the nearest of what a stream was like: it has changed


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

    def judge(self, base, learnt, latest):
        """(parameters, whether the stream has changed) for what follows the latest vectors (n, width). Where it has, nobody knows
        whether what was learnt still helps: of it and where learning began, that which more often gives the stream's usual class."""
        if self.away(latest) <= AWAY:
            return learnt, False
        common = np.bincount(judged(self.hidden, base).argmax(1)).argmax()
        calm = [int((judged(np.asarray(latest), parameters).argmax(1) == common).sum()) for parameters in (base, learnt)]
        return (base if calm[0] >= calm[1] else learnt), True

    def away(self, latest):
        """How far the latest vectors (n, width) are from it: the median, in usual distances."""
        return float(np.median(apart(np.asarray(latest), self.hidden).min(1)) / max(self.facts["usual"], 1e-6))
