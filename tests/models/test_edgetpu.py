"""The Edge TPU's whole life, with a stand-in delegate built here from C: absent, refused, there, lost, back."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gateway import data
from gateway.core.errors import ModelError
from models.runtimes import edgetpu

HERE = Path(__file__).parent
LIFE = """
import json, os, sys
import numpy as np
from gateway.core.records import Features
from gateway.testing import FakeContext
from models.attention import PackageModel, RETRY_MS
model = PackageModel({"package": sys.argv[1]}, FakeContext())
model.load()
told = []
def infer():
    told.append(model.infer(Features("s", 0, 0, [np.zeros(784)], {})).variant)
infer()
infer()
os.environ.pop("FAKE_EDGETPU_DIES")
os.environ["FAKE_EDGETPU"] = "absent"
infer()
model.context.clock.now += RETRY_MS
infer()
del os.environ["FAKE_EDGETPU"]
model.context.clock.now += RETRY_MS
infer()
print(json.dumps([told, model.context.counters]))
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """The stand-in, built."""
    if not shutil.which("cc"):
        pytest.skip("no C compiler: apt-get install gcc")
    path = tmp_path_factory.mktemp("tpu") / "libfake.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(path), str(HERE / "fake_edgetpu.c")], check=True)
    return str(path)


def test_absent_library():
    with pytest.raises(ModelError) as caught:
        edgetpu.delegate("libnothing.so")
    assert "libnothing.so" in caught.value.message and "libedgetpu" in caught.value.hint


def test_absent_device(library, monkeypatch):
    monkeypatch.setenv("FAKE_EDGETPU", "absent")
    # libraries keep their own view of the environment that C sees: ask in a process of its own
    done = subprocess.run([sys.executable, "-c", "from models.runtimes.edgetpu import delegate\n"
                           "from gateway.core.errors import ModelError\n"
                           "try:\n    delegate(%r)\nexcept ModelError as error:\n    print(error)" % library],
                          capture_output=True, text=True, env=dict(os.environ, FAKE_EDGETPU="absent"))
    assert "gives no Edge TPU" in done.stdout and "no device is plugged in" in done.stdout, done.stdout + done.stderr


@pytest.fixture
def twins(tmp_path):
    """A package with a compiled graph and its CPU twin, by others."""
    folder = data.find("vision/models")
    if not folder:
        pytest.skip("no compiled models here: set HEED_DATA to a folder with vision/models")
    files = {"edgetpu": "keras_lstm_mnist_ptq_edgetpu.tflite", "litert": "keras_lstm_mnist_ptq.tflite"}
    for file in files.values():
        shutil.copy(folder / file, tmp_path / file)
    variants = [{"name": runtime, "runtime": runtime, "file": file, "bytes": 0, "parameters": 0, "mflop": 0,
                 "sha256": hashlib.sha256((tmp_path / file).read_bytes()).hexdigest()} for runtime, file in files.items()]
    from models.runtimes.litert import LiteRt
    twin = LiteRt((tmp_path / files["litert"]).read_bytes(), "twin")
    (name, (_, shape, _)), (scores, (_, out, _)) = next(iter(twin.inputs.items())), next(iter(twin.outputs.items()))
    manifest = {"name": "twins", "version": "1", "api": 1, "domain": "generic", "variants": variants, "fallback": ["edgetpu", "litert"],
                "inputs": [{"name": name, "shape": [int(n) for n in shape], "dtype": "uint8", "scale": 1.0}],
                "classes": [str(i) for i in range(out[-1])], "scores": scores, "controls": {}, "state": []}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    return tmp_path


def test_without_a_stick_the_cpu_twin_runs(twins):
    done = subprocess.run([sys.executable, "-c", LIFE.split("infer()\ninfer()")[0] + "infer()\nprint(told)", str(twins)],
                          capture_output=True, text=True, env=dict(os.environ, HEED_EDGETPU="libnothing.so"))
    assert "['litert']" in done.stdout, done.stdout + done.stderr


def test_lost_in_use_and_back(twins, library):
    done = subprocess.run([sys.executable, "-c", LIFE, str(twins)], capture_output=True, text=True,
                          env=dict(os.environ, HEED_EDGETPU=library, FAKE_EDGETPU_DIES="2"))
    assert done.returncode == 0, done.stderr
    told, counters = json.loads(done.stdout.strip().splitlines()[-1])
    assert told == ["edgetpu", "litert", "litert", "litert", "edgetpu"], told
    assert counters["inferences_failed"] == 1 and counters["variants_returned"] == 1
