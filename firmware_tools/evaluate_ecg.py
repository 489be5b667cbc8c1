"""Figures of an ECG package on DS2, or on annotated records of the user's."""

from collections import Counter
from pathlib import Path

from firmware_tools import verify_ecg
from firmware_tools.evaluate import options_of
from firmware_tools.recordings import ecg_folder
from gateway.context import GatewayContext
from gateway.core.errors import ConfigError, HeedError
from models.ecg.recipe.data import AAMI, names as record_names
from plugins.ecg.plugin import MANIFEST as ECG, EcgPlugin


def figures_on(model, own):
    """Tables and lines of an evaluation on DS2, or on a folder of the user's: own["data"]."""
    if own and "data" not in own:
        raise ConfigError("ECG is judged on WFDB records", "heed model verify ecg --data FOLDER")
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
    results, left_out = [], []
    for path in paths:
        model.forget(Path(path).name)
        try:
            results.append(verify_ecg.end_to_end(lambda: EcgPlugin(options_of(ECG), GatewayContext("verify", ".")), model, path))
        except HeedError as error:
            left_out.append("left out: %s" % error)
    if not results:
        raise HeedError("no record could be judged; %s" % "; ".join(left_out), "WFDB records with beat annotations are needed")
    counts = verify_ecg.counts(results, options_of(ECG))
    return {"tables": {"end to end, our own detector": counts["classes"]}, "lines": counts["lines"] + judged_on(results) + left_out,
            "figures": counts["figures"]}


def judged_on(results):
    """What was listened to, and which beats count nowhere."""
    heard = Counter("%s at %g Hz" % (result["lead"], result["rate_hz"]) for result in results)
    paced = sum(AAMI.get(code) == -1 for result in results for _, code in result["marks"])
    return ["leads: " + ", ".join("%s in %d" % pair for pair in sorted(heard.items())),
            "%d paced or unclassifiable beats count for detection, not for classes" % paced]
