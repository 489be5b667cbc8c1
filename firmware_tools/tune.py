"""heed model tune: adapts a package offline to labelled recordings of one's own; the same package out.

Moves the attention controls and the head by the package's own gradient graph, in float; the integer variants get the
moved controls, and the head where it is an array of theirs. Stopped by a held-out part.
"""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np

from firmware_tools.recordings import read
from gateway.attention.optimise import Adam
from gateway.attention.state import Origin
from gateway.context import GatewayContext
from gateway.core.errors import HeedError
from gateway.core.records import Features
from models.attention import PackageModel
from models.ecg.recipe.data import AAMI, beats_of
from models.ecg.recipe.evaluate import confusion, figures
from models.ecg.recipe.sample import record_tokens
from models.package import Package, folder_of
from models.twin import Twin

HELD_OUT = 5  # each fifth stretch of beats judges, and is not learnt from
STRETCH = 50
RATE, EPOCHS, PATIENCE, DECAY = 5e-3, 30, 4, 1e-2


class Samples:
    """Tokens of labelled beats, each with the caches from before it. Arrays of length n."""

    def __init__(self):
        self.beat, self.rr, self.k, self.v, self.label, self.held = [], [], [], [], [], []

    def add(self, model, path):
        """All labelled beats of one record, as the model sees them in a row."""
        samples, rate_hz, marks = read(path)
        marks = [(at, AAMI[code]) for at, code in marks if code in AAMI]
        beats = beats_of(Path(path).name, np.asarray(samples, np.int64), rate_hz, [m[0] for m in marks], [m[1] for m in marks])
        beat, rr = record_tokens(beats)
        model.forget(beats.name)
        for i, label in enumerate(beats.labels):
            caches = model.caches.of(beats.name)
            if label >= 0:
                for into, value in zip((self.beat, self.rr, self.k, self.v, self.label), (beat[i], rr[i], caches["k"], caches["v"], label)):
                    into.append(value)
                self.held.append(i // STRETCH % HELD_OUT == 0)
            model.infer(Features(beats.name, i, 0, [np.round(beat[i].ravel() * 64).astype(int), np.round(rr[i] * 256).astype(int)], {}))

    def batch(self, indices, size, weights):
        """Inputs of the gradient graph; rows beyond the indices count nothing."""
        target = np.zeros((size, 4), np.float32)
        padded = list(indices) + [indices[0]] * (size - len(indices))
        for row, i in enumerate(indices):
            target[row, self.label[i]] = weights[self.label[i]]
        stacked = {name: np.stack([getattr(self, name)[i] for i in padded]).astype(np.float32) for name in ("beat", "rr", "k", "v")}
        return dict(stacked, target=target)


class Tuner:
    """Learns on Samples with the gradient graph of a package; parameters are clamped to the manifest's ranges."""

    def __init__(self, package, samples):
        self.samples = samples
        self.twin = Twin(package)
        self.graph, self.size = self.twin.graph, self.twin.size
        self.origin = Origin(self.twin.package, self.twin.parameters, self.twin.ranges, self.twin.classes)
        self.parameters = self.origin.copy()
        counts = np.maximum(np.bincount(samples.label, minlength=4), 1)
        self.weights = counts ** -.5 / counts.max() ** -.5

    def split(self, held):
        """Indices of the samples that judge, or of those that teach."""
        return [i for i, is_held in enumerate(self.samples.held) if is_held == held]

    def loss(self, indices):
        """Weighted loss for each sample of `indices`."""
        total = sum(float(self.run(indices[at:at + self.size])["loss"][0]) for at in range(0, len(indices), self.size))
        return total / max(1, len(indices))

    def run(self, indices):
        """Loss and gradients of a batch."""
        return self.graph.run(dict(self.samples.batch(indices, self.size, self.weights), **self.parameters))

    def learn(self, say):
        """Moves the parameters; ends with those that judged best. Gives (loss before, loss after) of the held-out part."""
        rng, adam = np.random.default_rng(1), Adam(RATE)
        teach, judge = self.split(False), self.split(True)
        first = best = self.loss(judge)
        kept, waited = {name: value.copy() for name, value in self.parameters.items()}, 0
        for epoch in range(EPOCHS):
            order = rng.permutation(teach)
            for at in range(0, len(order), self.size):
                found = self.run(list(order[at:at + self.size]))
                pull = {name: DECAY * (value - self.origin.shipped[name]) for name, value in self.parameters.items()}
                adam.step(self.parameters, {name: found["d_" + name] + pull[name] for name in self.parameters})
                self.origin.clamp(self.parameters)
            found = self.loss(judge)
            say("epoch %d: held-out loss %.4f (before: %.4f)" % (epoch + 1, found, first))
            waited = 0 if found < best else waited + 1
            if found < best:
                best, kept = found, {name: value.copy() for name, value in self.parameters.items()}
            if waited == PATIENCE:
                break
        self.parameters = kept
        return first, best


def tune(name, recordings, out, say):
    """Make `out` the package `name`, tuned to the annotated WFDB records in the folder `recordings`. Gives the report."""
    package, out = Package(folder_of(name)), Path(out)
    paths = sorted(path.with_suffix("") for path in Path(recordings).glob("*.atr"))
    if not paths:
        raise HeedError("no .atr annotations in %s" % recordings, "WFDB records with beat labels are needed")
    if out.exists():
        raise HeedError("%s is there already" % out, "give another --out")
    model = PackageModel({"package": str(package.folder), "variant": "float"}, GatewayContext("tune", "."))
    model.load()
    samples = Samples()
    for path in paths:
        say("reading %s ..." % path.name)
        samples.add(model, path)
    if len(samples.label) < 2 * STRETCH or len(set(samples.label)) < 2:
        raise HeedError("%d labelled beats of %d classes are too few" % (len(samples.label), len(set(samples.label))),
                        "give at least %d beats of two classes" % (2 * STRETCH))
    tuner = Tuner(package, samples)
    before, after = tuner.learn(say)
    write(package, tuner.parameters, out, len(samples.label))
    return {"beats": len(samples.label), "held_out_loss_before": before, "held_out_loss_after": after,
            "before": f1(package.folder, samples, tuner), "after": f1(out, samples, tuner)}


def write(package, parameters, out, beats):
    """The package with other defaults of its controls and another head; the integer variant is made anew."""
    from models.tiny_export import export
    shutil.copytree(package.folder, out, ignore=shutil.ignore_patterns("*.py", "recipe", "speed", "__pycache__"))
    manifest = json.loads((out / "manifest.json").read_text())
    weights = dict(np.load(out / "weights.npz"), head=parameters["head"], head_b=parameters["head_b"])
    np.savez_compressed(out / "weights.npz", **weights)
    for name in manifest["controls"]:
        manifest["controls"][name]["default"] = np.round(parameters[name].astype(float), 5).tolist()
    manifest["head"] = {"weights": parameters["head"].astype(float).tolist(), "bias": parameters["head_b"].astype(float).tolist()}
    manifest["version"] += "+tuned"
    data = export(weights, {name: np.array(manifest["controls"][name]["default"]) for name in manifest["controls"]})
    (out / "step_tiny.bin").write_bytes(data)
    for variant in manifest["variants"]:
        variant.pop("figures", None)  # they were those of the package before
        if variant["name"] == "tiny":
            variant.update(bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
    (out / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    with open(out / "card.md", "a", encoding="utf-8") as card:
        card.write("\n## Tuned\n\nAdapted to %d labelled beats of its user's own. The figures above are those of the package before.\n" % beats)


def f1(folder, samples, tuner):
    """F1 of each class on the held-out beats."""
    model = PackageModel({"package": str(folder), "variant": "float"}, GatewayContext("tune", "."))
    model.load()
    held = tuner.split(True)
    answers = [int(np.argmax(model.logits(model.graph.run({
        name: np.asarray(getattr(samples, name)[i], np.float32).reshape(model.graph.views[name].shape)
        for name in ("beat", "rr", "k", "v")})))) for i in held]
    table = figures(confusion(np.array([samples.label[i] for i in held]), np.array(answers)))
    return {name: round(float(table[name]["f1"]), 4) for name in "NSVF"}
