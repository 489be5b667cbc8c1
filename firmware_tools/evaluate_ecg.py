"""Figures of an ECG package on DS2, or on annotated records of the user's."""

from pathlib import Path

from firmware_tools import verify_ecg
from firmware_tools.evaluate import options_of
from firmware_tools.recordings import ecg_folder
from gateway.context import GatewayContext
from gateway.core.errors import HeedError
from models.ecg.recipe.data import names as record_names
from plugins.ecg.plugin import MANIFEST as ECG, EcgPlugin


def figures_on(model, own):
    """Tables and lines of an evaluation on DS2, or on a folder of the user's: own["data"]."""
    if own:
        return own_records(model, sorted(path.with_suffix("") for path in Path(own["data"]).glob("*.atr")))
    root = ecg_folder()
    test = record_names(root, "DS2")
    summary = verify_ecg.summary(verify_ecg.judge(model, root, test))
    found = own_records(model, [root / "mitdb" / name for name in test])
    found["tables"] = {"DS2, annotated beats": summary["pooled"], "the same without record 232": summary["without_232"],
                       **found["tables"]}
    return found


def own_records(model, paths):
    """End to end on whole records: detection, classes after the decision, alarms."""
    if not paths:
        raise HeedError("no .atr annotations in that folder", "WFDB records with beat annotations are needed")
    results = []
    for path in paths:
        model.forget(Path(path).name)
        results.append(verify_ecg.end_to_end(lambda: EcgPlugin(options_of(ECG), GatewayContext("verify", ".")), model, path))
    counts = verify_ecg.counts(results, options_of(ECG))
    return {"tables": {"end to end, our own detector": counts["classes"]}, "lines": counts["lines"], "figures": counts["figures"]}
