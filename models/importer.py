"""Makes a package of any TFLite file: what the file says of itself is its manifest."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from gateway.core.compat import sha256_hex
from gateway.core.errors import ModelError

# A damaged file can crash the runtime, and a crash cannot be caught: the first look is taken in a process of its own.
LOOK = """
import json, sys
import numpy as np
from gateway.core.errors import ModelError
from models.runtimes.litert import LiteRt
try:
    graph = LiteRt(open(sys.argv[1], "rb").read(), sys.argv[1])
    graph.run({name: np.zeros(shape, dtype) for name, (_, shape, dtype) in graph.inputs.items()})
    print(json.dumps({kind: [{"name": n, "shape": list(map(int, s)), "dtype": str(d)} for n, (_, s, d) in tensors.items()]
                      for kind, tensors in (("inputs", graph.inputs), ("outputs", graph.outputs))}))
except ModelError as error:
    print(json.dumps({"message": error.message, "hint": error.hint}))
"""
LOOK_S = 120


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


def import_tflite(file, name, into):
    """Make the folder into/name a package of `file`; gives the folder. Raises ModelError for a file that does not run."""
    file, folder = Path(file), Path(into) / name
    if not file.is_file():
        raise ModelError("%s is not there" % file, "give a .tflite file")
    if (folder / "manifest.json").exists():
        raise ModelError("%s is a package already" % folder, "heed model remove %s, or choose --name" % name)
    facts = look(file)
    data = file.read_bytes()
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, folder / file.name)
    scores = facts["outputs"][0]
    manifest = {
        "name": name, "version": "0.0.0", "api": 1, "domain": "generic", "licence": "unknown: ask whoever made the file",
        "inputs": [dict(i, scale=1.0, unit="as the model wants it", meaning="") for i in facts["inputs"]], "outputs": facts["outputs"],
        "classes": ["%d" % i for i in range(scores["shape"][-1] if scores["shape"] else 1)], "scores": scores["name"],
        "controls": {}, "state": [],
        "variants": [{"name": "imported", "runtime": "litert", "file": file.name, "bytes": len(data), "parameters": 0, "mflop": 0,
                      "sha256": sha256_hex(data)}],
        "fallback": ["imported"]}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    (folder / "card.md").write_text("# %s\n\nImported from %s. Nothing is known of its data, its figures and its limits.\n" % (name, file.name))
    return folder


def remove(folder):
    """Delete a package, and only a package."""
    folder = Path(folder)
    if not (folder / "manifest.json").exists():
        raise ModelError("%s is no model package" % folder, "`heed model list` names them")
    shutil.rmtree(folder)
