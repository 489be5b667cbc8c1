"""A picture of real beats with what the model attended to."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  the backend is chosen first: there may be no screen
import numpy as np  # noqa: E402

COLOURS = {"N": "#2b8a3e", "S": "#e67700", "V": "#c92a2a", "F": "#862e9c", "?": "#868e96"}
BEFORE_S, AFTER_S = 9.0, 1.2


def stretch(record, index, beats, chosen, path, title):
    """Save a PNG. beats: [(sample, label, truth or "", maps)]; chosen: index of the beat whose attention is shown."""
    at, label, truth, maps = beats[chosen]
    rate_hz, lead = record.rate_hz, record.leads[index]
    first = max(0, int(at - BEFORE_S * rate_hz))
    values = (record.read(first, int((BEFORE_S + AFTER_S) * rate_hz))[:, index] - lead.zero) / lead.gain
    seconds = (first + np.arange(len(values))) / rate_hz
    figure, axes = plt.subplots(figsize=(11, 3.6), dpi=130)
    axes.plot(seconds, values, color="#343a40", linewidth=.9, zorder=3)
    shade(axes, beats, chosen, maps, rate_hz, first)
    for sample, name, true, _ in beats:
        if first < sample < first + len(values):
            axes.annotate(name + ("" if true in ("", name) else "\n(%s)" % true), (sample / rate_hz, values.max()), ha="center",
                          va="bottom", color=COLOURS[name], fontsize=10, fontweight="bold", xytext=(0, 3), textcoords="offset points")
    axes.annotate("judged here", (at / rate_hz, values.max() + (.45 if truth in ("", label) else .7)), ha="center", va="bottom",
                  fontsize=8, color=COLOURS[label])
    axes.set(xlabel="s", ylabel=lead.unit, xlim=(seconds[0], seconds[-1]), ylim=(values.min() - .3, values.max() + .95), title=title)
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)


def shade(axes, beats, chosen, maps, rate_hz, first):
    """Shade each beat by the weight that the chosen one gave it, mean over blocks and heads."""
    weights = np.asarray(maps).reshape(-1, np.shape(maps)[-1]).mean(0)
    for age in range(len(weights)):
        if chosen - age < 0 or beats[chosen - age][0] < first:
            break
        sample = beats[chosen - age][0]
        share = float(weights[-1 - age] / weights.max())
        axes.axvspan((sample - .25 * rate_hz) / rate_hz, (sample + .4 * rate_hz) / rate_hz, color="#1c7ed6", alpha=.45 * share, linewidth=0)
        axes.annotate("%d %%" % round(100 * weights[-1 - age]), (sample / rate_hz, axes.get_ylim()[0]), ha="center", fontsize=7,
                      color="#1864ab", annotation_clip=False)


def confusion_table(table, classes, path, title):
    """Save a PNG of a confusion table: rows the truth, columns the answer, shade the share of the row."""
    shares = table / np.maximum(1, table.sum(1, keepdims=True))
    figure, axes = plt.subplots(figsize=(4.6, 4.2), dpi=130)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for i in range(len(classes)):
        for j in range(len(classes)):
            axes.text(j, i, "%d\n%.1f %%" % (table[i, j], 100 * shares[i, j]), ha="center", va="center", fontsize=8,
                      color="white" if shares[i, j] > .6 else "#212529")
    axes.set(xticks=range(len(classes)), yticks=range(len(classes)), xticklabels=classes, yticklabels=classes,
             xlabel="answer", ylabel="truth", title=title)
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)
