"""Attention over experts: whom to listen to, sensor by sensor and horizon by horizon, by how right each was of late.

The weights are a softmax of minus the decayed sum of verified errors (exponentially weighted average forecaster: Cesa-Bianchi and
Lugosi, 2006). A forecast is verified when its slot is over, never before.
"""

import numpy as np

from gateway.attention.phase import unit
from gateway.attention.rows import Rows

EXPERTS = ("as shipped", "moved", "corrected", "moved and corrected", "last week")
SHIPPED, MOVED, CORRECTED, BOTH, LAST, MEAN, GIVEN = range(len(EXPERTS) + 2)
DECAY = .99  # what is left of an error a slot later
LEAST = .002  # share of an expert that nobody would listen to: so that it comes back
PROOF = .998  # the same for the guard: two days
DEBT = 1.0  # most that speaks against listening: a change must be followed within hours
SHOWN = .9995  # the same for the errors that are shown: a week
FAR = 8.0  # an error counts up to so many units


class Experts(Rows):
    """pending: forecasts (sensors, ring of slots, horizons, experts, their mean, and what was given out); losses: decayed errors, in units;
    proof: how much better the mean was than what is shipped, in units; errors: decayed sums of absolute errors
    (shipped, given out) and how many."""

    def __init__(self, ahead):
        self.ahead, self.horizons = ahead, np.arange(1, ahead + 1)
        self.made = np.full(ahead, -1, np.int64)
        super().__init__(("pending", "since"), pending=np.zeros((ahead, ahead, len(EXPERTS) + 2), np.float32),
                         losses=np.zeros((ahead, len(EXPERTS))), proof=np.array(0.0), errors=np.zeros(3),
                         since=np.array(-1, np.int64), level=np.array(0.0))

    def due(self, slot, good):
        """(ring indices by horizon, (sensors, horizons) bool): which forecasts of this slot can be verified."""
        at = (slot - self.horizons) % self.ahead
        return at, good[:, None] & (self.made[at] == slot - self.horizons)[None] & (slot - self.horizons >= self.since[:, None])

    def verify(self, slot, value, good):
        """Judge all forecasts of this slot by its truth."""
        at, due = self.due(slot, good)
        off = np.abs(self.pending[:, at, self.horizons - 1] - value[:, None, None])
        units, n = np.minimum(off / unit(self.level)[:, None, None], FAR), due.sum(1)
        self.losses = np.where(due[..., None], DECAY * self.losses + units[..., :len(EXPERTS)], self.losses)
        better = ((units[..., SHIPPED] - units[..., MEAN]) * due).sum(1) / np.maximum(n, 1)
        self.proof = np.where(n > 0, np.maximum(PROOF * self.proof + better, -DEBT), self.proof)
        sums = np.stack([(off[..., SHIPPED] * due).sum(1), (off[..., GIVEN] * due).sum(1), n], 1)
        self.errors = np.where(n[:, None] > 0, SHOWN * self.errors + sums, self.errors)

    def trusted(self):
        """(sensors,) bool: whose mean was verifiably better than what is shipped."""
        return self.proof > 0

    def weights(self):
        """(sensors, horizons, experts), sum 1."""
        share = np.exp(self.losses.min(-1, keepdims=True) - self.losses)
        share = share / share.sum(-1, keepdims=True) + LEAST
        return share / share.sum(-1, keepdims=True)

    def mix(self, slot, forecasts, there):
        """(forecasts to give out (sensors, horizons), weights). forecasts: (sensors, horizons, experts); there: (sensors,) bool."""
        weights = self.weights()
        mean = (weights * forecasts).sum(-1)
        given = np.where(self.trusted()[:, None], mean, forecasts[..., SHIPPED])
        self.pending[:, slot % self.ahead] = np.concatenate([forecasts, mean[..., None], given[..., None]], -1)
        self.made[slot % self.ahead] = slot
        self.since = np.where(there, np.where(self.since < 0, slot, self.since), -1)
        return given, weights

    def tell(self):
        """{"static", "online": verified MAE in counts, "judged"} of each sensor, as arrays."""
        n = np.maximum(self.errors[:, 2], 1e-9)
        return {"static": self.errors[:, 0] / n, "online": self.errors[:, 1] / n, "judged": self.errors[:, 2]}
