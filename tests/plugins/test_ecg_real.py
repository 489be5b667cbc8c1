"""The ECG plugin on real recordings, through the code that runs on the gateway."""

import numpy as np

from firmware_tools import verify_ecg
from firmware_tools.evaluate import options_of, ready
from firmware_tools.recordings import ecg_folder, read
from gateway.testing import FakeContext
from models.ecg.recipe.data import names as record_names
from plugins.ecg import kernels_fast, kernels_plain
from plugins.ecg.beats import BeatMaker
from plugins.ecg.plugin import MANIFEST, EcgPlugin
from plugins.ecg.qrs import QrsDetector


def tokens(samples, kernels):
    detector, maker, out = QrsDetector(360, kernels), BeatMaker(360, kernels), []
    for at in range(0, len(samples), 180):
        part = kernels.convert(samples[at:at + 180])
        out += maker.push(part, detector.push(part))
    return [(int(r), [int(v) for v in beat], rr, facts) for r, (beat, rr), facts in out]


def test_numpy_and_plain_give_the_same_integers(mitdb):
    samples = read(mitdb / "208")[0][:360 * 60]
    assert tokens(samples, kernels_fast) == tokens(samples.tolist(), kernels_plain)


def judged(mitdb, names):
    model = ready("ecg", "float")
    results = [verify_ecg.end_to_end(lambda: EcgPlugin(options_of(MANIFEST), FakeContext()), model, mitdb / name) for name in names]
    return verify_ecg.counts(results, options_of(MANIFEST)), results


def test_the_detector_on_training_records(mitdb):
    found, _ = judged(mitdb, ["101", "119", "209", "223"])
    assert found["figures"]["qrs_se"] > .995 and found["figures"]["qrs_pp"] > .995


def test_a_quiet_patient_is_left_in_peace(mitdb):
    found, results = judged(mitdb, ["101", "115", "122"])
    assert found["figures"]["false_alarms_per_hour"] < 1 and found["figures"]["false_v_per_hour"] < 5


def test_runs_are_found_where_they_are(mitdb):
    _, results = judged(mitdb, ["205"])
    alarms = [event for event in results[0]["events"] if event.data["event"] == "run"]
    assert alarms and all("ventricular" in event.reason and event.data["attended"] for event in alarms)


def test_the_model_beats_the_rules(mitdb):
    figures = {}
    for variant in ("float", "int8", "baseline"):
        tables = verify_ecg.judge(ready("ecg", variant), ecg_folder(), record_names(ecg_folder(), "DS2"))
        figures[variant] = verify_ecg.summary(tables)["pooled"]
    for cls in "SV":
        assert figures["float"][cls]["f1"] > figures["baseline"][cls]["f1"] + .05
        assert abs(figures["float"][cls]["f1"] - figures["int8"][cls]["f1"]) < .03


def test_a_second_lead_and_upside_down(mitdb):
    samples, rate_hz, marks = read(mitdb / "119")
    beats = [at for at, code in marks if code in "NVSALRFE" and at > 3 * rate_hz]
    for signal in (samples[:360 * 300], 2048 - samples[:360 * 300]):
        detector = QrsDetector(rate_hz)
        found = np.array(detector.push(signal))
        near = [at for at in beats if at < 360 * 297 and np.abs(found - at).min() <= 54]
        assert len(near) >= .98 * len([at for at in beats if at < 360 * 297])
