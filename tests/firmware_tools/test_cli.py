"""The command line as a user types it: good input, bad input, exit codes, the next command."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner

from firmware_tools.cli import main
from gateway import data
from gateway.hub.store import SqliteStore


def heed(*words, cwd=None):
    """Run `heed WORDS`; gives (exit code, output)."""
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output + repr(result.exception)
    return result.exit_code, result.output


def test_help_names_every_noun():
    code, text = heed("--help")
    assert code == 0 and all(noun in text for noun in ("demo", "init", "check", "run", "status", "plugin", "data", "model", "bench"))


def test_init_check_and_the_next_command(tmp_path, monkeypatch, mitdb):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "heed.toml"
    assert heed("init", path)[1].endswith("next: heed check %s\n" % path)
    code, text = heed("check", path)
    assert code == 0 and "next: heed run" in text.replace("\n", " ")
    assert heed("init", path)[0] == 2


def test_check_opens_every_part_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    heed("init", "heed.toml")
    text = (tmp_path / "heed.toml").read_text()
    (tmp_path / "heed.toml").write_text(text.replace("ecg/mitdb/200", "nowhere").replace("ecg/demo/208demo", "nowhere"))
    code, output = heed("check", "--json")
    assert code == 2 and "no record nowhere" in json.loads(output)["faults"][0]["problem"]
    assert heed("check", "--no-open")[0] == 0


@pytest.mark.parametrize("text, words", [("[gateway\n", "is no TOML"), ('[[sensor]]\nname="x"\n', "is missing")])
def test_check_fails_with_2_and_says_where(tmp_path, text, words):
    path = tmp_path / "heed.toml"
    path.write_text(text)
    code, output = heed("check", path, "--json")
    faults = json.loads(output)["faults"]
    assert code == 2 and any(words in fault["problem"] for fault in faults) and all(fault["remedy"] for fault in faults)
    assert "[[sensor]]" in heed("check", path)[1] or "[[" not in text, "a table's brackets are no markup"


def test_check_names_the_table_at_fault(tmp_path):
    (tmp_path / "heed.toml").write_text("[gatway]\n")
    code, output = heed("check", tmp_path / "heed.toml")
    assert code == 2 and "[gatway]: unknown table" in " ".join(output.split())


def test_a_hub_federates_over_tls_with_a_hub_s_database_and_where_flower_is(tmp_path):
    store = SqliteStore(str(tmp_path / "hub.db"))
    store.open()
    store.close()
    hub = ("hub", "federate", "--database", tmp_path / "hub.db", "--superlink")
    assert heed(*hub, "far.example")[0] == heed(*hub, "far.example:8000", "--insecure")[0] == 2
    assert heed(*hub, "127.0.0.1:8000", "--insecure", "--database", tmp_path / "none.db")[0] == 2
    assert heed("hub", "federate")[0] == 2
    if not find_spec("flwr"):
        code, text = heed(*hub, "127.0.0.1:8000", "--insecure")
        assert code == 1 and "heed-gateway[flower]" in text
    assert (Path(heed("hub", "federate", "--app")[1].strip()) / "pyproject.toml").exists()


def test_usage_and_failure_have_different_codes(tmp_path):
    assert heed("run", tmp_path / "none.toml")[0] == 2
    assert heed("plugin", "show", "replya")[0] == 2
    assert heed("status", "--data", tmp_path)[0] == 1
    assert heed("demo", "--record", tmp_path / "none")[0] == 1
    assert heed("demo", "--nonsense")[0] == 2
    assert heed("model", "verify", tmp_path / "none")[0] == 1


def test_lists_are_facts():
    parts = json.loads(heed("plugin", "list", "--json")[1])["parts"]
    assert {"ecg", "traffic", "replay", "series", "simulated", "file", "http"} <= {part["name"] for part in parts}
    assert json.loads(heed("plugin", "show", "replay", "--json")[1])[0]["options"]["record"]["required"]
    assert {"ecg", "traffic", "traffic_single", "vision"} <= {package["name"] for package in json.loads(heed("model", "list", "--json")[1])}
    names = [row["name"] for row in json.loads(heed("data", "list", "--json")[1])]
    assert names[:2] == ["ecg/mitdb", "ecg/demo"] and "traffic/pems08" in names
    code, text = heed("data", "fetch", "vision/video")
    assert code == 1 and "sample-videos" in text and "HEED_DATA" in text
    assert len(json.loads(heed("data", "where", "--json")[1])) >= 2


def test_verify_says_what_is_sound():
    code, text = heed("model", "verify", "ecg", "--json")
    assert code == 0 and {v["state"] for v in json.loads(text)["variants"]} == {"sound"}


def test_the_demo_plays_a_real_recording_and_saves_pictures(tmp_path, mitdb):
    code, text = heed("demo", "--speed", "0", "--seconds", "60", "--plot", tmp_path)
    assert code == 0 and "beats (" in text and "next: heed init" in text
    assert list(tmp_path.glob("*.png"))


def test_the_traffic_demo_plays_a_network_and_a_file_of_ones_own(tmp_path, traffic):
    code, text = heed("demo", "traffic", "--speed", "0", "--hours", "2", "--plot", tmp_path)
    assert code == 0 and "24 slots, forecasts of sensor 77 off by" in text and len(list(tmp_path.glob("*.png"))) == 2
    own = traffic / "nab-realtraffic" / "occupancy_6005.csv"
    code, text = heed("demo", "traffic", "--csv", own, "--speed", "0", "--hours", "6", "--unit", "%")
    assert code == 0 and "forecasts of sensor value off by" in text
    assert heed("demo", "traffic", "--sensor", "none", "--speed", "0")[0] == 2
    assert heed("demo", "traffic", "--csv", tmp_path / "none.csv")[0] == 1


def test_models_judge_a_file_of_ones_own(traffic):
    own = traffic / "pems-single-site" / "test.csv"
    code, text = heed("model", "verify", "traffic_single", "--csv", own, "--columns", "Lane 1 Flow (Veh/5 Minutes)", "--variant", "baseline")
    assert code == 0 and "MAE, real targets" in text and "1 sensors, 1 known to the model" in text
    assert heed("model", "verify", "traffic", "--csv", own)[0] == 1, "the network knows none of these sensors"
    assert heed("model", "verify", "traffic_single", "--csv", own, "--step", "often")[0] == 2
    assert heed("model", "verify", "ecg", "--csv", own)[0] == 2
    assert heed("model", "train", "nothing")[0] == 2


def test_data_is_looked_for_where_it_is_said(tmp_path, monkeypatch):
    (tmp_path / "ecg").mkdir()
    (tmp_path / "ecg" / "r.hea").write_text("x")
    monkeypatch.setenv("HEED_DATA", str(tmp_path))
    assert data.find("ecg/r") == tmp_path / "ecg" / "r"
    assert heed("data", "fetch", "ecg/nothing")[0] == 1


def test_the_sync_demo_cuts_the_line_and_loses_nothing(mitdb):
    code, text = heed("demo", "sync", "--seconds", 6, "--cut", 1, 2.5, "--json")
    facts = json.loads(text[text.index("{\n"):])
    assert code == 0 and facts["accepted"] == facts["arrived"] > 50 and facts["lost"] == facts["doubled"] == 0
    assert facts["most_waiting"] > 5 and "cut" in text
