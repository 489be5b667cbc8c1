"""Pictures of where the vision plugin looked, what the classifier attended to, and what looking less costs."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  the backend is chosen first: there may be no screen
import numpy as np  # noqa: E402

DIM = .35
RULES = {"gate": "gate, by threshold", "cells": "gate, by cells covered", "in turn": "each tile in turn"}


def frame(picture, rects, boxes, line, path, title):
    """Save a PNG of a frame. picture: (h, w, 3) 0 to 1; rects: (top, left, bottom, right) in shares, looked at, with the model's word;
    boxes: the same of objects, with their label; line: share of the height."""
    h, w = picture.shape[:2]
    shown = picture * DIM
    for (top, left, bottom, right), _ in rects:
        part = slice(round(top * h), round(bottom * h)), slice(round(left * w), round(right * w))
        shown[part] = picture[part]
    figure, axes = plt.subplots(figsize=(9, 9 * h / w + .5), dpi=110)
    axes.imshow(shown)
    for rects_of, colour in ((rects, "#ffd43b"), (boxes, "#ff6b6b")):
        for (top, left, bottom, right), words in rects_of:
            axes.add_patch(plt.Rectangle((left * w, top * h), (right - left) * w, (bottom - top) * h, fill=False, edgecolor=colour,
                                         linewidth=1.4))
            axes.text(left * w + 6, top * h + 6, words, color=colour, fontsize=8, va="top",
                      bbox={"facecolor": "black", "alpha": .55, "edgecolor": "none", "pad": 1.5})
    axes.axhline(line * h, color="#22b8cf", linewidth=1, linestyle="--")
    axes.set_axis_off()
    axes.set_title(title, fontsize=9)
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)


def curve(rows, chosen, names, path, title):
    """Save a PNG of agreement against the share of tiles; rows as judge_video.curve() gives them; chosen: threshold of the gate."""
    figure, axes = plt.subplots(figsize=(6.4, 4), dpi=120)
    for rule, marker in (("gate", "o"), ("cells", "^"), ("in turn", "s")):
        part = sorted((row for row in rows if row["rule"] == rule), key=lambda row: row["share"])
        for name, colour in zip(names, ("#c92a2a", "#1c7ed6")):
            axes.plot([100 * row["share"] for row in part], [row[name] for row in part], color=colour, marker=marker, markersize=4,
                      linestyle=":" if rule == "in turn" else "-", linewidth=1, label="%s, %s" % (name, RULES[rule]))
    point = next(row for row in rows if row["rule"] == "gate" and row["at"] == chosen)
    axes.axvline(100 * point["share"], color="#868e96", linewidth=.8)
    axes.annotate("threshold %d" % chosen, (100 * point["share"], .05), xytext=(4, 0), textcoords="offset points", fontsize=8)
    axes.set(xscale="log", xlabel="share of the tiles looked at, %", ylabel="F1 against looking at all", ylim=(-.03, 1.05), title=title)
    axes.legend(fontsize=8, loc="center right")
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)


def attended(pictures, path, title):
    """Save a PNG of pictures with their attention. pictures: [(rgb (32, 32, 3) 0 to 1, weights (8, 8), words)]."""
    figure, axes = plt.subplots(2, len(pictures), figsize=(1.3 * len(pictures), 3.4), dpi=120, squeeze=False)
    for (rgb, weights, words), upper, lower in zip(pictures, *axes):
        upper.imshow(rgb)
        upper.set_title(words, fontsize=7)
        bright = np.kron(weights / weights.max(), np.ones((rgb.shape[0] // len(weights),) * 2))[..., None]
        lower.imshow(rgb * (DIM / 2 + (1 - DIM / 2) * bright))
        for axis in (upper, lower):
            axis.set_axis_off()
    figure.suptitle(title, fontsize=9)
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)


def sizes(rows, path, title, measure="accuracy"):
    """Save a PNG of variants, the original on top: kB, accuracy, ms of one run. rows: [{"name", "bytes", "accuracy", "ms"}]."""
    figure, panels = plt.subplots(1, 3, figsize=(9, .9 + .42 * len(rows)), dpi=120, sharey=True)
    values = ("kB", "%.0f", [row["bytes"] / 1000 for row in rows]), (measure + ", %", "%.1f", [100 * row["accuracy"] for row in rows]), (
        "ms of one run", "%.2f", [row["ms"] for row in rows])
    for axes, (words, form, numbers), colour in zip(panels, values, ("#1c7ed6", "#2b8a3e", "#e67700")):
        bars = axes.barh([row["name"] for row in rows], numbers, color=colour, alpha=.8)
        axes.bar_label(bars, [form % number for number in numbers], fontsize=8, padding=2)
        axes.set(xlabel=words, xlim=(0, 1.2 * max(numbers)))
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].invert_yaxis()
    figure.suptitle(title, fontsize=10)
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)
