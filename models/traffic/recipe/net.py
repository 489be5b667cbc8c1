"""The net: each sensor is a token, its lags are weighed by attention, then sensors attend to one another. Plain tf.Module.

A linear forecast from all lags is the ground that the net stands on; the attention over the lag groups weighs its parts
too, so what the maps say is what the forecast rests on. Without sensors of its own (`sensors` = 0) it is the net of a
single detector; a network is that net with a vector for each sensor and attention to the neighbours added, both nothing
to begin with.
"""

import numpy as np
import tensorflow as tf

from plugins.traffic.lags import AHEAD, GROUPS, LAGS

QUARTERS, WEEKDAYS = 96, 7


class Net(tf.Module):
    """Parameters by name; the forward pass below takes them from here."""

    def __init__(self, seed, sensors, width=48, heads=4, blocks=2, forward=96):
        super().__init__()
        self.rng = np.random.default_rng(seed)
        self.names = {}
        self.sensors, self.width, self.heads = sensors, width, heads
        if sensors:
            self.own = self.make("own", (sensors, width), 0)
        self.quarter, self.weekday = self.make("quarter", (QUARTERS, width), .02), self.make("weekday", (WEEKDAYS, width), .02)
        self.ground = self.dense("ground", LAGS, AHEAD, 0)
        self.embed = self.dense("embed", LAGS, width)
        self.weigh = self.dense("weigh", width, heads * len(GROUPS))
        self.values = [self.make("value_" + name, (n, width)) for name, n in GROUPS]
        self.blocks = [self.make_block("block%d" % i, forward) for i in range(blocks)]
        self.last = self.make_norm("last")
        self.head = self.dense("head", width, AHEAD, 0)

    def make(self, name, shape, scale=None):
        """A trainable variable under a name; scale: of a normal draw, by default that of Glorot."""
        scale = np.sqrt(2 / (shape[0] + shape[-1])) if scale is None else scale
        self.names[name] = tf.Variable((self.rng.normal(0, 1, shape) * scale).astype(np.float32), name=name)
        return self.names[name]

    def dense(self, name, n, m, scale=None):
        """Weights and bias of a fully connected layer."""
        return self.make(name, (n, m), scale), self.make(name + "_b", (m,), 0)

    def make_norm(self, name):
        """Gain and offset of a layer norm."""
        gain = self.make(name + "_g", (self.width,), 0)
        gain.assign_add(tf.ones_like(gain))
        return gain, self.make(name + "_o", (self.width,), 0)

    def make_block(self, name, forward):
        """One pre-norm transformer block; without sensors only its second half."""
        parts = {"norm_f": self.make_norm(name + "_norm_f"), "f1": self.dense(name + "_f1", self.width, forward),
                 "f2": self.dense(name + "_f2", forward, self.width)}
        if self.sensors:
            parts["norm_a"] = self.make_norm(name + "_norm_a")
            parts.update({part: self.dense(name + "_" + part, self.width, self.width) for part in "qkv"})
            parts["o"] = self.dense(name + "_o", self.width, self.width, 0)
        return parts

    def size(self):
        """Number of trained parameters, which is all that is stored."""
        return int(sum(np.prod(v.shape) for v in self.names.values()))

    def weights(self):
        """{name: array}."""
        return {name: v.numpy() for name, v in self.names.items()}

    def load(self, weights):
        """Take over {name: array}; what is not among them stays."""
        for name in set(self.names) & set(weights):
            self.names[name].assign(weights[name])


def norm(x, gain):
    """Layer norm over the last axis."""
    centred = x - tf.reduce_mean(x, -1, keepdims=True)
    return centred * tf.math.rsqrt(tf.reduce_mean(tf.square(centred), -1, keepdims=True) + 1e-5) * gain[0] + gain[1]


def project(x, layer):
    """Fully connected layer on the last axis."""
    return tf.matmul(x, layer[0]) + layer[1]


def weighed(net, x, parts, bias, temperature):
    """Attention over the lag groups: (b, n, width) tokens and weights (b, n, heads, groups)."""
    b, n = tf.shape(x)[0], tf.shape(x)[1]
    logits = tf.reshape(project(x, net.weigh), (b, n, net.heads, len(GROUPS)))
    weights = tf.nn.softmax(logits / tf.reshape(temperature, (-1, 1)) + bias)
    shares = tf.unstack(weights, axis=-1)
    y = 0.0
    for part, value, share in zip(parts, net.values, shares):
        v = tf.reshape(tf.matmul(part, value), (b, n, net.heads, -1))
        y += v * share[..., None]
    return tf.reshape(y, (b, n, net.width)), weights


def neighbours(net, block, x, bias, temperature):
    """Attention over the sensors: (b, n, width) and weights (b, heads, n, n). bias: added to the logits of each key."""
    b, n, depth = tf.shape(x)[0], tf.shape(x)[1], net.width // net.heads
    q, k, v = (tf.transpose(tf.reshape(project(x, block[p]), (b, n, net.heads, depth)), (0, 2, 1, 3)) for p in "qkv")
    logits = tf.matmul(q, k, transpose_b=True) * depth ** -.5
    weights = tf.nn.softmax(logits / tf.reshape(temperature, (-1, 1, 1)) + bias)
    y = tf.reshape(tf.transpose(tf.matmul(weights, v), (0, 2, 1, 3)), (b, n, net.width))
    return project(y, block["o"]), weights


def forecast(net, x, quarter, weekday, chosen=None, drop=lambda x: x, bias=0.0, temperature=None, key_bias=0.0):
    """Forecast in counts (b, n, AHEAD), lag weights (b, n, heads, groups), sensor weights [(b, heads, n, n)].

    x: (b, n, LAGS) counts, which are taken in units of their mean: a small road looks like a large one; quarter, weekday: one-hot (b, 96), (b, 7); chosen: indices of the n sensors, None for all;
    temperature: (1 + blocks, heads).
    """
    temperatures = tf.unstack(temperature) if temperature is not None else [tf.ones(net.heads)] * (1 + len(net.blocks))
    unit = tf.reduce_mean(x, -1, keepdims=True) + 1.0
    z = x / unit
    parts = tf.split(z, [size for _, size in GROUPS], axis=-1)
    clock = tf.matmul(quarter, net.quarter) + tf.matmul(weekday, net.weekday)
    x = project(z, net.embed) + clock[:, None]
    if net.sensors:
        x += net.own if chosen is None else tf.gather(net.own, chosen)
    y, lag_weights = weighed(net, x, parts, bias, temperatures[0])
    shares = tf.unstack(len(GROUPS) * tf.reduce_mean(lag_weights, 2), axis=-1)
    ground = project(tf.concat([part * share[..., None] for part, share in zip(parts, shares)], -1), net.ground)
    x, maps = drop(x + y), []
    for block, t in zip(net.blocks, temperatures[1:]):
        if net.sensors:
            y, weights = neighbours(net, block, norm(x, block["norm_a"]), key_bias, t)
            x += drop(y)
            maps.append(weights)
        x += drop(project(tf.nn.relu(project(norm(x, block["norm_f"]), block["f1"])), block["f2"]))
    return (ground + project(norm(x, net.last), net.head)) * unit, lag_weights, maps
