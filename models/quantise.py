"""Integer variants of any float .tflite: the only file that imports ai-edge-quantizer (extra `compress`), which needs no TensorFlow."""

import contextlib
import io
import logging

from gateway.core.errors import ConfigError, ModelError

from models.runtimes.litert import LiteRt

try:
    from ai_edge_quantizer import quantizer, recipe
except ImportError:  # the extra is not installed: said when it is asked for
    quantizer = recipe = None

# What stays float, tried in order: what goes in and out; and, where an output is read by a layer as well, which the quantiser
# cannot express for a fully connected one, those layers.
FLOAT = (("INPUT", "OUTPUT"), ("INPUT", "OUTPUT", "FULLY_CONNECTED"))


def quantised(path, inputs=None):
    """Bytes of a .tflite: weights in int8 (dynamic range), or all in int8 over `inputs`, a list of {input name: array}."""
    if quantizer is None:
        raise ConfigError("ai-edge-quantizer is not here", "pip install 'heed-gateway[compress]'")
    logging.getLogger("absl").setLevel(logging.ERROR)
    fault = None
    for kept in FLOAT if inputs else ((),):
        try:
            data = converted(str(path), inputs, kept)
            LiteRt(data, str(path))
            return data
        except (ValueError, RuntimeError, KeyError, ModelError) as error:
            fault = error
    raise ModelError("%s cannot be quantised: %s" % (path, str(fault).split("\n")[0][:160]), "give the float graph of the package")


def converted(path, inputs, kept):
    """One try. kept: operations that stay float."""
    tool = quantizer.Quantizer(path)
    tool.load_quantization_recipe(recipe.static_wi8_ai8() if inputs else recipe.dynamic_wi8_afp32())
    for operation in kept:
        tool.update_quantization_recipe(regex=".*", operation_name=operation, algorithm_key="no_quantize")
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        found = tool.calibrate({"serving_default": inputs}) if inputs else None
        return bytes(tool.quantize(found).quantized_model)
