"""Writes card.md and the figures of the manifest of the vision package from an evaluation that runs now."""

import json

from firmware_tools.card_ecg import table
from firmware_tools.evaluate import ready
from firmware_tools.evaluate_vision import answers, by_class, confusion, linear_accuracy, rival_answers
from firmware_tools.judge_gate import THRESHOLD, video
from firmware_tools.recordings import cifar
from models.vision.recipe.data import CLASSES

VARIANTS = ("float", "dynamic", "int8", "baseline")
UNSURE = .018  # 95 % of a share of 0.8 over 2,000 pictures
HEAD = """# Picture model %(version)s

Tells ten kinds of things apart in pictures of 32 x 32 pixels: %(classes)s.
%(parameters)d parameters, %(mflop)s MFLOP a picture. It has no class for "nothing": ask it only where something is, which is what the
plugin's gate is for.

Data: CIFAR-10 (Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009) as JPEG files; trained on the first 1,100 of
each class by name, looked on with 1,000 held out, judged on the 2,000 of cifar10_val_jpg.zip. JPEG of 32 x 32 loses detail: figures
here do not compare with published ones on the original pixels. Training: %(cpu_s)d s of CPU time on one core, one seed.

Limits: one seed; plus or minus 1.8 points at 95 %% with 2,000 pictures. Cars from straight above are not in the data.

How often the test pictures were looked at: %(looks)d times (looks.json).
"""


def write(folder):
    """Judge every variant; write the card and the manifest's figures."""
    pictures, labels = cifar("val")
    tables = {name: confusion(labels, answers(ready(str(folder), name), pictures)) for name in VARIANTS}
    shares = {name: float(found.trace() / found.sum()) for name, found in tables.items()}
    manifest = json.loads((folder / "manifest.json").read_text())
    for variant in manifest["variants"]:
        variant["figures"] = {"test_accuracy": round(shares[variant["name"]], 4)}
    gate, baselines = video()
    manifest["parts"] = [{"name": "saliency", "runtime": "numpy", "bytes": 0, "parameters": 1, "threshold": THRESHOLD,
                          "figures": {key: round(gate[key], 4) for key in ("video_tile_share", "video_f1")}}]
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    rival = float((rival_answers(folder, manifest, pictures) == labels).mean())
    facts = dict(manifest["variants"][0], version=manifest["version"], classes=", ".join(CLASSES),
                 cpu_s=manifest["training"]["cpu_s"]["attention"], looks=len(json.loads((folder / "looks.json").read_text())))
    pages = [HEAD % facts, variants_page(manifest, shares, rival), classes_page(tables["int8"]), gate_page(baselines)]
    (folder / "card.md").write_text("\n".join(pages))


def variants_page(manifest, shares, rival):
    """Accuracy of all, with the rivals beside them."""
    cost = lambda v: [str(v["bytes"]), str(v["parameters"]), str(v["mflop"])]
    rows = [[v["name"], *cost(v), "%.2f" % (100 * shares[v["name"]])] for v in manifest["variants"]]
    rows += [["plain convolutions, int8, trained the same way", *cost(manifest["rival"]), "%.2f" % (100 * rival)],
             ["linear: ridge on means of 2 x 2 pixels", "", "7,690", "", "%.2f" % (100 * linear_accuracy())],
             ["rule: contrast", "", "", "", "%.2f" % (100 * shares["baseline"])]]
    return ("## Accuracy on 2,000 test pictures, percent\n\n" + table(["variant", "bytes", "parameters", "MFLOP", "accuracy"], rows)
            + "\n" + verdict(shares["int8"] - rival))


def verdict(gain):
    """Whether attention has earned its place beside convolutions, in words."""
    words = "%+.2f points against plain convolutions of equal cost" % (100 * gain)
    if abs(gain) < UNSURE:
        return "Attention: %s, less than two such tests can tell apart. By accuracy it has not earned its place; what it gives is the map.\n" % words
    return "Attention: %s.\n" % words


def classes_page(found):
    """Every class, int8."""
    rows = [[name, *["%.1f" % (100 * f[key]) for key in ("se", "pp", "f1")]] for name, f in by_class(found).items()]
    return "## By class, int8: sensitivity, predictivity, F1, percent\n\n" + table(["class", "Se", "+P", "F1"], rows)


def gate_page(baselines):
    """The curve of the gate."""
    rows = [[words[len("video, "):], "%.1f" % (100 * row["share"]), "%.3f" % row["f1"], "%.3f" % row["f1_second_half"]]
            for words, row in baselines.items() if words.startswith("video, ")]
    return ("## The saliency gate on car-detection.mp4, 6,786 tile-frames\n\nF1 of `vehicle` and `person`, the worse of the two, against "
            "looking at every tile of every frame. Threshold %d was read off the first half.\n\n" % THRESHOLD
            + table(["rule", "tiles looked at, percent", "F1", "F1, second half"], rows))
