"""From a trained net to the files of the package: streaming step graphs for LiteRT, float and int8."""

import numpy as np
import tensorflow as tf

from models.ecg.recipe.net import BAND, BLOCKS, DEPTH, HEADS, WIDTH, norm, project, tokens
from models.ecg.recipe.sample import tokens_of
from plugins.ecg.beats import LENGTH
from plugins.ecg.rr import COUNT

CACHE = (BLOCKS, HEADS, BAND, DEPTH)
CONTROLS = {"bias": (-16.0, 8.0), "temperature": (0.25, 4.0)}


def step(net, beat, rr, k, v, bias, temperature):
    """One beat. beat (1, 104, 2), rr (1, 15), k, v (2, 4, 32, 6) with the newest beat last, bias (2, 4, 32) in the
    same order, temperature (2, 4). Gives logits (1, 4), the hidden vector that the head judges (1, 24), maps (2, 4, 32),
    and the caches with this beat in."""
    x = tokens(net, beat, rr)
    keys, values, maps = [], [], []
    ks, vs, biases, temperatures = (tf.unstack(t) for t in (k, v, bias, temperature))
    for i, block in enumerate(net.blocks):
        h = norm(x, block["norm_a"])
        q, key, value = (tf.reshape(project(h, block[p]), (HEADS, 1, DEPTH)) for p in "qkv")
        key, value = tf.concat([ks[i][:, 1:], key], 1), tf.concat([vs[i][:, 1:], value], 1)
        logits = tf.reshape(tf.matmul(q, key, transpose_b=True), (HEADS, -1))
        scale = tf.reshape(temperatures[i], (HEADS, 1)) * DEPTH ** .5
        weights = tf.nn.softmax(logits / scale + biases[i])
        y = tf.reshape(tf.matmul(tf.reshape(weights, (HEADS, 1, -1)), value), (1, WIDTH))
        x = x + project(y, block["o"])
        x = x + project(tf.nn.relu(project(norm(x, block["norm_f"]), block["f1"])), block["f2"])
        keys.append(key)
        values.append(value)
        maps.append(weights)
    hidden = norm(x, net.norm1)
    return {"logits": project(hidden, (net.head, net.head_b)), "hidden": hidden, "maps": tf.stack(maps),
            "k_out": tf.stack(keys), "v_out": tf.stack(values)}


def defaults(net):
    """Control defaults, newest beat last."""
    bias = net.bias.numpy()[:, :, ::-1]
    return {"bias": np.clip(bias, *CONTROLS["bias"]), "temperature": np.exp(net.log_temperature.numpy())}


def concrete(net):
    """The step as a concrete function with named inputs."""
    shapes = {"beat": (1, LENGTH, 2), "rr": (1, COUNT), "k": CACHE, "v": CACHE, "bias": CACHE[:3], "temperature": CACHE[:2]}
    specs = [tf.TensorSpec(shape, tf.float32, name) for name, shape in shapes.items()]
    return tf.function(lambda beat, rr, k, v, bias, temperature: step(net, beat, rr, k, v, bias, temperature),
                       input_signature=specs).get_concrete_function()


def representative(net, records, controls, count=600):
    """Inputs as they come in use: stretches of training records with their caches, controls over their whole range."""
    rng, graph = np.random.default_rng(7), concrete(net)
    for _ in range(count // 60):
        record = records[rng.integers(len(records))]
        at = int(rng.integers(max(1, len(record) - 60)))
        beat, rr = tokens_of(record.windows[at:at + 60, 12:-12], record.before[at:at + 61])
        k = v = np.zeros(CACHE, np.float32)
        for i in range(len(rr)):
            moved = {name: np.clip(value + (rng.uniform(-2, 2, value.shape) if i % 4 == 0 else 0), *CONTROLS[name])
                     for name, value in controls.items()}
            inputs = [beat[None, i], rr[None, i], k, v, moved["bias"], moved["temperature"]]
            yield dict(zip(("beat", "rr", "k", "v", "bias", "temperature"), [np.float32(x) for x in inputs]))
            out = graph(*[tf.constant(x, tf.float32) for x in inputs])
            k, v = out["k_out"].numpy(), out["v_out"].numpy()


def converted(net, records=None, controls=None, dynamic=False):
    """Bytes of a .tflite: float; dynamic range; or full int8 where records are given."""
    module = tf.Module()
    module.step = concrete(net)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([module.step], net)
    if records or dynamic:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if records:
        converter.representative_dataset = lambda: representative(net, records, controls)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    return converter.convert()
