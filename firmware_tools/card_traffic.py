"""Writes card.md and the figures of the manifest of a traffic package from an evaluation that runs now."""

import json
from pathlib import Path

from firmware_tools import incidents, looks, rivals_traffic
from firmware_tools.card_ecg import table
from firmware_tools.evaluate import ready
from firmware_tools.evaluate_traffic import figures_on
from models.package import Package
from plugins.traffic.lags import span

HEAD = """# Traffic model %(name)s %(version)s

Forecasts the next twelve slots of %(step)d minutes of %(whom)s from the last twelve slots and the same two hours a day and a week
before. %(parameters)d stored numbers, %(mflop)s MFLOP a slot. Beside the model the gateway keeps a week of every sensor: %(memory)d numbers a sensor.

Data: %(data)s
Split in time: 60 %% training, 20 %% validation, 20 %% test. Trained on real targets only, in %(minutes).1f minutes of processor time%(after)s.

%(honesty)s
Limits: it knows no weather, holidays or roadworks; a sensor's first week is forecast from what is kept of it. What is learnt here is
flow of motorways: for speeds or other roads train it anew.

How often the test part was looked at: %(looks)d times (looks.json).

## Test part, through the gateway's own code: MAE in %(unit)s

"""
PEMS08 = """PEMS08: flow of 170 loop detectors of Caltrans PeMS district 8, July and August 2016 (Guo et al., AAAI 2019); zeros are left out."""
HONESTY = """A quarter of the test targets are the value of the week before, vehicle for vehicle: filled in at the source. Whoever sees last week
gets them for nothing, so the headline is on real targets. A sensor that repeats last week is seen as such by the plugin (four slots in a
row) and continued as a copy; the row "ridge, copies continued" does the same. Papers on this set see twelve steps only: no comparison with
them is made.
"""
COLUMNS = (("mae_real", "real"), ("mae_real_3", "real, 3"), ("mae_real_6", "real, 6"), ("mae_real_12", "real, 12"), ("mae_all", "all"),
           ("mae_copied", "copied"), ("rmse_all", "RMSE all"), ("mape_all", "MAPE all %"))
RIVALS = {"ridge60": "ridge of 60 lags, sensor by sensor", "ridge60_online": "the same, learning on (RLS)",
          "ridge60_copies": "ridge, copies continued", "last_value": "last value", "week_before": "week before"}


def write(folder, series, seconds, own, say):
    """Judge every variant, the rule and the rivals; write card and figures."""
    folder = Path(folder)
    looked, rows = looks.note(folder, "card"), {}
    for variant in [*Package(folder).variants, "baseline"]:
        say("judging %s %s ..." % (folder.name, variant))
        rows[variant] = figures_on(ready(str(folder), variant), own)["figures"]
    rivals = {RIVALS[name]: figures for name, figures in rivals_traffic.measure(series, series.parts()[2]).items()}
    manifest = json.loads((folder / "manifest.json").read_text())
    for variant in manifest["variants"]:
        variant["figures"] = {name: round(rows[variant["name"]][name], 3) for name in ("mae_real", "mae_all", "band_holds")}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    facts = dict(manifest["variants"][0], **facts_of(manifest, series, seconds, own), looks=looked)
    heads = ["", *[title for _, title in COLUMNS]]
    body = [[name, *["%.2f" % figures[key] for key, _ in COLUMNS]] for name, figures in {**rows, **rivals}.items()]
    pages = [HEAD % facts + table(heads, body), band_page(rows)] + ([] if own else [incident_page(folder)])
    (folder / "card.md").write_text("\n".join(pages))


def facts_of(manifest, series, seconds, own):
    """What the head of the card says of a package."""
    network = "sensors" in manifest
    return {"name": manifest["name"], "version": manifest["version"], "step": series.step_min, "minutes": seconds / 60,
            "memory": span(series.per_day), "unit": "the data's unit" if own else "vehicles a slot", "honesty": "" if own else HONESTY,
            "after": ", the single net that it began as included" if network else "",
            "whom": "%d sensors at once" % len(series.names) if network else "any one sensor",
            "data": "%s, %d sensors." % (Path(own["csv"]).name, len(series.names)) if own else PEMS08}


def band_page(rows):
    """How the band held."""
    lines = ["%s: holds %.1f %% of the real readings, half width %.1f." % (name, 100 * f["band_holds"], f["band_half"]) for name, f in rows.items()]
    return "## The band, set to 80 %\n\n" + "\n\n".join(lines) + "\n"


def incident_page(folder):
    """NAB's windows, by the plugin with the rule, since these series are too short for a week."""
    ours, plain = incidents.measure(ready(str(folder), "baseline"))
    words = ("%(incident_windows_found)d of %(incident_windows)d windows found at %(incident_false_per_day).3f false alarms a day and series, "
             "median delay from the window's begin %(incident_median_delay_min).0f min")
    return ("## Incidents: NAB's traffic series, the threshold taken from the other series\n\nThe plugin: %s.\n\nPlain residual threshold: %s.\n"
            "\nThe detector's form was chosen on these same 14 windows, so the figure is optimistic.\n" % (words % ours, words % plain))
