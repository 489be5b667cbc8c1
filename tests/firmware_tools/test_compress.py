"""heed model compress: smaller variants of a float package, measured; and what it refuses."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from firmware_tools.cli import main
from gateway import data
from models.package import Package, folder_of
from models.runtimes.litert import LiteRt


def heed(*words):
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output + repr(result.exception)
    return result.exit_code, result.output


def inputs_file(path, count=40):
    """An .npz of inputs for the vision graph."""
    rng = np.random.default_rng(1)
    np.savez(path, picture=rng.uniform(-1, 1, (count, 32, 32, 3)), bias=np.zeros((count, 2, 4, 64)), temperature=np.ones((count, 2, 4)))
    return path


def test_a_package_gets_smaller_and_stays_a_package(tmp_path):
    code, text = heed("model", "compress", "vision", "--data", inputs_file(tmp_path / "in.npz"), "--out", tmp_path / "small", "--json")
    facts = json.loads(text)
    rows = {row["name"]: row for row in facts["rows"]}
    assert code == 0 and facts["measure"].startswith("agreement") and {"float", "dynamic", "int8"} <= set(rows)
    assert rows["int8"]["bytes"] < rows["float"]["bytes"] / 3 and rows["dynamic"]["bytes"] < rows["float"]["bytes"] / 2.5
    assert rows["float"]["accuracy"] == 1 and rows["dynamic"]["accuracy"] > .8 and all(row["ms"] > 0 for row in rows.values())
    package = Package(tmp_path / "small")
    graph = LiteRt(package.variants["int8"].data(), "int8")
    assert {str(kind) for _, _, kind in graph.inputs.values()} == {"float32"}, "the plugin gives what it gave"
    assert heed("model", "verify", tmp_path / "small", "--variant", "int8")[0] == 0
    assert (tmp_path / "small" / "sizes.png").stat().st_size > 10000
    assert heed("model", "compress", "vision", "--out", tmp_path / "small")[0] == 1, "nothing is written over"


def test_pruning_and_distillation_say_what_they_need(tmp_path):
    try:
        import tensorflow  # noqa: F401
        pytest.skip("TensorFlow is here")
    except ImportError:
        pass
    _, text = heed("model", "compress", "vision", "--data", inputs_file(tmp_path / "in.npz"), "--out", tmp_path / "s", "--json")
    left_out = json.loads(text)["left_out"]
    assert set(left_out) == {"pruned", "pruned dynamic", "student", "student int8"} and all("heed-gateway[train]" in why for why in left_out.values())


def test_what_cannot_be_compressed_is_said(tmp_path, monkeypatch):
    code, text = heed("model", "compress", "ecg", "--out", tmp_path / "x")
    assert code == 2 and "--data" in text
    models = data.find("vision/models")
    if not models:
        pytest.skip("no models of others here: set HEED_DATA")
    monkeypatch.setenv("HEED_MODELS", str(tmp_path / "models"))
    heed("model", "import", models / "vww_96_int8.tflite", "--name", "vww")
    code, text = heed("model", "compress", "vww", "--out", tmp_path / "y")
    assert code == 1 and "no float graph" in text
    assert folder_of("vision").exists()
