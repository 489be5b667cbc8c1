"""Makes a package of any TFLite file: what the file says of itself is its manifest."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

from gateway.core.compat import sha256_hex
from gateway.core.errors import ModelError
from models.runtimes.litert import LiteRt

# A damaged file can crash the runtime, and a crash cannot be caught: the first look is taken in a process of its own.
LOOK = "import sys; from models.importer import told; print(told(sys.argv[1]))"
LOOK_S = 120


# what lies between the operation that makes shares and the output
CARRIERS = ("RESHAPE", "QUANTIZE", "DEQUANTIZE", "SQUEEZE")


def told(file):
    """What a file says of itself, as JSON: after one run, or why there was none."""
    try:
        graph = LiteRt(Path(file).read_bytes(), str(file))
        graph.run({name: np.zeros(shape, dtype) for name, (_, shape, dtype) in graph.inputs.items()})
    except ModelError as error:
        return json.dumps({"message": error.message, "hint": error.hint})
    facts = {kind: [{"name": n, "shape": list(map(int, s)), "dtype": str(d)} for n, (_, s, d) in tensors.items()]
             for kind, tensors in (("inputs", graph.inputs), ("outputs", graph.outputs))}
    plain = LiteRt(Path(file).read_bytes(), str(file), plain=True)
    steps = {out: step for step in plain.interpreter._get_ops_details() for out in step["outputs"]}
    quantised = {d["index"]: d["quantization"] for d in plain.interpreter.get_output_details()}
    for fact, (index, _, _) in zip(facts["outputs"], plain.outputs.values()):
        fact["scale"], fact["zero"] = quantised[index] if quantised[index][0] else (1.0, 0)
        fact["made_by"] = maker(steps, index)
    taken = {d["index"]: d["quantization"] for d in plain.interpreter.get_input_details()}
    for fact, (index, _, _) in zip(facts["inputs"], plain.inputs.values()):
        fact["quantised"] = taken[index] if taken[index][0] else None
    return json.dumps(facts)


def maker(steps, index):
    """Name of the operation that made a tensor, looked for behind those that only carry it."""
    step = steps.get(index)
    while step and step["op_name"] in CARRIERS and len(step["inputs"]):
        step = steps.get(step["inputs"][0])
    return step["op_name"] if step else ""


def look(file):
    """{"inputs", "outputs"} of a file that was loaded and run once, elsewhere. Raises ModelError with one clear line."""
    try:
        done = subprocess.run([sys.executable, "-c", LOOK, str(file)], capture_output=True, text=True, timeout=LOOK_S)
    except subprocess.TimeoutExpired:
        raise ModelError("%s did not finish one run in %d s" % (file, LOOK_S), "it is too large for a gateway")
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        raise ModelError("%s crashes the runtime (exit code %d)" % (file, done.returncode), "the file is damaged or hostile: do not use it")
    facts = json.loads(lines[-1])
    if "message" in facts:
        raise ModelError(facts["message"], facts["hint"])
    return facts


def meaning_of(output, labels, groups, detector):
    """(classes, the manifest's `meaning`) of an output, by the file's own account and the user's."""
    width = output["shape"][-1] if output["shape"] else 1
    labels = labels or ["%d" % i for i in range(width)]
    if len(labels) != width:
        raise ModelError("%d labels for %d classes in output %s" % (len(labels), width, output["name"]),
                         "one label a line, in the order of the model")
    shares = output["made_by"] in ("SOFTMAX", "LOGISTIC")
    facts = {"kind": "shares" if shares else "logits", "scale": output["scale"], "zero": output["zero"], "width": width}
    if detector:
        return labels + ["nothing"], dict(facts, kind="candidates", logistic=shares)
    if not groups:
        return labels, facts
    unknown = [name for names in groups.values() for name in names if name not in labels]
    if unknown:
        raise ModelError("no label is called %s" % ", ".join(unknown), "the labels are those of the file given as --labels")
    return [*groups, "other"], dict(facts, groups={group: [labels.index(name) for name in names] for group, names in groups.items()})


def taken(fact, scale, real):
    """One input, for the manifest."""
    quantised = fact.pop("quantised")
    more = {"scale": 1 / quantised[0], "zero": quantised[1]} if real and quantised else {"scale": scale}
    return dict(fact, **more, unit="as the model wants it", meaning="")


def import_tflite(file, name, into, labels=None, groups=None, scores=None, detector=False, scale=1.0, real=False):
    """Make the folder into/name a package of `file`; gives the folder. Raises ModelError for a file that does not run.

    labels: class names in order; groups: {class: [labels]} that the package's classes become; scores: the output that
    holds them; detector: whether it has a row for each candidate; scale: what integers are multiplied by for a float graph;
    real: whether an integer graph is given real values, which its own scale then turns into integers.
    """
    file, folder = Path(file), Path(into) / name
    if not file.is_file():
        raise ModelError("%s is not there" % file, "give a .tflite file")
    if (folder / "manifest.json").exists():
        raise ModelError("%s is a package already" % folder, "heed model remove %s, or choose --name" % name)
    facts = look(file)
    outputs = {output["name"]: output for output in facts["outputs"]}
    chosen = scores or next(iter(outputs))
    if chosen not in outputs:
        raise ModelError("%s has no output %s" % (file, chosen), "outputs: " + ", ".join(outputs))
    classes, meaning = meaning_of(outputs[chosen], labels, groups, detector)
    data = file.read_bytes()
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, folder / file.name)
    manifest = {
        "name": name, "version": "0.0.0", "api": 1, "domain": "generic", "licence": "unknown: ask whoever made the file",
        "inputs": [taken(i, scale, real) for i in facts["inputs"]], "outputs": facts["outputs"],
        "classes": classes, "scores": chosen, "meaning": meaning, "controls": {}, "state": [],
        "variants": [{"name": "imported", "runtime": "litert", "file": file.name, "bytes": len(data), "parameters": 0, "mflop": 0,
                      "sha256": sha256_hex(data)}],
        "fallback": ["imported"]}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    (folder / "card.md").write_text("# %s\n\nImported from %s. Nothing is known of its data, its figures and its limits.\n" % (
        name, file.name))
    return folder


def remove(folder):
    """Delete a package, and only a package."""
    folder = Path(folder)
    if not (folder / "manifest.json").exists():
        raise ModelError("%s is no model package" % folder, "`heed model list` names them")
    shutil.rmtree(folder)
