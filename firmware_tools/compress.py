"""heed model compress: a package's float graph made smaller by the converters' own features; size, accuracy, time before and after."""

import hashlib
import json
import zlib
from pathlib import Path

import numpy as np

from firmware_tools.bench.variants import best_window
from firmware_tools.recordings import cifar, decoded
from gateway.core.errors import ConfigError, HeedError, ModelError
from models.meaning import Meaning
from models.package import Package, folder_of
from models.quantise import quantised
from models.runtimes.litert import LiteRt

REPRESENTATIVE = 200  # inputs that settle the ranges of the integers
JUDGED = 2000
PATTERNS = ("*.jpg", "*.jpeg", "*.png", "*.bmp")


def compress(name, own, out, epochs, say):
    """Make `out` a package with the smaller variants of `name`. own: folder of pictures, or .npz of inputs by name, that stand
    for what the model will see; None where the package's domain has its own. epochs: of the student. Gives the report."""
    package, out = Package(folder_of(name)), Path(out)
    if out.exists():
        raise HeedError("%s is there already" % out, "give another --out")
    variant, graph = float_graph(package)
    known, judged, labels = samples(package, graph, own)
    rows, left_out = [row(variant.name, variant.data(), package, judged, labels)], {}
    truth = labels if labels is not None else rows[0].pop("answers")
    rows[0]["accuracy"] = float((rows[0].pop("answers", truth) == truth).mean())
    for made, make in makers(package, variant, known, epochs, say).items():
        try:
            say("%s ..." % made)
            found = row(made, make(), package, judged, labels)
            rows.append(dict(found, accuracy=float((found.pop("answers") == truth).mean())))
        except (ConfigError, ModelError) as error:
            left_out[made] = str(error)
    keep(package, rows, out)
    measure = "accuracy" if labels is not None else "agreement with the original"
    plot = picture(rows, out, package.name, measure)
    return {"package": package.name, "out": str(out), "measure": measure, "judged_on": len(truth), "left_out": left_out, "plot": plot,
            "rows": [{key: value for key, value in found.items() if key != "data"} for found in rows]}


def float_graph(package):
    """(variant, graph) of the package that is all float, or ModelError."""
    for variant in package.variants.values():
        if variant.runtime == "litert":
            graph = LiteRt(variant.data(), str(variant.path))
            kinds = {str(np.dtype(d["dtype"])) for d in graph.interpreter.get_tensor_details() if len(d["shape"]) > 1}
            if kinds == {"float32"}:
                return variant, graph
    raise ModelError("%s has no float graph: integers cannot be made smaller again" % package.name, "import the float .tflite")


def samples(package, graph, own):
    """(inputs to settle ranges on, inputs to judge on, labels or None); inputs are lists of {name: array}."""
    if own and str(own).endswith(".npz"):
        rows = arrays(package, graph, own)
        return rows[:REPRESENTATIVE], rows[:JUDGED], None
    if own:
        side = package.manifest["inputs"][0]["shape"][1]
        found = [path for pattern in PATTERNS for path in sorted(Path(own).rglob(pattern))]
        if not found:
            raise HeedError("no pictures in %s" % own, "a folder of pictures like those that the camera will give")
        pictures, labels = np.stack([decoded(path, side) for path in found[:JUDGED]]), None
        return shown(package, pictures[:REPRESENTATIVE]), shown(package, pictures), labels
    if package.manifest["domain"] != "vision":
        raise ConfigError("nothing is known that stands for the input of %s" % package.name,
                          "give --data: a folder of pictures, or an .npz of inputs")
    taught, (pictures, labels) = cifar("train")[0], cifar("val")
    return shown(package, taught[::len(taught) // REPRESENTATIVE]), shown(package, pictures), labels


def arrays(package, graph, own):
    """Inputs out of an .npz: an array for each input, whose first axis counts the examples."""
    with np.load(own) as found:
        unknown = [name for name in found.files if name not in graph.inputs]
        if unknown or not found.files:
            raise HeedError("%s: the graph has no input %s" % (own, ", ".join(unknown)), "inputs: " + ", ".join(graph.inputs))
        given = {name: np.asarray(found[name], np.float32) for name in found.files}
    count = min(len(array) for array in given.values())
    return [dict(fixed(package), **{name: array[i].reshape(graph.inputs[name][1]) for name, array in given.items()}) for i in range(count)]


def fixed(package):
    """The controls of a package at their defaults."""
    return {name: np.array(control["default"], np.float32) for name, control in package.manifest["controls"].items()}


def shown(package, pictures):
    """Inputs of a picture model, its controls at their defaults."""
    first = package.manifest["inputs"][0]
    return [dict(fixed(package), **{first["name"]: (picture[None].astype(np.float32) - 128) * np.float32(first["scale"])})
            for picture in pictures]


def makers(package, variant, known, epochs, say):
    """{name of a smaller variant: what makes its bytes}."""
    found = {"dynamic": lambda: quantised(variant.path), "int8": lambda: quantised(variant.path, known)}
    if package.manifest["domain"] != "vision":
        return found
    taught = {}  # nets that are trained once and exported twice
    return dict(found, **{kind: lambda kind=kind: retrained(package, kind, epochs, say, taught)
                          for kind in ("pruned", "pruned dynamic", "student", "student int8")})


def retrained(package, kind, epochs, say, taught):
    """Bytes of a net that is trained on: by the recipe of the vision package, with TensorFlow."""
    try:
        from models.vision.recipe import compress as recipe, data, export
        from models.vision.recipe.net import Net
    except ImportError as error:
        raise ConfigError("TensorFlow is not here: %s" % error, "pruning and distillation train: pip install 'heed-gateway[train]'")
    (pictures, labels), _ = data.split(*cifar("train"))
    if not (package.folder / "trained.npz").exists():
        raise ModelError("%s has no trained.npz, the weights before folding" % package.folder, "heed model train vision")
    net = Net(1)
    net.load(np.load(package.folder / "trained.npz"))
    first = kind.split()[0]
    if first not in taught:
        pruned = first == "pruned"
        taught[first] = recipe.pruned(net, pictures, labels, say) if pruned else recipe.student(net, pictures, labels, epochs, say)[0]
    return export.converted(taught[first], pictures if kind.endswith("int8") else None, kind.endswith("dynamic"), kind == "pruned")


def row(name, data, package, judged, labels):
    """One variant: bytes, bytes when packed, ms of one run, and its answers."""
    graph, meaning = LiteRt(data, name), Meaning(package.manifest)
    scores = package.manifest.get("scores", "logits")
    answers = np.array([meaning.shares(graph.run(inputs)[scores]).argmax() for inputs in judged])
    return {"name": name, "bytes": len(data), "packed": len(zlib.compress(data, 9)), "ms": best_window(graph.invoke, 20, 20)[0] / 1000,
            "data": data, "answers": answers}


def keep(package, rows, out):
    """Write the package: the manifest of the original with the new variants."""
    out.mkdir(parents=True)
    variants = []
    for found in rows:
        file = found["name"].replace(" ", "_") + ".tflite"
        (out / file).write_bytes(found["data"])
        variants.append({"name": found["name"], "runtime": "litert", "file": file, "bytes": found["bytes"], "parameters": 0, "mflop": 0,
                         "sha256": hashlib.sha256(found["data"]).hexdigest(), "figures": {"accuracy": round(found["accuracy"], 4)}})
    kept = {key: value for key, value in package.manifest.items() if key not in ("rival", "training", "grad", "head")}
    names = [found["name"] for found in rows] + [name for name in package.fallback if name == "baseline"]
    (out / "manifest.json").write_text(json.dumps(dict(kept, variants=variants, fallback=names), indent=1) + "\n")


def picture(rows, out, name, measure):
    """The plot, where matplotlib is there; gives its path or None."""
    try:
        from firmware_tools import plot_vision
    except ImportError:
        return None
    path = out / "sizes.png"
    plot_vision.sizes(rows, path, "%s, before and after" % name, measure)
    return str(path)
