"""Whether a package is what it says: digests, shapes, a run, and its figures on annotated records."""

from collections import Counter
from pathlib import Path

from firmware_tools import verify_ecg
from firmware_tools.recordings import ecg_folder
from gateway.context import GatewayContext
from gateway.core.errors import HeedError, ModelError
from models.attention import PackageModel
from models.ecg.recipe.data import AAMI, names as record_names
from models.package import Package, folder_of
from plugins.ecg.plugin import MANIFEST as ECG, EcgPlugin


def options_of(manifest):
    """Default options."""
    return {name: spec["default"] for name, spec in manifest["options"].items()}


def ready(package, variant):
    """A model that runs exactly this variant; "baseline" is the domain's rules. Raises ModelError."""
    context = GatewayContext("verify", ".")
    model = PackageModel({"package": package, "variant": variant}, context, EcgPlugin.baseline({}, context))
    model.load()
    return model


def verify_package(name, variant=None, evaluate=False, folder=None):
    """{"name", "variants": [{"name", "state", "why", "tables", "lines"}]}."""
    package = Package(folder_of(name))
    wanted = [variant] if variant else [*package.variants, "baseline"]
    return {"name": package.name, "variants": [verify_variant(name, each, evaluate, folder) for each in wanted]}


def verify_variant(name, variant, evaluate, folder):
    """One variant's verdict."""
    try:
        model = ready(name, variant)
    except ModelError as error:
        return {"name": variant, "state": "broken", "why": error.message}
    found = {"name": variant, "state": "sound"}
    if evaluate:
        found.update(figures_on(model, folder))
    return found


def figures_on(model, folder):
    """Tables and lines of an evaluation on DS2, or on a folder of the user's."""
    if folder:
        return own_records(model, sorted(path.with_suffix("") for path in Path(folder).glob("*.atr")))
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
