"""heed attention and heed feedback on a gateway's files."""

import json
from collections import Counter

import numpy as np
import pytest
from click.testing import CliRunner

from firmware_tools.cli import main
from firmware_tools.cli.attention import origin_of
from gateway.attention.alarms import Alarms
from gateway.attention.feedback import Door
from gateway.attention.guard import Verdict
from gateway.attention.moments import Moment, Moments
from gateway.attention.state import AttentionState
from gateway.attention.store import FILE, AttentionStore


@pytest.fixture
def gateway(tmp_path):
    """A data folder with two versions of a stream, and one question."""
    store = AttentionStore(tmp_path / FILE)
    origin = origin_of("ecg 0.1.0")
    store.introduce("bed", origin.package, origin.classes, 0)
    for parent in (0, 1):
        moved = origin.copy()
        moved["head_b"][1] -= parent + 1
        store.adopt(AttentionState("bed", origin.package, 0, parent, 5, "because", {}, moved))
    Door(Moments(store, Counter()), origin.classes, 0, Counter()).ask(
        Moment("bed", 7, 5, "N", .5, np.zeros(24, np.float32), [np.zeros(3)], {}), "unsure")
    return tmp_path


def run(gateway, *words, fails=0):
    found = CliRunner().invoke(main, [*words, "--data", str(gateway)])
    assert found.exit_code == fails, (found.output, found.exception)
    return found.output


def test_look_at_it_and_take_it_back(gateway):
    assert json.loads(run(gateway, "attention", "show", "--json"))["streams"][0]["version"] == 2
    assert len(json.loads(run(gateway, "attention", "history", "bed", "--json"))["versions"]) == 2
    assert json.loads(run(gateway, "attention", "diff", "bed", "0", "2", "--json"))["head_b"]["largest"] == pytest.approx(2, abs=1e-4)
    run(gateway, "attention", "rollback", "bed")
    assert AttentionStore(gateway / FILE).current("bed")[0].version == 1
    run(gateway, "attention", "reset", "bed")
    run(gateway, "attention", "freeze", "bed")
    assert AttentionStore(gateway / FILE).current("bed") == (None, True)
    assert "is as shipped" in run(gateway, "attention", "rollback", "bed", fails=2)


def test_carry_it_elsewhere(gateway, tmp_path):
    out = tmp_path / "bed.json"
    run(gateway, "attention", "export", "bed", "--out", str(out))
    run(gateway, "attention", "import", str(out), "--stream", "other")
    store = AttentionStore(gateway / FILE)
    assert np.allclose(store.current("other")[0].parameters["head_b"], store.current("bed")[0].parameters["head_b"])
    changed = json.loads(out.read_text())
    changed["parameters"]["head_b"][0] += 1
    out.write_text(json.dumps(changed))
    assert "was changed" in run(gateway, "attention", "import", str(out), fails=2)


def test_ask_give_list(gateway):
    assert json.loads(run(gateway, "feedback", "ask", "--json"))["asked"][0]["seq"] == 7
    assert "taken" in run(gateway, "feedback", "give", "bed", "7", "S")
    assert "waiting" in run(gateway, "feedback", "give", "bed", "900", "S")
    assert json.loads(run(gateway, "feedback", "ask", "--json"))["asked"] == []
    assert [word["verdict"] for word in json.loads(run(gateway, "feedback", "list", "bed", "--json"))["words"]] == ["taken", "waiting"]
    assert "one of N, S, V, F" in run(gateway, "feedback", "give", "bed", "7", "X", fails=2)
    assert 'no stream "bad"' in run(gateway, "feedback", "give", "bad", "7", "S", fails=2)


def test_look_before_labelling_or_leave_it(gateway, tmp_path):
    facts = json.loads(run(gateway, "feedback", "show", "bed", "7", "--json", "--svg", str(tmp_path / "beat.svg")))
    assert facts["guess"] == "N" and "trace" not in facts and (tmp_path / "beat.svg").read_text().startswith("<svg")
    assert "was never here" in run(gateway, "feedback", "show", "bed", "8", fails=2)
    assert "skipped" in run(gateway, "feedback", "skip", "bed", "7") and "not asked for" in run(gateway, "feedback", "skip", "bed", "7", fails=2)
    assert json.loads(run(gateway, "feedback", "ask", "--json"))["asked"] == []


def test_answer_an_alarm(gateway):
    alarms = Alarms(AttentionStore(gateway / FILE))
    run(gateway, "feedback", "give", "bed", "7", "S")
    assert "no alarm of bed" in run(gateway, "feedback", "confirm", "bed", fails=2)
    for verb, answer in (("confirm", "confirmed"), ("deny", "denied")):
        alarms.note("bed", Verdict(False, "trust", "right patient?", {}))
        assert "right patient?" in run(gateway, "feedback", "alarms")
        assert "cannot answer" in run(gateway, "feedback", verb, "bed", "--by", "user:x", fails=2)
        assert "1 labels" in run(gateway, "feedback", verb, "bed", "--by", "clinician:a")
        assert "no labels are doubted" in run(gateway, "feedback", "alarms")
        assert json.loads(run(gateway, "attention", "history", "bed", "--json"))["alarms"][-1]["answer"] == answer
    assert json.loads(run(gateway, "feedback", "list", "bed", "--json"))["words"][0]["verdict"] == "denied"
    assert json.loads(run(gateway, "attention", "show", "--json"))["streams"][0]["version"] == 0


def test_nothing_learnt_here(tmp_path):
    assert "nothing was learnt" in run(tmp_path, "attention", "show", fails=2)


def test_three_gateways_and_a_hub_close_the_loop(mitdb):
    done = CliRunner().invoke(main, ["demo", "fleet"])
    assert done.exit_code == 0, (done.output, done.exception)
    assert "round closed: 3 gateways, masked: True" in done.output and done.output.count("learnt together by 3 gateways") == 3
