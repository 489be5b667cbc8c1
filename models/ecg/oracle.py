"""The net written out in numpy: the judge of every export, and independent of any runtime."""

import numpy as np

HEADS, BAND = 4, 32


def norm(x, gain, offset):
    """Layer norm over the last axis."""
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred ** 2).mean(-1, keepdims=True) + 1e-5) * gain + offset


def convolve(x, kernel, bias, stride):
    """Valid one-dimensional convolution, then ReLU. x (n, length, channels), kernel (width, 1, channels, out)."""
    width = kernel.shape[0]
    steps = range(0, x.shape[1] - width + 1, stride)
    windows = np.stack([x[:, at:at + width].reshape(len(x), -1) for at in steps], 1)
    return np.maximum(windows @ kernel.reshape(-1, kernel.shape[-1]) + bias, 0)


class Oracle:
    """weights: {name: array} of weights.npz; controls: {"bias": (2, 4, 32), "temperature": (2, 4)}, newest beat last."""

    def __init__(self, weights, controls):
        self.w = {name: np.asarray(weights[name], np.float64) for name in weights}
        self.controls = controls

    def linear(self, x, name):
        """Fully connected layer."""
        return x @ self.w[name] + self.w[name + "_b"]

    def normed(self, x, name):
        """Layer norm by name."""
        return norm(x, self.w[name + "_g"], self.w[name + "_o"])

    def tokens(self, beat, rr):
        """(n, 104, 2) and (n, 15) to (n, 24)."""
        x = convolve(beat, self.w["conv1"], self.w["conv1_b"], 4)
        x = convolve(x, self.w["conv2"], self.w["conv2_b"], 2)
        r = np.maximum(self.linear(rr, "rr1"), 0)
        return self.normed(self.linear(x.reshape(len(x), -1), "embed") + self.linear(r, "rr2"), "norm0")

    def attend(self, h, block):
        """Causal attention of all beats at once: (mixed values (n, 24), weights (n, heads, 32))."""
        n, depth = len(h), h.shape[1] // HEADS
        q, k, v = (self.linear(h, "block%d_%s" % (block, p)).reshape(n, HEADS, depth) for p in "qkv")
        k, v = (np.concatenate([np.zeros((BAND - 1, HEADS, depth)), y]) for y in (k, v))
        out, maps = np.zeros((n, HEADS, depth)), np.zeros((n, HEADS, BAND))
        for i in range(n):
            logits = np.einsum("hd,shd->hs", q[i], k[i:i + BAND]) / depth ** .5
            logits = logits / self.controls["temperature"][block][:, None] + self.controls["bias"][block]
            e = np.exp(logits - logits.max(-1, keepdims=True))
            maps[i] = e / e.sum(-1, keepdims=True)
            out[i] = np.einsum("hs,shd->hd", maps[i], v[i:i + BAND])
        return out.reshape(n, -1), maps

    def run(self, beat, rr):
        """Logits (n, 4) and maps (n, 2, 4, 32) of n beats in a row from an empty history."""
        x, maps = self.tokens(beat, rr), []
        for block in range(2):
            name = "block%d" % block
            y, weights = self.attend(self.normed(x, name + "_norm_a"), block)
            x = x + self.linear(y, name + "_o")
            x = x + self.linear(np.maximum(self.linear(self.normed(x, name + "_norm_f"), name + "_f1"), 0), name + "_f2")
            maps.append(weights)
        return self.linear(self.normed(x, "norm1"), "head"), np.stack(maps, 1)
