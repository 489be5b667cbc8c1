"""The net in numpy, from weights.npz: what the exported graphs are held against."""

import numpy as np

HEADS = 4


def conv(x, weights, bias, stride=1):
    """x (h, w, n), weights (k, k, n, m): zero-padded as TensorFlow's SAME does."""
    k, (h, w) = weights.shape[0], x.shape[:2]
    rows, cols = -(-h // stride), -(-w // stride)
    down, across = max(0, (rows - 1) * stride + k - h), max(0, (cols - 1) * stride + k - w)
    x = np.pad(x, ((down // 2, down - down // 2), (across // 2, across - across // 2), (0, 0)))
    seen = np.lib.stride_tricks.sliding_window_view(x, (k, k), axis=(0, 1))[::stride, ::stride]
    return np.einsum("rcnij,ijnm->rcm", seen[:rows, :cols], weights, optimize=True) + bias


def softmax(x):
    """Over the last axis."""
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def near(table, side):
    """(heads, places, places) of a head's table of offsets (heads, 2 side - 1, 2 side - 1)."""
    at = np.stack(np.meshgrid(np.arange(side), np.arange(side), indexing="ij"), -1).reshape(-1, 2)
    offset = at[None] - at[:, None] + side - 1
    return table[:, offset[..., 0], offset[..., 1]]


def forward(weights, picture, bias, temperature):
    """picture (32, 32, 3), -1 to 1; bias (2, 4, 64); temperature (2, 4). Gives logits (10,) and maps (2, 4, 64)."""
    relu = lambda x: np.maximum(x, 0)
    unit = lambda x, name, stride=1: conv(x, weights[name], weights[name + "_b"], stride)
    x = relu(unit(relu(unit(picture, "stem")), "down1", 2))
    x = relu(unit(relu(x + unit(x, "same1")), "down2", 2))
    x = relu(x + unit(x, "same2"))
    side, width = x.shape[0], x.shape[2]
    q, k, v = unit(x, "qkv").reshape(side * side, 3, HEADS, width // HEADS).transpose(1, 2, 0, 3)
    logits = q @ k.transpose(0, 2, 1) * (width // HEADS) ** -.5 / temperature[0][:, None, None]
    among = softmax(logits + near(weights["near"], side) + bias[0][:, None])
    x = x + unit(relu((among @ v).transpose(1, 0, 2).reshape(side, side, width)), "out")
    x = x + unit(relu(unit(x, "rise")), "fall")
    places = x.reshape(side * side, width)
    pooled = softmax((places @ weights["pool"]).T / temperature[1][:, None] + bias[1])
    hidden = np.einsum("hp,phd->hd", pooled, places.reshape(-1, HEADS, width // HEADS)).ravel()
    return hidden @ weights["head"] + weights["head_b"], np.stack([pooled.mean(0) @ among, pooled])
