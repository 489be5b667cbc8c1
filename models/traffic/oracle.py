"""The nets written out in numpy: the judge of every export, and independent of any runtime."""

import numpy as np

GROUPS, AHEAD = (("recent", 12), ("day", 24), ("week", 24)), 12
ABSENT = -30.0  # added to the logits of a neighbour that is not there


def norm(x, gain, offset):
    """Layer norm over the last axis."""
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred ** 2).mean(-1, keepdims=True) + 1e-5) * gain + offset


def softmax(x):
    """Shares over the last axis."""
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


class Oracle:
    """weights: {name: array} of weights.npz."""

    def __init__(self, weights):
        self.w = {name: np.asarray(weights[name], np.float64) for name in weights}
        self.sensors = "own" in self.w
        self.blocks = len([name for name in self.w if name.endswith("_f1")])
        self.heads = self.w["weigh"].shape[1] // len(GROUPS)

    def linear(self, x, name):
        """Fully connected layer."""
        return x @ self.w[name] + self.w[name + "_b"]

    def normed(self, x, name):
        """Layer norm by name."""
        return norm(x, self.w[name + "_g"], self.w[name + "_o"])

    def neighbours(self, x, name, temperature, present):
        """Attention over the sensors, and its weights (heads, n, n)."""
        n, depth = len(x), x.shape[1] // self.heads
        q, k, v = (self.linear(x, name + "_" + p).reshape(n, self.heads, depth) for p in "qkv")
        logits = np.einsum("nhd,mhd->hnm", q, k) / depth ** .5 / temperature[:, None, None]
        weights = softmax(logits + ((1 - present) * ABSENT)[None, None])
        return self.linear(np.einsum("hnm,mhd->nhd", weights, v).reshape(n, -1), name + "_o"), weights

    def run(self, lags, quarter, weekday, present=None, bias=0, temperature=None):
        """lags (n, LAGS) counts; quarter, weekday: numbers. Forecast (n, AHEAD), lag weights (n, heads, groups), sensor
        weights (n, n) or None."""
        temperature = np.ones((1 + self.blocks, self.heads)) if temperature is None else temperature
        unit = np.mean(lags, -1, keepdims=True) + 1
        z = lags / unit
        cuts = np.cumsum([size for _, size in GROUPS])[:-1]
        x = self.linear(z, "embed") + self.w["quarter"][quarter] + self.w["weekday"][weekday] + self.w.get("own", 0)
        logits = self.linear(x, "weigh").reshape(len(z), self.heads, -1)
        shares, parts = softmax(logits / temperature[0][:, None] + bias), np.split(z, cuts, 1)
        for g, (name, _) in enumerate(GROUPS):
            value = parts[g] @ self.w["value_" + name]
            x = x + (value.reshape(len(z), self.heads, -1) * shares[:, :, g, None]).reshape(len(z), -1)
        weighed = np.concatenate([part * len(GROUPS) * shares[:, :, g].mean(1)[:, None] for g, part in enumerate(parts)], 1)
        maps = []
        for i in range(self.blocks):
            name = "block%d" % i
            if self.sensors:
                y, weights = self.neighbours(self.normed(x, name + "_norm_a"), name, temperature[1 + i],
                                             np.ones(len(z)) if present is None else present)
                x, maps = x + y, maps + [weights]
            x = x + self.linear(np.maximum(self.linear(self.normed(x, name + "_norm_f"), name + "_f1"), 0), name + "_f2")
        out = (self.linear(weighed, "ground") + self.linear(self.normed(x, "last"), "head")) * unit
        return np.maximum(out, 0), shares, np.concatenate(maps).mean(0) if maps else None
