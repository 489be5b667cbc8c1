"""Rules instead of a model: what is always there, and what the model must beat."""
# runs on CPython and MicroPython

from gateway.core.plugin import Model
from gateway.core.records import Inference

CLASSES = ("N", "S", "V", "F")
EARLY = -31  # an interval 11 % shorter than usual, in 1/256 nat
WIDE = 62  # percent of the beat's area that the usual beat does not explain
UNLIKE = 90


class Rules(Model):
    """Early and unlike the usual beat: V. Early: S. Very unlike: V. Else N."""

    def infer(self, features):
        """Inference with scores of 0.85 for the rule that fired: rules know no degrees."""
        unlike, early = features.facts["unlike"], features.values[1][0] < EARLY
        label = 2 if unlike >= (WIDE if early else UNLIKE) else 1 if early else 0
        scores = [0.05, 0.05, 0.05, 0.05]
        scores[label] = 0.85
        return Inference(features.stream, features.seq, features.t_ms, CLASSES[label], scores, None, "baseline")
