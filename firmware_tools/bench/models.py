"""heed bench models: accuracy of the packaged models on their test parts, and what streaming, controls and calls cost."""

import time

import numpy as np

from firmware_tools import verify_ecg
from firmware_tools.bench import models_vision, traffic
from firmware_tools.bench.pipeline import environment
from firmware_tools.bench.variants import best_window, inputs_of, measure as variants
from firmware_tools.evaluate import ready
from firmware_tools.evaluate_ecg import own_records
from firmware_tools.recordings import ecg_folder
from models.caches import Caches
from models.ecg.recipe.data import names
from models.package import Package, folder_of
from models.runtimes.litert import LiteRt

# key: (gate, moonshot, whether more is better)
GATES = {"ecg_sveb_f1": (.60, .72, True), "ecg_veb_f1": (.90, .94, True), "ecg_sveb_f1_without_232": (.30, .50, True),
         "ecg_parameters": (60000, 20000, False), "ecg_int8_loss": (.03, .01, False), "ecg_qrs_se": (.995, .998, True),
         "ecg_qrs_pp": (.990, .998, True), "stream_gain_32": (2.5, 5, True), "stream_gain_128": (6, 15, True),
         "stream_gain_512": (20, 40, True), "control_cost": (1.2, 1.1, False), "call_overhead": (1.1, 1.05, False)}
OTHERS = (traffic.parts, models_vision.parts)  # the other domains: (figures, gates, baselines) of each
QUICK = ("100", "200", "213", "231")


def accuracy(records):
    """Figures on annotated beats and end to end, int8, with float and the rules beside it."""
    root = ecg_folder()
    judged = {v: verify_ecg.summary(verify_ecg.judge(ready("ecg", v), root, records)) for v in ("int8", "float", "baseline")}
    whole = own_records(ready("ecg", "int8"), [root / "mitdb" / name for name in records])
    pooled, classes = judged["int8"]["pooled"], whole["tables"]["end to end, our own detector"]
    figures = {
        "ecg_sveb_f1": pooled["S"]["f1"], "ecg_veb_f1": pooled["V"]["f1"], "ecg_f_f1": pooled["F"]["f1"],
        "ecg_macro_f1_nsv": pooled["macro_f1_nsv"], "ecg_sveb_f1_without_232": judged["int8"]["without_232"]["S"]["f1"],
        "ecg_int8_loss": max(judged["float"]["pooled"][c]["f1"] - pooled[c]["f1"] for c in "SV"),
        "ecg_qrs_se": whole["figures"]["qrs_se"], "ecg_qrs_pp": whole["figures"]["qrs_pp"],
        "ecg_false_alarms_per_hour": whole["figures"]["false_alarms_per_hour"],
        "ecg_false_v_per_hour": whole["figures"]["false_v_per_hour"], "ecg_false_s_per_hour": whole["figures"]["false_s_per_hour"],
        "ecg_end_to_end_sveb_f1": classes["S"]["f1"], "ecg_end_to_end_veb_f1": classes["V"]["f1"]}
    baselines = {"rules": {"ecg_%s_f1" % n: judged["baseline"]["pooled"][c]["f1"] for n, c in (("sveb", "S"), ("veb", "V"))}}
    return {key: float(value) for key, value in figures.items()}, baselines


def speed(windows):
    """Ratios of graphs run in turn in this process, and their times in us."""
    package = Package(folder_of("ecg"))
    us = {}
    for path in sorted((package.folder / "speed").glob("*.tflite")):
        graph = LiteRt(path.read_bytes(), path.name)
        values = inputs_of(graph, package)
        values.update({name: np.ones(shape, dtype) for name, (_, shape, dtype) in graph.inputs.items() if name in ("bias", "temperature")})
        graph.run(values)
        us[path.stem] = best_window(graph.invoke, windows)[0]
        if path.stem == "step_32":
            us.update(calls(graph, windows))
    figures = {"stream_gain_%d" % band: us["window_%d" % band] / us["step_%d" % band] for band in (32, 128, 512)}
    figures["control_cost"] = us["step_32"] / us["step_plain"]
    figures["call_overhead"] = us["call"] / us["bare"]
    figures["call_overhead_over_invoke"] = us["call"] / us["step_32"]
    figures["call_overhead_switching"] = us["call_switching"] / us["bare"]
    return figures, us


def calls(graph, windows):
    """us of the gateway's call of a step, of the bare C-level one with the same state handed over, and of two streams by turns.

    Inputs are in no figure: features are scaled into the graph's own memory, which is what a bare caller does too.
    """
    caches, streams = Caches(graph, [("k", "k_out"), ("v", "v_out")], None), ["a", "b"]
    (k, k_out), (v, v_out), invoke = *caches.pairs, graph.invoke

    def bare():
        k[:] = k_out
        v[:] = v_out
        invoke()

    def call(stream="a"):
        out = caches.run(stream)
        return out["logits"], out["maps"].copy()

    def switching():
        streams.reverse()
        call(streams[0])

    us = [(best_window(bare, windows)[0], best_window(call, windows)[0]) for _ in range(3)]
    found = dict(zip(("bare", "call"), min(us, key=sum)))
    found["call_switching"] = best_window(switching, windows)[0]
    return found


def measure(quick):
    """The benchmark's one object."""
    began = time.monotonic()
    figures, baselines = accuracy(QUICK if quick else names(ecg_folder(), "DS2"))
    ratios, us = speed(10 if quick else 40)
    figures.update(ratios, ecg_parameters=Package(folder_of("ecg")).manifest["variants"][0]["parameters"])
    baselines["graphs_us"] = us
    baselines["variants"] = variants("ecg")
    gates = [{"key": key, "value": figures[key], "gate": gate, "moonshot": moon,
              "met": bool(figures[key] >= gate if more else figures[key] <= gate)} for key, (gate, moon, more) in GATES.items()]
    for part in OTHERS:
        more, its_gates, rivals = part(quick)
        figures.update(more)
        gates += its_gates
        baselines.update(rivals)
    return {"bench": "models", "figures": figures, "gates": gates, "baselines": baselines, "environment": environment(),
            "seconds": time.monotonic() - began}
