"""The net: a convolutional stem, attention over the 64 places of its 8 x 8 map, attention pooling. Plain tf.Module.

Every layer is a convolution followed by batch norm, attention's own included, as in LeViT (Graham and others, ICCV
2021): once trained the norm is folded into the weights, and neither the integer graph nor an accelerator meets one.
"""

import numpy as np
import tensorflow as tf

from models.named import Named

SIDE, CLASSES, HEADS = 32, 10, 4
PLACES = (SIDE // 4) ** 2
EPSILON = 1e-3
KINDS = ("attention", "conv", "small")  # the net; its rival of equal cost; the net with half the channels, a student


def layers(kind):
    """{name: (kernel, in, out, stride, whether it ends a residual branch)}."""
    stem, middle, width, forward = (n // 2 if kind == "small" else n for n in (24, 48, 96, 192))
    trunk = {"stem": (3, 3, stem, 1, False), "down1": (3, stem, middle, 2, False), "same1": (3, middle, middle, 1, True),
             "down2": (3, middle, width, 2, False), "same2": (3, width, width, 1, True)}
    if kind == "conv":  # 5.3 M multiply-adds where attention takes 5.5 M
        return dict(trunk, same3=(3, width, width, 1, True))
    return dict(trunk, qkv=(1, width, 3 * width, 1, False), out=(1, width, width, 1, True), rise=(1, width, forward, 1, False),
                fall=(1, forward, width, 1, True))


class Net(Named, tf.Module):
    """Parameters by name. kind: see KINDS."""

    def __init__(self, seed, kind="attention"):
        super().__init__()
        self.kind, self.layers = kind, layers(kind)
        rng, self.names = np.random.default_rng(seed), {}
        for name, (kernel, n, m, _, ends) in self.layers.items():
            self.keep(name, rng.normal(0, np.sqrt(2 / (kernel * kernel * n)), (kernel, kernel, n, m)))
            self.keep(name + "_g", np.full(m, 0.0 if ends else 1.0))
            self.keep(name + "_o", np.zeros(m))
        width = self.layers["same2"][2]
        if kind != "conv":
            self.keep("near", np.zeros((HEADS, 2 * SIDE // 4 - 1, 2 * SIDE // 4 - 1)))
            self.keep("pool", np.zeros((width, HEADS)))
        self.keep("head", rng.normal(0, .05, (width, CLASSES)))
        self.keep("head_b", np.zeros(CLASSES))

    def keep(self, name, value):
        """A trainable variable under a name."""
        self.names[name] = tf.Variable(value.astype(np.float32), name=name)

    def unit(self, x, name, seen=None):
        """Convolution and batch norm by the batch's own mean and spread; `seen` collects these."""
        x = tf.nn.conv2d(x, self.names[name], self.layers[name][3], "SAME")
        x, mean, variance = tf.compat.v1.nn.fused_batch_norm(x, self.names[name + "_g"], self.names[name + "_o"], epsilon=EPSILON)
        if seen is not None:
            seen[name] = mean, variance
        return x


class Folded:
    """A trained net with its norms folded into weights and biases: {name: array}, what is exported and what the oracle takes."""

    def __init__(self, kind, weights):
        self.kind = kind
        self.names = {name: tf.constant(value) for name, value in weights.items()}

    def unit(self, x, name, seen=None):
        """Convolution with its bias."""
        return tf.nn.conv2d(x, self.names[name], 2 if name.startswith("down") else 1, "SAME") + self.names[name + "_b"]


def fold(net, images):
    """Weights with the norms folded in, by the mean and spread over `images` (n, 32, 32, 3)."""
    seen = {}
    forward(net, images, seen=seen)
    weights = {name: value for name, value in net.weights().items() if not name.endswith(("_g", "_o"))}
    for name, (mean, variance) in seen.items():
        gain = net.names[name + "_g"].numpy() / np.sqrt(variance.numpy() + EPSILON)
        weights[name] = weights[name] * gain
        weights[name + "_b"] = net.names[name + "_o"].numpy() - mean.numpy() * gain
    return {name: value.astype(np.float32) for name, value in weights.items()}


def near_index(side):
    """(places, places) index into a head's table of offsets, for a map of side x side."""
    at = np.stack(np.meshgrid(np.arange(side), np.arange(side), indexing="ij"), -1).reshape(-1, 2)
    offset = at[None] - at[:, None] + SIDE // 4 - 1
    return offset[..., 0] * (2 * SIDE // 4 - 1) + offset[..., 1]


def trunk(net, images, seen=None):
    """images (n, side, side, 3), -1 to 1 -> map (n, side / 4, side / 4, width)."""
    x = tf.nn.relu(net.unit(images, "stem", seen))
    x = tf.nn.relu(net.unit(x, "down1", seen))
    x = tf.nn.relu(x + net.unit(x, "same1", seen))
    x = tf.nn.relu(net.unit(x, "down2", seen))
    return tf.nn.relu(x + net.unit(x, "same2", seen))


def attend(net, x, bias=None, temperature=None, seen=None):
    """One block: x (n, s, s, width) -> the same, and the weights (n, 4, places, places). bias (4, places), temperature (4,)."""
    side, places, depth = x.shape[1], x.shape[1] ** 2, x.shape[3] // HEADS
    mixed = tf.reshape(net.unit(x, "qkv", seen), (-1, places, 3 * HEADS, depth))
    q, k, v = tf.split(tf.transpose(mixed, (0, 2, 1, 3)), 3, 1)
    near = tf.gather(tf.reshape(net.names["near"], (HEADS, -1)), near_index(side), axis=1)
    logits = tf.matmul(q, k, transpose_b=True) * depth ** -.5
    if temperature is not None:
        logits = logits / tf.reshape(temperature, (1, HEADS, 1, 1))
    logits = logits + near
    if bias is not None:
        logits = logits + tf.reshape(bias, (1, HEADS, 1, places))
    weights = tf.nn.softmax(logits)
    y = tf.reshape(tf.transpose(tf.matmul(weights, v), (0, 2, 1, 3)), (-1, side, side, x.shape[3]))
    x = x + net.unit(tf.nn.relu(y), "out", seen)
    return x + net.unit(tf.nn.relu(net.unit(x, "rise", seen)), "fall", seen), weights


def pool(net, x, bias=None, temperature=None):
    """Attention pooling: (n, s, s, width) -> (n, width) and the weights (n, 4, places). A head weighs its own quarter of the channels."""
    places, width = x.shape[1] ** 2, x.shape[3]
    logits = tf.transpose(tf.matmul(tf.reshape(x, (-1, places, width)), net.names["pool"]), (0, 2, 1))
    if temperature is not None:
        logits = logits / tf.reshape(temperature, (1, HEADS, 1))
    if bias is not None:
        logits = logits + tf.reshape(bias, (1, HEADS, places))
    weights = tf.nn.softmax(logits)
    values = tf.transpose(tf.reshape(x, (-1, places, HEADS, width // HEADS)), (0, 2, 1, 3))
    return tf.reshape(tf.matmul(weights[:, :, None], values), (-1, width)), weights


def forward(net, images, seen=None):
    """Logits (n, 10) of images (n, side, side, 3)."""
    x = trunk(net, images, seen)
    if net.kind != "conv":
        hidden = pool(net, attend(net, x, seen=seen)[0])[0]
    else:
        hidden = tf.reduce_mean(tf.nn.relu(x + net.unit(x, "same3", seen)), (1, 2))
    return tf.matmul(hidden, net.names["head"]) + net.names["head_b"]
