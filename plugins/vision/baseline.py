"""The rule beside any model: a picture that is not of one colour holds something."""

import numpy as np

from gateway.core.plugin import Model
from gateway.core.records import Inference

SPREAD = 24  # grey levels between the darker and the lighter half that call for an object


class Rules(Model):
    """The first watched class where the picture has contrast, else the first other one: contrast has no name."""

    def infer(self, features):
        """Inference with a share of 0.85 for the class that the rule names."""
        classes, watched = self.options["classes"], self.options["watch"]
        others = [name for name in classes if name not in watched] or classes
        grey = np.reshape(features.values[0], (-1, 1 if self.options["grey"] else 3)).mean(-1)
        high = grey > grey.mean()
        busy = bool(high.any() and not high.all() and grey[high].mean() - grey[~high].mean() > SPREAD)
        label = watched[0] if busy and watched else others[0]
        rest = .15 / max(1, len(classes) - 1)
        scores = [.85 if name == label else rest for name in classes]
        return Inference(features.stream, features.seq, features.t_ms, label, scores if len(classes) > 1 else [1.0], None, "baseline")


def attended(maps):
    """[[row, column, weight per mille]] of the three places that blocks and heads together weigh most; places in a square grid."""
    weights = np.asarray(maps).reshape(-1, np.shape(maps)[-1]).mean(0)
    side = round(len(weights) ** .5)
    return [[int(at) // side, int(at) % side, int(1000 * weights[at])] for at in np.argsort(-weights)[:3]]
