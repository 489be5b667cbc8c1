"""LiteRT: the only file that imports it. One code path for ai-edge-litert and its forerunner tflite-runtime."""

import struct

import numpy as np

from gateway.core.errors import ModelError

try:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType, load_delegate  # noqa: F401  for edgetpu.py
    RUNTIME = "ai-edge-litert"
except ImportError:  # the extra `legacy`
    from tflite_runtime.interpreter import Interpreter, OpResolverType, load_delegate  # noqa: F401  for edgetpu.py
    RUNTIME = "tflite-runtime"

MAX_BYTES = 256 * 1024 * 1024


def check_flatbuffer(data, name):
    """Refuse what cannot be a whole .tflite: the C++ side trusts the offsets that it reads."""
    if len(data) < 64 or len(data) > MAX_BYTES or data[4:8] != b"TFL3":
        raise ModelError("%s is no TFLite file (%d bytes, identifier %r)" % (name, len(data), data[4:8]),
                         "fetch the file again, or export it anew")
    root = struct.unpack_from("<I", data)[0]
    if not 8 <= root < len(data) - 4 or not 0 < root - struct.unpack_from("<i", data, root)[0] < len(data):
        raise ModelError("%s is damaged: its root table lies outside of the file" % name, "fetch the file again")


def first_sentence(error):
    """The runtime repeats itself for each tensor: once is enough."""
    return str(error).strip().split("\n")[0].split(".Tensor")[0][:160]


class LiteRt:
    """One graph on one thread. inputs, outputs: {name: (index, shape, dtype)}, by signature name where there is one.

    Not for two threads at once. Raises ModelError when the file cannot be loaded.
    """

    def __init__(self, data, name, delegates=(), plain=False):
        """plain: without the delegate that LiteRT puts in by itself, to see the operations as they are."""
        check_flatbuffer(data, name)
        self.name = name
        kernels = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES if plain else OpResolverType.AUTO
        try:
            self.interpreter = Interpreter(model_content=data, num_threads=1, experimental_delegates=list(delegates),
                                           experimental_op_resolver_type=kernels)
            self.interpreter.allocate_tensors()
        except (ValueError, RuntimeError, SystemError) as error:
            raise ModelError("%s cannot be loaded: %s" % (name, first_sentence(error)), self._hint(str(error)))
        signatures = self.interpreter.get_signature_list()
        names = next(iter(signatures.values())) if signatures else None
        self.inputs = self._named(self.interpreter.get_input_details(), names and names["inputs"])
        self.outputs = self._outputs(names)
        # Views of the tensors, and the invoke below the one that refuses to run while there are views: shapes are
        # fixed, nothing moves after allocate_tensors(), and a copy into a view costs half of set_tensor().
        self.views = {name: self.interpreter.tensor(tensor[0])() for name, tensor in self.inputs.items()}
        self.answers = [(name, self.interpreter.tensor(tensor[0])()) for name, tensor in self.outputs.items()]
        self.invoke = self.interpreter._interpreter.Invoke

    @staticmethod
    def _hint(text):
        if "edgetpu-custom-op" in text:
            return "this file is compiled for an Edge TPU and none is attached: use its CPU twin"
        if "custom op" in text:
            return "this runtime lacks that operation: export the model with builtin operations only"
        return "it may need a newer ai-edge-litert, or be damaged"

    @staticmethod
    def _named(details, names):
        """{name: (index, shape, dtype)}; signature names appear inside the tensor names."""
        found = {}
        for detail in details:
            tail = detail["name"].split(":")[0].replace("serving_default_", "")
            found[tail] = detail["index"], tuple(map(int, detail["shape"])), np.dtype(detail["dtype"])
        if names and set(names) != set(found):
            found = dict(zip(sorted(names), found.values())) if len(names) == 1 else found
        return found

    def _outputs(self, names):
        """Outputs by signature name. Their order is not that of the signature: the runner knows, once."""
        if not names:
            return self._named(self.interpreter.get_output_details(), None)
        # A living runner blocks invoke(): it is asked and dropped here.
        runner = self.interpreter.get_signature_runner()
        details = runner.get_output_details()
        return {name: (d["index"], tuple(map(int, d["shape"])), np.dtype(d["dtype"])) for name, d in details.items()}

    def run(self, values):
        """values: {input name: array of the right shape}. Gives {output name: array}. Inputs that are left out keep
        what they held."""
        try:
            for name, value in values.items():
                view = self.views[name]
                if value.shape != view.shape:
                    raise ModelError("%s: input %s has shape %s, not %s" % (self.name, name, value.shape, view.shape),
                                     "see the manifest of the package")
                view[...] = value
            self.invoke()
        except KeyError as error:
            raise ModelError("%s has no input %s" % (self.name, error), "inputs: " + ", ".join(self.inputs))
        except (ValueError, RuntimeError) as error:
            raise ModelError("%s failed: %s" % (self.name, first_sentence(error)), "see the shapes in the package's manifest")
        return {name: view.copy() for name, view in self.answers}
