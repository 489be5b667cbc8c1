"""The ECG net in integers: what a microcontroller runs, and the same bytes on the gateway.

File: magic, then entries in the order of LAYERS and VECTORS; see pack() for the form. Made by models.tiny_export.
"""
# runs on CPython and MicroPython

import struct
from array import array

from gateway.core.errors import ModelError
from gateway.core.plugin import Model
from gateway.core.records import Inference
from models.runtimes.tiny import Dense, add, norm, relu, softmax

MAGIC = b"HEEDTNY1"
CLASSES = ("N", "S", "V", "F")
BLOCKS, HEADS, DEPTH, BAND, WIDTH = 2, 4, 6, 32, 24
LAYERS = ("conv1", "conv2", "embed", "rr1", "rr2") + tuple(
    ["block%d_%s" % (i, part) for i in range(BLOCKS) for part in ("q", "k", "v", "o", "f1", "f2")]) + ("head",)
NORMS = ("norm0",) + tuple(["block%d_norm_%s" % (i, part) for i in range(BLOCKS) for part in "af"]) + ("norm1",)


class Reader:
    """Reads the parts of the file one after the other."""

    def __init__(self, data):
        if bytes(data[:8]) != MAGIC:
            raise ModelError("this is no file of the tiny runtime", "make it with models.tiny_export")
        self.data = data
        self.at = 8

    def take(self, n):
        """The next n bytes."""
        if self.at + n > len(self.data):
            raise ModelError("the file of the tiny runtime is cut short", "install the package again")
        self.at += n
        return self.data[self.at - n:self.at]

    def dense(self):
        """A layer: rows, columns (2 bytes each), int8 weights, int32 biases, a byte of shift for each row."""
        rows, columns = struct.unpack("<HH", self.take(4))
        return Dense(self.take(rows * columns), array("i", self.take(4 * rows)), self.take(rows), columns)

    def numbers(self, n):
        """n numbers of 16 bits."""
        return array("h", self.take(2 * n))


class Net:
    """Layers by name, controls by block. One step takes a beat in; state is a pair of arrays and a place in them."""

    def __init__(self, data):
        reader = Reader(data)
        self.layers = {name: reader.dense() for name in LAYERS}
        self.norms = {name: (reader.numbers(WIDTH), reader.numbers(WIDTH)) for name in NORMS}
        self.bias = reader.numbers(BLOCKS * HEADS * BAND)
        self.scale = reader.numbers(BLOCKS * HEADS)

    def token(self, beat, rr):
        """beat: 208 numbers in 1/64, rr: 15 in 1/256."""
        x, layers = array("h", [4 * v for v in beat]), self.layers
        first, second = array("h"), array("h")
        for at in range(0, len(x) - 23, 8):
            first.extend(relu(layers["conv1"](x, at)))
        for at in range(0, len(first) - 79, 32):
            second.extend(relu(layers["conv2"](first, at)))
        rhythm = layers["rr2"](relu(layers["rr1"](array("h", list(rr)))))
        return norm(add(layers["embed"](second), rhythm), *self.norms["norm0"])

    def attend(self, block, h, state):
        """(mixed values, weights by head, oldest first); the beat's key and value go into the state."""
        keys, values, place = state[2 * block], state[2 * block + 1], state[-1][0]
        q, k, v = [self.layers["block%d_%s" % (block, part)](h) for part in "qkv"]
        keys[place * WIDTH:(place + 1) * WIDTH] = k
        values[place * WIDTH:(place + 1) * WIDTH] = v
        out, maps = array("h", bytes(2 * WIDTH)), []
        for head in range(HEADS):
            scale, bias = self.scale[block * HEADS + head], (block * HEADS + head) * BAND
            logits = []
            for i in range(BAND):
                at = (place + 1 + i) % BAND * WIDTH + head * DEPTH
                dot = 0
                for d in range(DEPTH):
                    dot += q[head * DEPTH + d] * keys[at + d]
                logits.append((dot >> 4) * scale // (1 << 16) + self.bias[bias + i])
            weights = softmax(logits)
            maps.append(weights)
            for d in range(DEPTH):
                total = 0
                for i in range(BAND):
                    total += weights[i] * values[(place + 1 + i) % BAND * WIDTH + head * DEPTH + d]
                out[head * DEPTH + d] = total >> 15
        return out, maps

    def step(self, beat, rr, state):
        """(logits in 1/256, maps in 1/32768) of one beat; `state` moves on. A fresh one is made by new_state()."""
        x, maps = self.token(beat, rr), []
        for block in range(BLOCKS):
            name = "block%d_" % block
            mixed, weights = self.attend(block, norm(x, *self.norms[name + "norm_a"]), state)
            x = add(x, self.layers[name + "o"](mixed))
            hidden = relu(self.layers[name + "f1"](norm(x, *self.norms[name + "norm_f"])))
            x = add(x, self.layers[name + "f2"](hidden))
            maps.append(weights)
        state[-1][0] = (state[-1][0] + 1) % BAND
        return list(self.layers["head"](norm(x, *self.norms["norm1"]))), maps


def new_state():
    """No beats yet: zero keys and values, and the place of the next one."""
    return [array("h", bytes(2 * BAND * WIDTH)) for _ in range(2 * BLOCKS)] + [[0]]


class TinyModel(Model):
    """options: {"data": bytes of the file}. Keeps a state for each stream; at most `streams` of them."""

    streams = 64

    def load(self):
        """Read the file. Raises ModelError."""
        self.net = Net(self.options["data"])
        self.states = {}

    def infer(self, features):
        """Inference for one beat."""
        if features.stream not in self.states and len(self.states) >= self.streams:
            self.states.clear()  # they learn anew; a node has one stream
            self.context.count("streams_forgotten")
        state = self.states.setdefault(features.stream, new_state())
        beat, rr = [[int(v) for v in values] for values in features.values]
        logits, maps = self.net.step(beat, rr, state)
        shares = softmax(logits)
        return Inference(features.stream, features.seq, features.t_ms, CLASSES[shares.index(max(shares))],
                         [share / 32768 for share in shares], [[[w / 32768 for w in row] for row in block] for block in maps], "tiny")

    def forget(self, stream):
        """Drop a stream's state."""
        self.states.pop(stream, None)
