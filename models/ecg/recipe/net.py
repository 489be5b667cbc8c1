"""The net: a beat is a token, attention looks back over the last 32 beats. Plain tf.Module.

A beat that is not there has a zero key and a zero value, in training as in use: no mask is needed, the
weight that falls on absent beats says how little history there is, and the integer model keeps its range.
"""

import numpy as np
import tensorflow as tf

from models.named import Named
from plugins.ecg.beats import LENGTH
from plugins.ecg.rr import COUNT

BLOCKS, HEADS, WIDTH, BAND, FORWARD = 2, 4, 24, 32, 48
DEPTH = WIDTH // HEADS
CLASSES = 4


class Net(Named, tf.Module):
    """Parameters in the order of `weights`; forward passes below take them from here."""

    def __init__(self, seed):
        super().__init__()
        self.rng = np.random.default_rng(seed)
        self.names = {}
        self.conv1 = self.make("conv1", (12, 1, 2, 16))
        self.conv2 = self.make("conv2", (5, 1, 16, 16))
        self.conv1_b, self.conv2_b = self.make("conv1_b", (16,)), self.make("conv2_b", (16,))
        self.embed, self.embed_b = self.dense("embed", 160, WIDTH)
        self.rr1, self.rr1_b = self.dense("rr1", COUNT, WIDTH)
        self.rr2, self.rr2_b = self.dense("rr2", WIDTH, WIDTH)
        self.norm0 = self.make_norm("norm0")
        self.blocks = [self.make_block("block%d" % i) for i in range(BLOCKS)]
        self.norm1 = self.make_norm("norm1")
        self.head, self.head_b = self.dense("head", WIDTH, CLASSES)
        slopes = np.array([0, .05, .15, .4])[None, :, None] * -np.arange(BAND)[None, None, :]
        self.bias = self.keep("bias", np.tile(slopes, (BLOCKS, 1, 1)))
        self.log_temperature = self.keep("log_temperature", np.zeros((BLOCKS, HEADS)))

    def keep(self, name, value):
        """A trainable variable under a name."""
        self.names[name] = tf.Variable(value.astype(np.float32), name=name)
        return self.names[name]

    def make(self, name, shape):
        """He-scaled weights, or zeros for a bias."""
        fan = int(np.prod(shape[:-1]))
        return self.keep(name, self.rng.normal(0, np.sqrt(1.6 / fan), shape) if len(shape) > 1 else np.zeros(shape))

    def dense(self, name, n, m):
        """Weights and bias of a fully connected layer."""
        return self.make(name, (n, m)), self.make(name + "_b", (m,))

    def make_norm(self, name):
        """Gain and offset of a layer norm."""
        return self.keep(name + "_g", np.ones(WIDTH)), self.keep(name + "_o", np.zeros(WIDTH))

    def make_block(self, name):
        """One pre-norm transformer block."""
        parts = {"norm_a": self.make_norm(name + "_norm_a"), "norm_f": self.make_norm(name + "_norm_f")}
        for part, n, m in (("q", WIDTH, WIDTH), ("k", WIDTH, WIDTH), ("v", WIDTH, WIDTH), ("o", WIDTH, WIDTH),
                           ("f1", WIDTH, FORWARD), ("f2", FORWARD, WIDTH)):
            parts[part] = self.dense(name + "_" + part, n, m)
        return parts

def norm(x, gain):
    """Layer norm over the last axis."""
    centred = x - tf.reduce_mean(x, -1, keepdims=True)
    return centred * tf.math.rsqrt(tf.reduce_mean(tf.square(centred), -1, keepdims=True) + 1e-5) * gain[0] + gain[1]


def tokens(net, beat, rr, relu=tf.nn.relu):
    """beat (n, 104, 2), rr (n, 15) -> (n, 24)."""
    x = tf.reshape(beat, (-1, LENGTH, 1, 2))
    x = relu(tf.nn.conv2d(x, net.conv1, (1, 4, 1, 1), "VALID") + net.conv1_b)
    x = relu(tf.nn.conv2d(x, net.conv2, (1, 2, 1, 1), "VALID") + net.conv2_b)
    x = tf.matmul(tf.reshape(x, (-1, 160)), net.embed) + net.embed_b
    r = relu(tf.matmul(rr, net.rr1) + net.rr1_b)
    return norm(x + tf.matmul(r, net.rr2) + net.rr2_b, net.norm0)


def project(x, layer):
    """Fully connected layer on the last axis."""
    return tf.matmul(x, layer[0]) + layer[1]


def sequence(net, beat, rr, drop=0.0):
    """Logits (b, t, 4) of chunks: beat (b, t, 104, 2), rr (b, t, 15). Causal, banded."""
    b, t = tf.shape(rr)[0], rr.shape[1]
    x = tf.reshape(tokens(net, tf.reshape(beat, (-1, LENGTH, 2)), tf.reshape(rr, (-1, COUNT))), (b, t, WIDTH))
    ages = np.arange(t)[:, None] + BAND - 1 - np.arange(t + BAND - 1)[None, :]
    inside = (ages >= 0) & (ages < BAND)
    for i, block in enumerate(net.blocks):
        h = norm(x, block["norm_a"])
        q, k, v = (tf.transpose(tf.reshape(project(h, block[p]), (b, t, HEADS, DEPTH)), (0, 2, 1, 3)) for p in "qkv")
        k, v = (tf.pad(y, ((0, 0), (0, 0), (BAND - 1, 0), (0, 0))) for y in (k, v))
        bias = tf.gather(net.bias[i], np.clip(ages, 0, BAND - 1), axis=1)
        logits = tf.matmul(q, k, transpose_b=True) * tf.exp(-net.log_temperature[i])[None, :, None, None] / DEPTH ** .5
        weights = tf.nn.softmax(tf.where(inside, logits + bias, -1e9))
        y = tf.reshape(tf.transpose(tf.matmul(weights, v), (0, 2, 1, 3)), (b, t, WIDTH))
        x = x + tf.nn.dropout(project(y, block["o"]), drop)
        f = tf.nn.relu(project(norm(x, block["norm_f"]), block["f1"]))
        x = x + tf.nn.dropout(project(f, block["f2"]), drop)
    return project(norm(x, net.norm1), (net.head, net.head_b))
