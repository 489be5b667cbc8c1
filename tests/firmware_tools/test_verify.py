"""heed model verify --data: anybody's records, with what is odd about them said."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from firmware_tools.cli import main
from firmware_tools.recordings import beat_lead, read
from gateway.core.errors import HeedError

CODES = {"N": 1, "V": 5, "/": 12}


def record(folder, name, leads, marks, rate_hz=360, names=("V5", "ECG")):
    """Writes a WFDB record of format 16. leads: arrays; marks: [(sample, code)]."""
    samples = np.stack(leads, 1)
    (folder / (name + ".dat")).write_bytes(samples.astype("<i2").tobytes())
    head = ["%s %d %d %d" % (name, len(leads), rate_hz, len(samples))]
    (folder / (name + ".hea")).write_text("\n".join(head + ["%s.dat 16 200/mV 16 0 0 0 0 %s" % (name, n) for n in names[:len(leads)]]) + "\n")
    words, last = [], 0
    for at, code in marks:
        words, last = words + [CODES[code] << 10 | at - last], at
    (folder / (name + ".atr")).write_bytes(np.array(words + [0], "<u2").tobytes())
    return folder / name


@pytest.fixture
def stretch(mitdb):
    """(samples, marks) of three minutes of record 119, beats only."""
    samples, _, marks = read(mitdb / "119")
    return samples[:360 * 180] - 1024, [(at, code) for at, code in marks if code in "NV" and at < 360 * 179]


def verify(folder):
    done = CliRunner().invoke(main, ["model", "verify", "ecg", "--evaluate", "--variant", "int8", "--data", str(folder), "--json"])
    return done.exit_code, done.output


def test_what_is_odd_is_said(tmp_path, stretch):
    samples, marks = stretch
    record(tmp_path, "flat", [samples * 0, samples], marks)
    record(tmp_path, "paced", [samples], [(at, "/" if i % 10 == 0 else code) for i, (at, code) in enumerate(marks)])
    record(tmp_path, "slow", [samples[::6]], [], 60)
    record(tmp_path, "bare", [samples], [])
    (record(tmp_path, "cut", [samples], marks).with_suffix(".dat")).write_bytes(b"")
    code, text = verify(tmp_path)
    found = json.loads(text[text.index("{"):])["variants"][0]
    assert code == 0 and found["figures"]["qrs_se"] > .98 and found["figures"]["false_alarms_per_hour"] == 0
    said = "\n".join(found["lines"])
    assert "ECG at 360 Hz in 1, V5 at 360 Hz in 1" in said and "%d paced" % len(marks[::10]) in said
    for name, why in (("slow", "60 Hz"), ("bare", "no annotated beats"), ("cut", "cut short")):
        assert [line for line in found["lines"] if "left out" in line and name in line and why in line], said


def test_nothing_to_judge(tmp_path, stretch):
    assert verify(tmp_path)[0] == 1
    record(tmp_path, "flat", [stretch[0] * 0], stretch[1])
    code, text = verify(tmp_path)
    assert code == 1 and "every lead is flat" in text


def test_missing_samples_hold_the_last_value(tmp_path, stretch):
    samples, marks = stretch
    holed = samples.copy()
    holed[:50] = holed[5000:5400] = -32768
    kept = beat_lead(record(tmp_path, "holed", [holed], marks))[0]
    assert (kept[5000:5400] == samples[4999]).all() and (kept[:50] == samples[50]).all() and (kept[5400:] == samples[5400:]).all()
    with pytest.raises(HeedError):
        beat_lead(record(tmp_path, "void", [samples * 0 - 32768], marks))
