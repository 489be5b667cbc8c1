"""Figures of a traffic package: on PEMS08's test part, or on a CSV file of the user's."""

from firmware_tools.recordings import pems08, series_of, step_s
from firmware_tools.verify_traffic import coverage, errors, played
from gateway.core.errors import ConfigError, ModelError
from sensors.series_file import read as read_series

ROWS = (("mae_real", "real targets"), ("mae_real_3", "real, 3 slots ahead"), ("mae_real_6", "real, 6 slots ahead"),
        ("mae_real_12", "real, 12 slots ahead"), ("mae_all", "all targets"), ("mae_copied", "targets copied from the week before"))


def own_series(own):
    """Series of {"csv": file, "step": text or None, "columns": names or ""}."""
    if "csv" not in own:
        raise ConfigError("traffic is judged on a CSV file", "heed model verify traffic_single --csv FILE")
    return series_of(read_series(own["csv"], own["columns"], step_s=step_s(own["step"]) if own["step"] else 0))


def figures_on(model, own, say=lambda done, total: None):
    """Tables and lines of an evaluation on the last fifth of a series. The forecasts are those that the plugin gives out."""
    series = own_series(own) if own else pems08()
    manifest = model.package.manifest
    if manifest["forecast"]["step_min"] != series.step_min:
        raise ModelError("%s forecasts slots of %d min, the file has %d" % (model.package.name, manifest["forecast"]["step_min"], series.step_min),
                         "heed model train traffic --csv FILE --step %dmin" % series.step_min)
    known = set(manifest.get("sensors", series.names)) & set(series.names)
    if not known:
        raise ModelError("%s knows none of the sensors %s" % (model.package.name, ", ".join(series.names[:5])),
                         "use traffic_single, which knows any, or train: heed model train traffic --csv FILE")
    now = series.parts()[2]
    found = played(model, series, now, say)
    figures = dict(errors(found["values"], series, now), **coverage(found, series, now))
    lines = ["%-38s %.2f" % ("MAE, " + title, figures[key]) for key, title in ROWS]
    lines.append("band: holds %.1f %% of the real readings, half width %.1f" % (100 * figures["band_holds"], figures["band_half"]))
    lines.append("%d sensors, %d known to the model; %d forecasts" % (len(series.names), len(known), len(now)))
    return {"lines": lines, "figures": figures}
