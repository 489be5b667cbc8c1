"""heed bench adapt: few labels, poison, what learning costs, what gateways learn together, traffic that labels itself, denied reports."""

import time

from firmware_tools.bench import adapt_ecg, adapt_fleet, adapt_time, adapt_traffic, adapt_vision
from firmware_tools.bench.patients import patients_in, patients_of
from firmware_tools.bench.pipeline import environment
from firmware_tools.evaluate import ready
from firmware_tools.recordings import ecg_folder
from models.ecg.recipe.data import names
from models.package import Package, folder_of
from models.twin import Twin

GATES = {"ecg_sveb_f1_5": (.75, .82, True), "ecg_veb_f1_5": (.91, .94, True), "ecg_sveb_f1_20": (.80, .88, True),
         "ecg_veb_f1_20": (.92, .95, True), "ecg_sveb_f1_50": (.82, .90, True), "ecg_veb_f1_50": (.93, .96, True),
         "ecg_sveb_f1_20_without_232": (.40, .60, True), "ecg_asked_minus_first_20": (.05, .05, True),
         "ecg_worst_record_change": (-.02, 0, True), "gradient_step_over_forward": (4, 4, False), "inference_p99_change": (.05, .05, False),
         "poison_f1_loss": (.01, 0, False), "fleet_poisoned_gateway_loss": (.01, 0, False), "hub_updates_per_min": (1000, 1000, True),
         **adapt_traffic.GATES, **adapt_vision.GATES}
QUICK = ("231", "221", "213", "123")


def measure(quick, folder=None, csv=None, only=None):
    """The benchmark's one object. folder: WFDB records with labels of a user's own, in place of DS2; csv: traffic of a user's own, in
    place of PEMS08; only: "ecg", "traffic" or "vision", for one of them."""
    began, figures, baselines = time.monotonic(), {}, {}
    for name, part in (("ecg", lambda: labels(quick, folder)), ("traffic", lambda: adapt_traffic.measure(quick, csv)),
                       ("vision", lambda: adapt_vision.measure(quick))):
        if only in (None, name):
            found, beside = part()
            figures.update(found)
            baselines.update(beside)
    return {"bench": "adapt", "figures": figures, "gates": gates(figures), "baselines": baselines, "environment": environment(),
            "seconds": time.monotonic() - began}


def labels(quick, folder):
    """(figures, baselines) of what is learnt from labels."""
    package = Package(folder_of("ecg"))
    twin, anchors, model = Twin(package), package.anchors(), ready("ecg", "float")
    patients = patients_in(model, folder) if folder else patients_of(model, QUICK if quick else names(ecg_folder(), "DS2"))
    figures, baselines, before = adapt_ecg.few_labels(patients, twin, anchors)
    baselines.update(adapt_ecg.variants(patients, twin, anchors, model, list(adapt_ecg.VARIANTS)[:1 if quick else None]))
    losses = adapt_ecg.poison(patients, twin, anchors, before, adapt_ecg.POISONS[:1] if quick else adapt_ecg.POISONS)
    figures["poison_f1_loss"], baselines["poison, loss of macro F1"] = max(losses.values()), losses
    pairs = 2 if quick else adapt_time.PAIRS
    for part in (adapt_time.gradient(twin, patients[0].moments), adapt_time.interference(model, patients[0], twin, anchors, pairs),
                 adapt_fleet.fleet(patients, twin, anchors)):
        figures.update(part[0])
        baselines.update(part[1])
    figures["hub_updates_per_min"] = adapt_fleet.updates_per_minute(200 if quick else 1000)
    return figures, baselines


def gates(figures):
    """Gates of what was measured; a gate that is a name is that figure of the same run."""
    return [{"key": key, "value": figures[key], "gate": shown(gate, figures), "moonshot": shown(moon, figures),
             "met": bool(figures[key] >= figures.get(gate, gate) if more else figures[key] <= figures.get(gate, gate))}
            for key, (gate, moon, more) in GATES.items() if key in figures]


def shown(gate, figures):
    """A gate as a number."""
    return round(figures[gate], 4) if gate in figures else gate
