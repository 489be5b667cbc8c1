"""From a trained net to the graphs of the package: counts in, counts out, attention controls as inputs, maps as outputs."""

import numpy as np
import tensorflow as tf

from models.traffic.recipe.net import QUARTERS, WEEKDAYS, forecast
from plugins.traffic.lags import GROUPS, LAGS

ABSENT = -30.0  # added to the logits of a neighbour that is not there
CONTROLS = {"bias": (-8.0, 8.0), "temperature": (.25, 4.0)}


def shapes(net):
    """{input: shape}; a net of one sensor takes one."""
    n = net.sensors or 1
    out = {"lags": (1, n, LAGS), "quarter": (1, QUARTERS), "weekday": (1, WEEKDAYS), "present": (1, n),
           "bias": (n, net.heads, len(GROUPS)), "temperature": (1 + len(net.blocks) if net.sensors else 1, net.heads)}
    if not net.sensors:
        del out["present"]
    return out


def step(net, **inputs):
    """One slot: forecast (1, n, AHEAD) in counts, lag_weights (n, heads, groups), and for a network neighbour_weights
    (n, n), mean over blocks and heads. present: 1 for a sensor that reads, 0 for one that its neighbours must not attend to."""
    temperature, key_bias = inputs["temperature"], 0.0
    if net.sensors:
        key_bias = tf.reshape((1.0 - inputs["present"]) * ABSENT, (1, 1, 1, -1))
    else:
        temperature = tf.concat([temperature] + [tf.ones_like(temperature)] * len(net.blocks), 0)
    out, lag_weights, maps = forecast(net, inputs["lags"], inputs["quarter"], inputs["weekday"], None, lambda x: x,
                                      inputs["bias"][None], temperature, key_bias)
    answer = {"forecast": tf.maximum(out, 0.0), "lag_weights": lag_weights[0]}
    if maps:
        answer["neighbour_weights"] = tf.reduce_mean(tf.concat(maps, 1), 1)[0]
    return answer


def converted(net, dynamic=False):
    """Bytes of a .tflite: float, or with weights of 8 bits."""
    specs = [tf.TensorSpec(shape, tf.float32, name) for name, shape in shapes(net).items()]
    module = tf.Module()
    module.step = tf.function(lambda *values: step(net, **dict(zip(shapes(net), values))), input_signature=specs).get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([module.step], net)
    if dynamic:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return converter.convert()


def controls(net):
    """Defaults of the controls: nothing moved."""
    return {"bias": np.zeros(shapes(net)["bias"], np.float32), "temperature": np.ones(shapes(net)["temperature"], np.float32)}
