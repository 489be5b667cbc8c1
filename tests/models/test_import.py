"""Any TFLite file becomes a package and runs by settings alone, or is refused with one clear line."""

import json

import pytest
from click.testing import CliRunner

from firmware_tools.cli import main
from gateway import app, config, data
from gateway.core.errors import ModelError
from models.importer import look
from models.package import folder_of, names

REFUSED = {"keras_lstm_mnist_ptq_edgetpu": "edgetpu-custom-op", "mobilenet_v1_0.25_128_quant_edgetpu": "edgetpu-custom-op",
           "split_concat_edgetpu": "edgetpu-custom-op", "model_invoking_error": "fake-op-double", "person_detect": "quantized_dimension"}
SETTINGS = """
[gateway]
data = '%s'
[[sensor]]
name = "s"
kind = "simulated"
feeds = "p"
options = { seconds = 130 }
[[plugin]]
name = "p"
kind = "generic"
model = "%s"
options = { length = [208, 15] }
[[uplink]]
name = "file"
kind = "file"
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.setenv("HEED_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def heed(*words):
    result = CliRunner().invoke(main, list(map(str, words)))
    return result.exit_code, result.output


def test_files_that_no_one_here_wrote():
    folder = data.find("vision/models")
    if not folder:
        pytest.skip("no models of others here: set HEED_DATA to a folder with vision/models")
    for file in sorted(folder.glob("*.tflite")):
        if file.stem in REFUSED:
            with pytest.raises(ModelError) as caught:
                look(file)
            assert REFUSED[file.stem] in caught.value.message and len(caught.value.message) < 300 and caught.value.hint
        else:
            assert look(file)["outputs"]


def test_a_file_that_crashes_the_runtime_costs_a_process_not_the_gateway(tmp_path):
    whole = (folder_of("ecg") / "step_float.tflite").read_bytes()
    for cut in (len(whole) // 2, len(whole) - 3000):
        (tmp_path / "cut.tflite").write_bytes(whole[:cut])
        with pytest.raises(ModelError) as caught:
            look(tmp_path / "cut.tflite")
        assert "cut.tflite" in caught.value.message


async def test_imported_benched_run_and_removed(own, tmp_path):
    file = folder_of("ecg") / "grad.tflite"
    assert heed("model", "import", tmp_path / "none.tflite")[0] == 1
    code, text = heed("model", "import", file, "--name", "mine")
    assert code == 0 and "next: heed model bench mine" in text and "mine" in names()
    assert heed("model", "import", file, "--name", "mine")[0] == 1
    assert json.loads(heed("model", "bench", "mine", "--json")[1])["variants"][0]["p50_us"] > 0
    assert heed("model", "remove", "mine")[0] == 0 and "mine" not in names()
    assert heed("model", "remove", "ecg")[0] == 2


async def test_a_gateway_runs_a_model_that_it_knows_nothing_of(own, tmp_path):
    manifest = json.loads((folder_of("ecg") / "manifest.json").read_text())
    assert heed("model", "install", folder_of("ecg"))[0] == 0
    chosen, faults = config.check_text(SETTINGS % (tmp_path / "data", own / "ecg"), "test", names())
    assert not faults
    await app.Gateway(chosen).run(until_end=True)
    lines = [json.loads(line) for line in (tmp_path / "data" / "summaries.jsonl").read_text().splitlines()]
    assert any(line["kind"] == "minute" for line in lines)
    assert set(lines[0]["data"].get("counts", {"N": 1})) <= set(manifest["classes"])


@pytest.mark.parametrize("target", ["edgetpu", "tiny"])
def test_check_says_what_a_target_takes(target):
    code, text = heed("model", "check", "ecg", "--target", target, "--json")
    facts = json.loads(text)
    assert code == 0 and sum(row["count"] for row in facts["ops"]) > 50 and facts["verdict"]
    taken = {row["op"]: row["taken"] for row in facts["ops"]}
    assert taken["BATCH_MATMUL"] == (target == "tiny")
