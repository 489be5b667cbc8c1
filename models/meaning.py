"""What the numbers of a graph mean: shares of the classes, out of logits, quantised shares, or the candidates of a detector."""

import numpy as np


class Meaning:
    """manifest: as in docs/models.md; its key `meaning` may name `kind` ("logits", "shares", "candidates"), `scale` and `zero`
    of integers, whether candidates are `logistic` already, and `groups`: {class: columns that are added up to it}."""

    def __init__(self, manifest):
        facts = manifest.get("meaning", {})
        self.kind = facts.get("kind", "logits")
        self.scale, self.zero = np.float32(facts.get("scale", 1)), np.float32(facts.get("zero", 0))
        self.done = facts.get("logistic", False)
        self.groups = [np.array(columns, int) for columns in facts.get("groups", {}).values()]
        self.width = facts.get("width", len(manifest["classes"]))
        self.plain = self.kind == "logits" and not self.groups and self.scale == 1 and self.zero == 0

    def shares(self, raw):
        """Shares in class order, sum 1, of an output whose last axis has `width` columns."""
        rows = raw.reshape(-1, self.width)
        if self.plain:
            return softmax(rows[0])
        rows = (rows.astype(np.float32) - self.zero) * self.scale
        if self.kind == "candidates":
            return self._found(rows)
        found = rows[0] / max(float(rows[0].sum()), 1e-6) if self.kind == "shares" else softmax(rows[0])
        return grouped(found, self.groups) if self.groups else found

    def _found(self, rows):
        """The best candidate of each class, and what is left for "nothing"."""
        best = (rows if self.done else 1 / (1 + np.exp(-np.clip(rows, -60, 60)))).max(0).clip(0, 1)
        nothing = 1 - best.max()
        return np.append(best * (1 - nothing) / max(float(best.sum()), 1e-6), nothing)


def grouped(shares, groups):
    """Shares of groups of classes, and of all others."""
    found = [shares[columns].sum() for columns in groups]
    return np.array([*found, max(0.0, 1 - sum(found))], np.float32)


def softmax(logits):
    """Softmax of one row."""
    logits = logits.astype(np.float32, copy=False)
    e = np.exp(logits - logits.max())
    return e / e.sum()
