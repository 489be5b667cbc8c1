"""Muon for matrices and filters (Jordan and others, 2024): momentum made orthogonal. Adam for the rest."""

import tensorflow as tf

from models.ecg.recipe.train import AdamW

MOMENTUM, DECAY, AVERAGE, ADAM_RATE = .95, .02, .995, .1


def orthogonal(matrix):
    """The nearest matrix whose singular values are about 1, by five steps of a quintic Newton-Schulz iteration."""
    tall = matrix.shape[0] > matrix.shape[1]
    x = tf.transpose(matrix) if tall else matrix
    x = x / (tf.norm(x) + 1e-7)
    for _ in range(5):
        square = tf.matmul(x, x, transpose_b=True)
        x = 3.4445 * x + tf.matmul(-4.7750 * square + 2.0315 * tf.matmul(square, square), x)
    return tf.transpose(x) if tall else x


class Optimiser(AdamW):
    """Steps over a list of variables, with a running mean of them."""

    def apply(self, gradients, rate):
        """One step. rate: of Muon; Adam takes a tenth of it."""
        self.t.assign_add(1.0)
        for x, g, m, v, mean in zip(self.variables_, gradients, self.m, self.v, self.mean):
            if len(x.shape) == 4:
                self.turn(x, g, m, rate)
            else:
                self.adam(x, g, m, v, rate * ADAM_RATE)
            mean.assign(AVERAGE * mean + (1 - AVERAGE) * x)

    def turn(self, x, g, m, rate):
        """Muon with Nesterov's momentum; filters are taken as matrices of (all that comes in, out)."""
        m.assign(MOMENTUM * m + (1 - MOMENTUM) * g)
        matrix = tf.reshape(MOMENTUM * m + (1 - MOMENTUM) * g, (-1, x.shape[-1]))
        step = orthogonal(matrix) * max(1.0, matrix.shape[1] / matrix.shape[0]) ** .5
        x.assign(x * (1 - rate * DECAY) - rate * tf.reshape(step, x.shape))

    def adam(self, x, g, m, v, rate):
        """Adam."""
        m.assign(.9 * m + .1 * g)
        v.assign(.99 * v + .01 * tf.square(g))
        x.assign_sub(rate * m / (1 - .9 ** self.t) / (tf.sqrt(v / (1 - .99 ** self.t)) + 1e-8))
