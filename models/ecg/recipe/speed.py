"""Graphs that only `heed bench models` needs: what streaming is held against, and what controls and maps cost."""

import numpy as np
import tensorflow as tf

from models.ecg.recipe.export import CONTROLS, defaults, step
from models.ecg.recipe.net import BAND, BLOCKS, DEPTH, HEADS, WIDTH, norm, project, tokens
from plugins.ecg.beats import LENGTH
from plugins.ecg.rr import COUNT

BANDS = (32, 128, 512)


def heads(x, layer):
    """(n, 24) to (heads, n, 6)."""
    return tf.transpose(tf.reshape(project(x, layer), (-1, HEADS, DEPTH)), (1, 0, 2))


def window(net, beat, rr):
    """Logits of the newest of n beats, all computed anew: beat (n, 104, 2), rr (n, 15).

    Pruned: the last block asks for the newest beat only. Without mask and bias, which a real recompute needs as well.
    """
    x = tokens(net, beat, rr)
    for i, block in enumerate(net.blocks):
        h = norm(x, block["norm_a"])
        last = i == BLOCKS - 1
        q, k, v = heads(h[-1:] if last else h, block["q"]), heads(h, block["k"]), heads(h, block["v"])
        weights = tf.nn.softmax(tf.matmul(q, k, transpose_b=True) / DEPTH ** .5)
        y = tf.reshape(tf.transpose(tf.matmul(weights, v), (1, 0, 2)), (-1, WIDTH))
        x = (x[-1:] if last else x) + project(y, block["o"])
        x = x + project(tf.nn.relu(project(norm(x, block["norm_f"]), block["f1"])), block["f2"])
    return {"logits": project(norm(x, net.norm1), (net.head, net.head_b))}


def controlled(net, band):
    """The step with a longer history."""
    def run(beat, rr, k, v, bias, temperature):
        return step(net, beat, rr, k, v, bias, temperature)
    cache = (BLOCKS, HEADS, band, DEPTH)
    return run, {"beat": (1, LENGTH, 2), "rr": (1, COUNT), "k": cache, "v": cache, "bias": cache[:3], "temperature": cache[:2]}


def plain(net):
    """The step with its controls fixed and no maps."""
    fixed = {name: tf.constant(np.clip(value, *CONTROLS[name]), tf.float32) for name, value in defaults(net).items()}

    def run(beat, rr, k, v):
        out = step(net, beat, rr, k, v, fixed["bias"], fixed["temperature"])
        return {name: out[name] for name in ("logits", "k_out", "v_out")}
    cache = (BLOCKS, HEADS, BAND, DEPTH)
    return run, {"beat": (1, LENGTH, 2), "rr": (1, COUNT), "k": cache, "v": cache}


def recomputed(net, band):
    """The window."""
    return lambda beat, rr: window(net, beat, rr), {"beat": (band, LENGTH, 2), "rr": (band, COUNT)}


def converted(net, function, shapes):
    """Bytes of a float .tflite."""
    specs = [tf.TensorSpec(shape, tf.float32, name) for name, shape in shapes.items()]
    graph = tf.function(function, input_signature=specs).get_concrete_function()
    return tf.lite.TFLiteConverter.from_concrete_functions([graph], net).convert()


def write(folder, net):
    """All of them, into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    graphs = {"step_plain": plain(net)}
    for band in BANDS:
        graphs["window_%d" % band] = recomputed(net, band)
        graphs["step_%d" % band] = controlled(net, band)
    for name, (function, shapes) in graphs.items():
        (folder / (name + ".tflite")).write_bytes(converted(net, function, shapes))
