"""Makes the file of the tiny runtime from a package's weights."""

import struct

import numpy as np

from models.tiny import BAND, BLOCKS, DEPTH, HEADS, LAYERS, MAGIC, NORMS

ONE = 256
LARGEST_SHIFT = 14


def dense(weights, bias):
    """A layer with int8 weights: each row has the largest shift that its weights allow."""
    out = [struct.pack("<HH", *weights.shape)]
    peak = np.abs(weights).max(1)
    shifts = np.clip(np.floor(np.log2(127 / np.maximum(peak, 1e-9))), 0, LARGEST_SHIFT).astype(int)
    scale = 2.0 ** shifts
    out.append(np.clip(np.round(weights * scale[:, None]), -128, 127).astype(np.int8).tobytes())
    # half a unit is added so that the shift rounds
    out.append(np.round(bias * scale * ONE + scale / 2).astype("<i4").tobytes())
    return b"".join(out) + shifts.astype(np.uint8).tobytes()


def numbers(values):
    """Units of 1/256, 16 bits."""
    return np.clip(np.round(np.asarray(values) * ONE), -32768, 32767).astype("<i2").tobytes()


def layer(weights, name):
    """(rows x columns, bias) of a layer by name."""
    kernel = weights[name]
    return kernel.reshape(-1, kernel.shape[-1]).T, weights[name + "_b"]


def export(weights, controls):
    """Bytes of the file. weights: {name: array} of weights.npz; controls: {"bias", "temperature"} arrays."""
    out = [MAGIC] + [dense(*layer(weights, name)) for name in LAYERS]
    for name in NORMS:
        out += [numbers(weights[name + "_g"]), numbers(weights[name + "_o"])]
    out.append(numbers(np.asarray(controls["bias"]).reshape(BLOCKS * HEADS * BAND)))
    # a product of two numbers in 1/256, shifted by 4, times this, over 65536: units of 1/256 again
    scale = 1 / (np.asarray(controls["temperature"]).reshape(-1) * DEPTH ** .5)
    out.append(np.round(scale * 4096).astype("<i2").tobytes())
    return b"".join(out)
