"""The gradient graph: what moving the attention controls and the head would do to the loss, for eight labelled beats.

Stateless: parameters in, gradients out. Builtin operations only: tf.maximum in place of ReLU and tf.unstack in place
of slices, since the gradients of those have no builtin form.
"""

import numpy as np
import tensorflow as tf

from models.ecg.recipe.export import CACHE
from models.ecg.recipe.net import BAND, CLASSES, DEPTH, HEADS, WIDTH, norm, project, tokens
from plugins.ecg.beats import LENGTH
from plugins.ecg.rr import COUNT

BATCH = 8
SHAPES = {"beat": (BATCH, LENGTH, 2), "rr": (BATCH, COUNT), "k": (BATCH, *CACHE), "v": (BATCH, *CACHE), "bias": CACHE[:3],
          "temperature": CACHE[:2], "head": (WIDTH, CLASSES), "head_b": (CLASSES,), "target": (BATCH, CLASSES)}
PARAMETERS = ("bias", "temperature", "head", "head_b")


def relu(x):
    """ReLU whose gradient converts."""
    return tf.maximum(x, 0.0)


def forward(net, beat, rr, k, v, bias, temperature, head, head_b):
    """Logits (8, 4) of eight beats, each with the caches from before it (8, 2, 4, 32, 6)."""
    x = tokens(net, beat, rr, relu)
    ks, vs = tf.unstack(k, axis=1), tf.unstack(v, axis=1)
    for i, (block, b, t) in enumerate(zip(net.blocks, tf.unstack(bias), tf.unstack(temperature))):
        h = norm(x, block["norm_a"])
        q, key, value = (tf.reshape(project(h, block[p]), (BATCH, HEADS, 1, DEPTH)) for p in "qkv")
        key, value = tf.concat([ks[i][:, :, 1:], key], 2), tf.concat([vs[i][:, :, 1:], value], 2)
        logits = tf.reshape(tf.matmul(q, key, transpose_b=True), (BATCH, HEADS, BAND)) / DEPTH ** .5
        weights = tf.nn.softmax(logits / tf.reshape(t, (1, HEADS, 1)) + tf.reshape(b, (1, HEADS, BAND)))
        y = tf.reshape(tf.matmul(tf.reshape(weights, (BATCH, HEADS, 1, BAND)), value), (BATCH, WIDTH))
        x = x + project(y, block["o"])
        x = x + project(relu(project(norm(x, block["norm_f"]), block["f1"])), block["f2"])
    return tf.matmul(norm(x, net.norm1), head) + head_b


def gradients(net, **inputs):
    """Loss, the cross-entropy to `target` summed over the batch (a row of zeros counts nothing), and its gradients."""
    with tf.GradientTape() as tape:
        moved = [inputs[name] for name in PARAMETERS]
        tape.watch(moved)
        logits = forward(net, **{name: inputs[name] for name in SHAPES if name != "target"})
        shifted = logits - tf.reduce_logsumexp(logits, axis=1, keepdims=True)
        loss = -tf.reduce_sum(inputs["target"] * shifted)
    found = tape.gradient(loss, moved)
    return {"loss": tf.reshape(loss, (1,)), **{"d_" + name: g for name, g in zip(PARAMETERS, found)}}


def converted(net):
    """Bytes of the .tflite."""
    specs = [tf.TensorSpec(shape, tf.float32, name) for name, shape in SHAPES.items()]
    function = tf.function(lambda *values: gradients(net, **dict(zip(SHAPES, values))), input_signature=specs)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()], net)
    return converter.convert()


def facts(file, data, sha256):
    """What the manifest says of it."""
    return {"file": file, "sha256": sha256, "bytes": len(data), "batch": BATCH, "parameters": list(PARAMETERS),
            "inputs": {name: list(map(int, np.array(shape))) for name, shape in SHAPES.items()}}
