"""A picture of days of energy: battery and sun, price, which variant ran when, what was refused."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  the backend is chosen first: there may be no screen
import numpy as np  # noqa: E402

COLOURS = ("#74c0fc", "#1c7ed6", "#0b3d91", "#051937")
HOUR = 60


def save(path, plan, site, minutes, facts):
    """Save a PNG. minutes: see firmware_tools.simulate_energy.facts_of."""
    names = [c.name for c in plan.classes]
    figure, axes = plt.subplots(2 + len(names), 1, figsize=(11, 3.4 + 1.5 * len(names)), dpi=120, sharex=True)
    hours = np.arange(1, len(minutes) + 1) / HOUR
    battery(axes[0], hours, site, minutes)
    axes[1].step(hours, [m[1] / 1e6 for m in minutes], color="#e8590c", linewidth=1)
    axes[1].set_ylabel("price\n(value per J)")
    for number, c in enumerate(plan.classes):
        shares(axes[2 + number], number, c, minutes)
    axes[-1].set_xlabel("hours")
    words = "critical jobs missed: %d, minutes without power: %d, at least %.1f %% of the possible" % (
        facts["critical_missed"] + facts["critical_dark"], facts["off_minutes"], facts["certificate_percent"])
    figure.suptitle("%s on %s, battery %.3g Wh, panel %.3g W\n%s" % (
        facts["trace"], facts["board"], facts["battery_wh"], facts["panel_w"], words), fontsize=10)
    for one in axes:
        one.spines[["top", "right"]].set_visible(False)
        one.set_xlim(0, hours[-1])
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)


def battery(axes, hours, site, minutes):
    """Charge in per cent, sun in W behind it."""
    axes.plot(hours, [100 * m[0] for m in minutes], color="#2b8a3e", linewidth=1.4)
    axes.set(ylabel="battery (%)", ylim=(0, 102))
    sun = axes.twinx()
    sun.fill_between(np.arange(len(site.harvest)) / HOUR, np.array(site.harvest) / 60000, color="#fcc419", alpha=.35, linewidth=0)
    sun.set_ylabel("sun (W)")
    sun.spines["top"].set_visible(False)


def shares(axes, number, c, minutes):
    """Share of each variant, of what was refused, and when the device was off, in each half hour."""
    step = 30
    at = np.arange(0, len(minutes) - step, step)
    done = np.array([minutes[i][2][number] for i in [*at, at[-1] + step]], float)
    refused = np.array([minutes[i][3][number] for i in [*at, at[-1] + step]], float)
    parts, gone = np.diff(done, axis=0), np.diff(refused)
    total = np.maximum(1, parts.sum(1) + gone)
    base = np.zeros(len(at))
    for k, variant in enumerate(c.variants):
        axes.bar(at / HOUR, 100 * parts[:, k] / total, width=step / HOUR, bottom=base, align="edge",
                 color=COLOURS[min(k, 3)], label=variant.name)
        base += 100 * parts[:, k] / total
    axes.bar(at / HOUR, 100 * gone / total, width=step / HOUR, bottom=base, align="edge", color="#ced4da", label="refused")
    axes.set(ylabel="%s (%%)" % c.name, ylim=(0, 102))
    axes.legend(fontsize=6, ncol=5, loc="lower left", framealpha=.8)
