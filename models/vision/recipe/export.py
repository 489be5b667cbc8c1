"""From a trained net to the files of the package: graphs for LiteRT, float and int8."""

import numpy as np
import tensorflow as tf

from models.vision.recipe.data import scaled
from models.vision.recipe.net import HEADS, PLACES, SIDE, attend, forward, pool, trunk

BLOCKS = 2  # attention among the places, then attention pooling
SHAPES = {"picture": (1, SIDE, SIDE, 3), "bias": (BLOCKS, HEADS, PLACES), "temperature": (BLOCKS, HEADS)}
CONTROLS = {"bias": (-4.0, 4.0), "temperature": (0.5, 2.0)}
DEFAULTS = {"bias": np.zeros(SHAPES["bias"], np.float32), "temperature": np.ones(SHAPES["temperature"], np.float32)}


def step(net, picture, bias, temperature):
    """One picture (1, 32, 32, 3), -1 to 1, with the controls: bias (2, 4, 64) on the logits of each place, temperature
    (2, 4). Gives logits (1, 10), the hidden vector that the head judges (1, width), and maps (2, 4, 64): in the first block
    the weight of each place for the places that the second one pools."""
    biases, temperatures = tf.unstack(bias), tf.unstack(temperature)
    x, among = attend(net, trunk(net, picture), biases[0], temperatures[0])
    hidden, pooled = pool(net, x, biases[1], temperatures[1])
    asked = tf.reshape(tf.reduce_mean(pooled, 1), (1, 1, 1, PLACES))
    maps = tf.stack([tf.reshape(tf.matmul(asked, among), (HEADS, PLACES)), tf.reshape(pooled, (HEADS, PLACES))])
    return {"logits": tf.matmul(hidden, net.names["head"]) + net.names["head_b"], "hidden": hidden, "maps": maps}


def plain(net, picture):
    """The rival, which has neither controls nor maps."""
    return {"logits": forward(net, picture)}


def concrete(net):
    """The graph of a folded net as a concrete function with named inputs."""
    run = plain if net.kind == "conv" else step
    specs = [tf.TensorSpec(shape, tf.float32, name) for name, shape in SHAPES.items() if run is step or name == "picture"]
    return tf.function(lambda *values: run(net, *values), input_signature=specs).get_concrete_function()


def representative(net, pictures, count=400):
    """Inputs as they come in use: training pictures, the controls over their whole range in every fourth."""
    rng = np.random.default_rng(7)
    for i, at in enumerate(np.linspace(0, len(pictures) - 1, count).astype(int)):
        inputs = {"picture": scaled(pictures[at])[None]}
        if net.kind != "conv":
            moved = i % 4 == 0
            inputs.update({name: np.float32(rng.uniform(*CONTROLS[name], value.shape) if moved else value)
                           for name, value in DEFAULTS.items()})
        yield inputs


def converted(net, pictures=None, dynamic=False, sparse=False):
    """Bytes of a .tflite: float; dynamic range; or full int8 where pictures are given; with zeros left out where `sparse`."""
    module = tf.Module()
    module.step = concrete(net)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([module.step], module)
    if pictures is not None or dynamic:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if sparse:
        converter.optimizations = [tf.lite.Optimize.EXPERIMENTAL_SPARSITY]
    if pictures is not None:
        converter.representative_dataset = lambda: representative(net, pictures)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    return converter.convert()
