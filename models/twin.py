"""What learns beside what runs: a package's float graphs on interpreters of their own, for another thread.

The parameters that it finds are those of every variant: int8 and Edge TPU deployments take gradients from here.
"""

import functools

import numpy as np

from gateway.core.errors import ModelError
from models.runtimes.litert import LiteRt

FLOAT = "float"


class Twin:
    """package: models.package.Package. parameters: what is shipped; ranges: of the controls; size: of a
    batch of gradients, 0 where the package has none; shown: what a person who labels is shown, {"names": of the classes,
    "trace": the input that is a line over time, or None}. Raises ModelError for a package whose head cannot be moved.

    A moment is {"values": arrays as the plugin made them, "state": caches from before them, "hidden": what the head judged}.
    """

    def __init__(self, package):
        manifest = package.manifest
        self.package = "%s %s" % (package.name, manifest["version"])
        self.classes = package.classes
        self.inputs = [(i["name"], np.float32(i["scale"]), tuple(i["shape"])) for i in manifest["inputs"]]
        self.state = [s["name"] for s in manifest["state"]]
        self.controls = list(manifest["controls"])
        self.ranges = {name: (c["min"], c["max"]) for name, c in manifest["controls"].items()}
        self.parameters = {name: np.array(c["default"], np.float32) for name, c in manifest["controls"].items()}
        self.parameters.update(head_of(package))
        self.files, self.size = package, manifest.get("grad", {}).get("batch", 0)
        trace = next((dict({key: i[key] for key in ("scale", "unit", "rate_hz", "meaning")}, index=index, channels=i["shape"][-1])
                      for index, i in enumerate(manifest["inputs"]) if "rate_hz" in i), None)
        self.shown = {"trace": trace, "names": manifest.get("class_names", {})}

    @functools.cached_property
    def step(self):
        """The float graph; loaded when it is first asked for, since a head is learnt without."""
        return LiteRt(self.files.variants[FLOAT].data(), FLOAT)

    @functools.cached_property
    def graph(self):
        """The gradient graph. Raises ModelError where the package has none."""
        return LiteRt(self.files.gradient().data(), "grad")

    def inputs_of(self, moment):
        """Inputs of a graph, without the batch's dimension for caches."""
        values = {name: np.multiply(array, scale, dtype=np.float32).reshape(shape)
                  for (name, scale, shape), array in zip(self.inputs, moment["values"])}
        return dict(values, **{name: moment["state"][name].astype(np.float32) for name in self.state})

    def hidden(self, moment, parameters):
        """What the head would judge under these controls: a vector."""
        values = dict(self.inputs_of(moment), **{name: parameters[name] for name in self.controls})
        return self.step.run(values)["hidden"][0]

    def gradients(self, moments, targets, parameters):
        """(loss, {name: gradient}) summed over at most `size` moments. targets: (n, classes), a weighted share for each class."""
        rows = [self.inputs_of(moment) for moment in moments]
        rows += rows[:1] * (self.size - len(rows))
        target = np.zeros((self.size, len(self.classes)), np.float32)
        target[:len(moments)] = targets
        batch = {name: np.stack([row[name] for row in rows]).reshape(self.graph.views[name].shape) for name in rows[0]}
        out = self.graph.run(dict(batch, target=target, **parameters))
        return float(out["loss"][0]), {name: out["d_" + name] for name in parameters}


def head_of(package):
    """{"head", "head_b"} of a package: the manifest's, where it has replaced that of the weights."""
    head = package.manifest.get("head")
    if head:
        return {"head": np.array(head["weights"], np.float32), "head_b": np.array(head["bias"], np.float32)}
    path = package.folder / "weights.npz"
    if not path.exists():
        raise ModelError("%s ships no weights.npz" % package.folder, "its attention cannot be adapted")
    weights = np.load(path)
    return {"head": weights["head"].astype(np.float32), "head_b": weights["head_b"].astype(np.float32)}
