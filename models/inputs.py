"""Features into a graph: scaled straight into its own tensors, refused where they are not what the package takes."""

import numpy as np

from gateway.core.errors import ModelError


class Inputs:
    """facts: "inputs" of a package's manifest, in the order of Features.values."""

    def __init__(self, facts):
        self.inputs = [(i["name"], np.float32(i["scale"]), tuple(i["shape"]), integers(i)) for i in facts]

    def shapes(self):
        """{name: shape}."""
        return {name: shape for name, _, shape, _ in self.inputs}

    def put(self, graph, features):
        """Write features into graph.views. Raises ModelError for what the package does not take."""
        for (name, scale, _, whole), array in zip(self.inputs, features.values):
            into = graph.views[name].reshape(-1)
            if len(array) != len(into):
                raise ModelError("input %s of stream %s has %d numbers, %s takes %d" % (
                    name, features.stream, len(array), graph.name, len(into)), "see the plugin that makes these features")
            if floating(array) and not np.isfinite(array).all():
                raise ModelError("the input of stream %s is not finite" % features.stream, "see the plugin that makes these features")
            try:
                if whole:
                    array, scale = np.clip(np.rint(np.multiply(array, scale)) + whole[0], *whole[1:]), 1
                np.multiply(array, scale, out=into, casting="unsafe")
            except TypeError:
                raise ModelError("input %s of stream %s is no row of numbers" % (name, features.stream), "see the plugin that makes these features")


def floating(array):
    """Whether an array or a list holds floats, which can be NaN; sensors give integers."""
    return array.dtype.kind == "f" if hasattr(array, "dtype") else isinstance(array[0], float)


def integers(facts):
    """(zero, least, most) of an input that takes real values as integers, or None."""
    if "zero" not in facts:
        return None
    kind = np.iinfo(facts["dtype"])
    return facts["zero"], kind.min, kind.max
