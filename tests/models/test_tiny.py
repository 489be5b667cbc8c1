"""The ECG net in integers: near the float one, and the same bytes on every interpreter."""

import os
import subprocess
import sys

import numpy as np
import pytest

from gateway.core.records import Features
from gateway.testing import FakeContext
from models.attention import PackageModel
from models.package import folder_of
from tests.gates.portable import ROOT
from tests.test_interpreters import DEBIAN, WHEEL

SCRIPT = """
import sys
sys.path.insert(0, "")
from models.tiny import Net, new_state
with open("models/ecg/step_tiny.bin", "rb") as file:
    net = Net(file.read())
state, seed, check = new_state(), 1, 0
for beat in range(6):
    values = []
    for _ in range(223):
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        values.append(seed % 401 - 200)
    logits, maps = net.step(values[:208], values[208:], state)
    for value in logits + [w for block in maps for row in block for w in row]:
        check = (check * 31 + value) % 1000000007
print(check)
"""


def on(interpreter, folder):
    """What the script prints on an interpreter."""
    if not os.path.exists(interpreter):
        pytest.skip("%s is not here: make test fetches it" % interpreter)
    path = folder / "script.py"
    path.write_text(SCRIPT)
    done = subprocess.run([str(interpreter), str(path)], cwd=ROOT, capture_output=True, text=True, timeout=120,
                          env=dict(os.environ, MICROPYPATH=".:.frozen", PYTHONPATH="."))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("interpreter", [WHEEL, DEBIAN], ids=["wheel", "debian"])
def test_the_same_bytes(interpreter, tmp_path):
    assert on(interpreter, tmp_path) == on(sys.executable, tmp_path)


def test_it_answers_like_the_float_net():
    rng = np.random.default_rng(4)
    small, large = (PackageModel({"package": "ecg", "variant": v}, FakeContext()) for v in ("tiny", "float"))
    small.load()
    large.load()
    same, apart = 0, []
    for i in range(80):
        features = Features("s", i, 0, [rng.integers(-90, 90, 208), rng.integers(-60, 60, 15).tolist()], {})
        a, b = small.infer(features), large.infer(features)
        same += a.label == b.label
        apart.append(np.abs(np.array(a.scores) - b.scores).max())
    assert same >= 76 and np.mean(apart) < .03, (same, np.mean(apart))


def test_a_file_cut_short_is_refused(tmp_path):
    from gateway.core.errors import ModelError
    from models.tiny import Net
    data = (folder_of("ecg") / "step_tiny.bin").read_bytes()
    for broken in (data[:100], b"x" * 100, data[:-3]):
        with pytest.raises(ModelError):
            Net(broken)
