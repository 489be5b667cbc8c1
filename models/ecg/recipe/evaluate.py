"""Figures by AAMI class: sensitivity, predictivity, F1; pooled, without record 232, per record."""

import numpy as np

from models.ecg.recipe.data import CLASSES


def confusion(labels, answers):
    """(4, 4) counts, rows the truth; labels of -1 are left out."""
    table = np.zeros((4, 4), int)
    kept = labels >= 0
    np.add.at(table, (labels[kept], answers[kept]), 1)
    return table


def figures(table):
    """{class: {se, pp, f1}} and macro F1 of a confusion table."""
    out = {}
    for i, name in enumerate(CLASSES):
        hit = table[i, i]
        se, pp = hit / max(1, table[i].sum()), hit / max(1, table[:, i].sum())
        out[name] = {"se": se, "pp": pp, "f1": 2 * se * pp / max(1e-9, se + pp)}
    out["macro_f1_nsv"] = float(np.mean([out[c]["f1"] for c in "NSV"]))
    return out


def answer(logits, offset):
    """Class of each beat, with an offset added to the S logit."""
    return np.argmax(logits + np.array([0, offset, 0, 0]), axis=1)


def pooled(per_record, offset, without=()):
    """Figures over {name: (labels, logits)}."""
    table = sum(confusion(labels, answer(logits, offset)) for name, (labels, logits) in per_record.items()
                if name not in without)
    return figures(table), table


def line(name, f):
    """One line of a table."""
    return "%-12s " % name + "  ".join("%s %5.1f/%5.1f (%5.1f)" % (c, 100 * f[c]["se"], 100 * f[c]["pp"], 100 * f[c]["f1"])
                                       for c in CLASSES)
