"""Few labels on real patients: what a gateway makes of 5, 10, 20, 50 or all labels of the first five minutes."""

import numpy as np

from firmware_tools.bench.patients import Bedside, rerun
from gateway.attention.lesson import Lesson
from models.ecg.recipe.data import CLASSES
from models.ecg.recipe.evaluate import figures

COUNTS = (5, 10, 20, 50)
POISONED = 20  # labels of each patient
MANY = 10  # beats of a class in the scored part, for the record's F1 to count
VARIANTS = {"head, gradient": ("head", False), "head, search": ("head", True), "controls, gradient": ("controls", False),
            "controls, search": ("controls", True), "both, gradient": ("all", False)}
POISONS = ("a fifth wrong", "only N", "only V", "all flipped")


def pooled(tables, without=()):
    """Figures over {record: confusion}."""
    return figures(sum(table for name, table in tables.items() if name not in without))


def macro(table):
    """Mean F1 of a record over the classes that it has MANY beats of."""
    found = figures(table)
    return float(np.mean([found[c]["f1"] for i, c in enumerate(CLASSES) if table[i].sum() >= MANY]))


def curve(patients, twin, anchors, how, counts, **options):
    """{count: {record: confusion}} with labels given one at a time: how = "asked" or "first"; counts: () or rising numbers, 0
    among them for none."""
    tables = {count: {} for count in counts}
    for patient in patients:
        bedside = Bedside(patient, twin, anchors, **options)
        for count in range(max(counts) + 1):
            if count:
                getattr(bedside, how)()
            if count in tables:
                tables[count][patient.name] = bedside.table()
        bedside.close()
    return tables


def everything(patients, twin, anchors):
    """{record: confusion} with all labels of the first minutes."""
    tables = {}
    for patient in patients:
        bedside = Bedside(patient, twin, anchors)
        bedside.everything()
        tables[patient.name] = bedside.table()
        bedside.close()
    return tables


def wrong_by(kind, rng):
    """Function that makes a wrong label of a right one."""
    if kind == "a fifth wrong":
        return lambda label: int(label + rng.integers(1, 4)) % 4 if rng.random() < .2 else label
    if kind == "all flipped":
        return lambda label: (2, 0, 0, 0)[label]
    return lambda label: CLASSES.index(kind[-1])


def poison(patients, twin, anchors, before, kinds=POISONS):
    """{kind: loss of macro F1 N S V} when every patient's labels are poisoned. before: figures without labels."""
    losses = {}
    for kind in kinds:
        tables = {}
        for patient in patients:
            bedside = Bedside(patient, twin, anchors, wrong_by(kind, np.random.default_rng(int(patient.name))))
            for _ in range(POISONED):
                bedside.asked()
            tables[patient.name] = bedside.table()
            bedside.close()
        losses[kind] = before["macro_f1_nsv"] - pooled(tables)["macro_f1_nsv"]
    return losses


def variants(patients, twin, anchors, model, names):
    """{variant: {class: F1}} when the same 20 labels teach another part, or by search; without a guard, and without a step back."""
    tables = {name: {} for name in names}
    for patient in patients:
        bedside = Bedside(patient, twin, anchors)
        for _ in range(20):
            bedside.asked()
        labelled = [pair for pair in bedside.learner.moments.kept(patient.name) if pair[1]]
        others = bedside.learner.moments.unlabelled(patient.name, {moment.seq for moment, _ in labelled})
        for name in names:
            mode, search = VARIANTS[name]
            moved = Lesson(twin, bedside.learner.origin, labelled, others, anchors, mode=mode, search=search).teach()
            tables[name][patient.name] = patient.score(rerun(model, patient, moved))
        bedside.close()
    return {"without guard: " + name: {c: pooled(found)[c]["f1"] for c in "SV"} for name, found in tables.items()}


def few_labels(patients, twin, anchors):
    """(figures, baselines, figures without labels): the curve, first-come labels, the worst record."""
    asked = curve(patients, twin, anchors, "asked", (0, *COUNTS))
    asked["all"] = everything(patients, twin, anchors)
    first = curve(patients, twin, anchors, "first", (20,))
    out = {}
    for count, tables in asked.items():
        found = pooled(tables)
        out["ecg_sveb_f1_%s" % count], out["ecg_veb_f1_%s" % count] = found["S"]["f1"], found["V"]["f1"]
    out["ecg_sveb_f1_20_without_232"] = pooled(asked[20], ("232",))["S"]["f1"]
    out["ecg_asked_minus_first_20"] = pooled(asked[20])["S"]["f1"] - pooled(first[20])["S"]["f1"]
    changes = {name: macro(asked[20][name]) - macro(asked[0][name]) for name in asked[0]}
    worst = min(changes, key=changes.get)
    out["ecg_worst_record_change"] = changes[worst]
    baselines = {"first 20": {c: pooled(first[20])[c]["f1"] for c in "SVF"}, "worst records at 20": {
        name: changes[name] for name in sorted(changes, key=changes.get)[:5]}}
    return out, baselines, pooled(asked[0])
