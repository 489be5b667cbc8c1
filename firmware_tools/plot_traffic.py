"""Pictures of traffic forecasts: with truth and band, and with what was attended to."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.dates as dates  # noqa: E402  the backend is chosen first: there may be no screen
import matplotlib.pyplot as plt  # noqa: E402

TRUTH, OURS, WEEK = "#343a40", "#1971c2", "#adb5bd"
GROUPS = {"recent": ("last hour", "#e67700"), "day": ("yesterday", "#2b8a3e"), "week": ("last week", "#862e9c")}


def tidy(axes):
    """Less ink."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)


def saved(figure, path):
    """Write it and let go of it."""
    figure.savefig(path)
    plt.close(figure)


def moment(times, truth, ahead, title, unit, shares, near, path):
    """One forecast. times, truth: around it (truth NaN where nothing came); ahead: {"times", "values", "low", "high", "week"} of
    the hour that is forecast; shares: {group: percent} or None; near: [(sensor, percent)]."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.8), dpi=130, width_ratios=(3, 1), constrained_layout=True)
    left.plot(times, truth, color=TRUTH, linewidth=1.2, label="measured")
    left.plot(ahead["times"], ahead["week"], color=WEEK, linewidth=1, linestyle="--", label="a week before")
    left.fill_between(ahead["times"], ahead["low"], ahead["high"], color=OURS, alpha=.18, linewidth=0, label="band, 80 %")
    left.plot(ahead["times"], ahead["values"], color=OURS, linewidth=2, label="forecast")
    left.axvline(ahead["times"][0], color=TRUTH, linewidth=.6, linestyle=":")
    left.xaxis.set_major_formatter(dates.DateFormatter("%H:%M"))
    left.set(ylabel=unit, ylim=(0, None))
    left.set_title(title, fontsize=10, loc="left")
    left.legend(fontsize=8, frameon=False, loc="lower left", ncols=4)
    bars(right, shares, near)
    tidy(left)
    tidy(right)
    saved(figure, path)


def bars(axes, shares, near):
    """What a forecast was made from."""
    rows = [(name, shares[group], colour) for group, (name, colour) in GROUPS.items()] if shares else []
    rows += [("sensor " + name, percent, OURS) for name, percent in near]
    if not rows:
        return axes.set_axis_off()
    rows = rows[::-1]
    axes.barh(range(len(rows)), [row[1] for row in rows], color=[row[2] for row in rows], height=.6)
    for i, row in enumerate(rows):
        axes.text(row[1] + 1, i, "%d %%" % row[1], va="center", fontsize=8)
    axes.set(yticks=range(len(rows)), yticklabels=[row[0] for row in rows], xlim=(0, 115), xticks=[])
    axes.set_title("attended to", fontsize=10, loc="left")
    axes.spines["bottom"].set_visible(False)


def stretch(times, truth, values, low, high, shares, marks, title, unit, path):
    """A whole stretch: truth with the forecast made six slots before, its band, events, and the attention over time.

    shares: {group: [percent]} or None; marks: [(time, text)]."""
    figure, (upper, lower) = plt.subplots(2, 1, figsize=(11, 5), dpi=130, height_ratios=(3, 1), sharex=True, constrained_layout=True)
    upper.fill_between(times, low, high, color=OURS, alpha=.18, linewidth=0, label="band, 80 %")
    upper.plot(times, truth, color=TRUTH, linewidth=.9, label="measured")
    upper.plot(times, values, color=OURS, linewidth=1.1, label="forecast six slots before")
    for time, text in marks:
        upper.axvline(time, color="#c92a2a", linewidth=.8)
        upper.annotate(text, (time, upper.get_ylim()[1]), fontsize=7, color="#c92a2a", rotation=90, va="top", ha="right")
    upper.set(ylabel=unit, ylim=(0, None))
    upper.set_title(title, fontsize=10, loc="left")
    upper.legend(fontsize=8, frameon=False, loc="lower center", ncols=3)
    if shares:
        lower.stackplot(times, *[shares[group] for group in GROUPS], labels=[name for name, _ in GROUPS.values()],
                        colors=[colour for _, colour in GROUPS.values()], alpha=.75, linewidth=0)
        lower.legend(fontsize=8, frameon=True, framealpha=.8, loc="lower left", ncols=3)
    else:
        lower.text(.5, .5, "the rule attends to nothing", transform=lower.transAxes, ha="center", fontsize=8)
    lower.set(ylabel="attention, %", ylim=(0, 100), xlim=(times[0], times[-1]))
    lower.xaxis.set_major_formatter(dates.DateFormatter("%a %H:%M"))
    for axes in (upper, lower):
        tidy(axes)
    saved(figure, path)
