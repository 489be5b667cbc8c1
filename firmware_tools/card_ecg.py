"""Writes card.md and the figures of the manifest from an evaluation that runs now."""

import json

from firmware_tools import verify_ecg
from firmware_tools.evaluate import ready
from firmware_tools.evaluate_ecg import own_records
from models.ecg.recipe.data import CLASSES, names
from models.ecg.recipe.evaluate import figures

VARIANTS = ("float", "dynamic", "int8", "tiny", "baseline")
HEAD = """# ECG beat model %(version)s

Judges each heart beat of one lead as N, S, V or F (AAMI EC57) in the light of the last 32 beats. %(parameters)d parameters, %(mflop)s
MFLOP a beat. Not a medical device; not for diagnosis.

Data: MIT-BIH Arrhythmia Database 1.0.0 (PhysioNet), ODC-By 1.0. Moody GB, Mark RG, IEEE Eng Med Biol 20(3):45-50, 2001. Split: de Chazal
2004; trained on DS1 (22 records), judged on DS2 (22 other records; 201 and 202 are one person, one in each). No label of a DS2 patient
was used. Three nets (seeds 1 to 3) are trained, then one is trained on their mean answers; that is the net released.

Limits: atrial fibrillation and block give false S, so the plugin calls early beats unsure while the rhythm is irregular; junctional
beats (record 124) and S on a bundle branch block are missed; one lead, adults, Holter recordings of one laboratory. Paced patients are
not in the data.

How often DS2 was looked at: %(looks)d times (looks.json). The first model was blind; that mostly ectopic patients must be among the
training rhythms was known beforehand from record 232, so later figures are not blind in that respect.
"""
ROW = "| %s | %s |"


def write(folder, packages, root):
    """Judge the released package in all variants, and all seeds in int8; write the card and the manifest's figures."""
    test = names(root, "DS2")
    judged = {variant: verify_ecg.judge(ready(str(folder), variant), root, test) for variant in VARIANTS}
    seeds = [verify_ecg.summary(verify_ecg.judge(ready(str(package), "int8"), root, test)) for package in packages]
    whole = own_records(ready(str(folder), "int8"), [root / "mitdb" / name for name in test])
    manifest = json.loads((folder / "manifest.json").read_text())
    for variant in manifest["variants"]:
        variant["figures"] = headline(verify_ecg.summary(judged[variant["name"]]))
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    facts = dict(manifest["variants"][0], version=manifest["version"], looks=len(json.loads((folder / "looks.json").read_text())))
    pages = [HEAD % facts, variants_page(judged), seeds_page(seeds), whole_page(whole), records_page(judged["int8"])]
    (folder / "card.md").write_text("\n".join(pages))


def headline(summary):
    """The figures that stand in the manifest."""
    pooled = summary["pooled"]
    return {"ds2_s_f1": round(pooled["S"]["f1"], 4), "ds2_v_f1": round(pooled["V"]["f1"], 4), "ds2_f_f1": round(pooled["F"]["f1"], 4),
            "ds2_macro_f1_nsv": round(pooled["macro_f1_nsv"], 4), "ds2_s_f1_without_232": round(summary["without_232"]["S"]["f1"], 4)}


def table(heads, rows):
    """A Markdown table."""
    lines = [ROW % (heads[0], " | ".join(heads[1:])), "|" + "---|" * len(heads)]
    return "\n".join(lines + [ROW % (row[0], " | ".join(row[1:])) for row in rows]) + "\n"


def cells(f):
    """Se/+P (F1) of each class."""
    return ["%.1f/%.1f (%.1f)" % (100 * f[c]["se"], 100 * f[c]["pp"], 100 * f[c]["f1"]) for c in CLASSES]


def variants_page(judged):
    """Annotated beats, variant by variant, with the rules beside them."""
    rows = []
    for name, tables in judged.items():
        summary = verify_ecg.summary(tables)
        rows.append([name, *cells(summary["pooled"]), "%.1f" % (100 * summary["pooled"]["macro_f1_nsv"])])
        rows.append([name + ", without 232", *cells(summary["without_232"]), "%.1f" % (100 * summary["without_232"]["macro_f1_nsv"])])
    return "## DS2, annotated beats: Se/+P (F1), percent\n\n" + table(["variant", *CLASSES, "macro F1 N S V"], rows)


def seeds_page(seeds):
    """Mean and range over seeds, int8."""
    rows = []
    for title, key in (("pooled", "pooled"), ("without 232", "without_232")):
        values = [[100 * s[key][c]["f1"] for c in CLASSES] for s in seeds]
        rows.append([title] + ["%.1f (%.1f to %.1f)" % (sum(v) / len(v), min(v), max(v)) for v in zip(*values)])
    return "## F1 over %d seeds, int8: mean (range)\n\n" % len(seeds) + table(["DS2", *CLASSES], rows)


def whole_page(whole):
    """With our own detector and the plugin's decision."""
    return ("## DS2, end to end: own detector, classes after the decision (int8)\n\n"
            + table(["", *CLASSES], [["Se/+P (F1)", *cells(whole["tables"]["end to end, our own detector"])]])
            + "\n" + "\n\n".join(whole["lines"]) + "\n")


def records_page(tables):
    """Every record."""
    rows = [[name, *map(str, tables[name].sum(1)), *["%.1f" % (100 * figures(tables[name])[c]["f1"]) for c in CLASSES]] for name in tables]
    return "## Every record, int8: beats of each class, F1 of each class\n\n" + table(
        ["record", *["n " + c for c in CLASSES], *["F1 " + c for c in CLASSES]], rows)
