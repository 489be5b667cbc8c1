"""What is not stated stays here; signal leaves by permission only, for a time; noise has the shape that it should have."""

import asyncio
import json
import math
import stat
from collections import Counter
from fractions import Fraction

import pytest

from gateway import app, config, discover, status
from gateway.core.errors import PluginError
from gateway.core.records import Summary
from gateway.noise import happens, laplace
from gateway.preview import preview
from gateway.privacy import Rules, judge, pseudonym
from gateway.privacy_settings import end_ms, key_of
from models.package import names

LEAVES = {"minute": {"beats": "a count", "classes": "counts", "signal": "the signal itself", "word": "a word"}}
SIGNAL = list(range(250))
SETTINGS = """
[gateway]
name = "gw"
data = '%s'
plugins = '%s'
[[sensor]]
name = "bed-1"
kind = "simulated"
feeds = "talker"
options = { seconds = 20 }
[[plugin]]
name = "talker"
kind = "talker"
[[uplink]]
name = "file"
kind = "file"
[[uplink]]
name = "hub"
kind = "http"
options = { url = "http://127.0.0.1:9/v1/batches" }
[[uplink]]
name = "broker"
kind = "mqtt"
options = { url = "mqtt://127.0.0.1:9" }
"""
TALKER = '''
from gateway.core.plugin import Plugin, Model
from gateway.core.records import Summary
MANIFEST = {"kind": "plugin", "name": "talker", "version": "1", "api": 1, "summary": "says more than it states", "runs_on": ("cpython",),
            "needs": (), "budget": {"ms": 10, "mb": 64}, %s"options": {}}
class Talker(Plugin):
    baseline = Model
    def push(self, block):
        data = {"beats": 60, "signal": list(block.values), "secret": "name of the patient", "note": "x" * 100}
        return [Summary(block.stream, "minute", "digest", block.t_ms, "all about " + block.stream, data),
                Summary(block.stream, "diary", "digest", block.t_ms, "never stated", {"n": 1})]
PLUGIN = Talker
'''
STATED = '"leaves": {"minute": {"beats": "a count", "signal": "the signal itself"}}, '


def summary(kind="minute", reason="60 beats", **data):
    return Summary("bed-1", kind, "digest", 5, reason, data)


def test_what_is_stated_leaves_and_nothing_else():
    passed, held, raw = judge(summary(beats=60, classes={"N": 59, "V": 1}, more=1, word="x" * 257), Rules(LEAVES), 0)
    assert passed.data == {"beats": 60, "classes": {"N": 59, "V": 1}} and held == ["minute.more", "minute.word"] and not raw
    assert judge(summary("diary", n=1), Rules(LEAVES), 0) == (None, ["diary"], False)
    assert len(judge(summary(reason="x" * 999), Rules(LEAVES), 0)[0].reason) == 200


def test_who_states_nothing_sends_single_numbers_and_short_words():
    data = {"n": 1, "x": 1.5, "yes": True, "none": None, "word": "x" * 64, "long": "x" * 65, "list": [1], "dict": {"a": 1}}
    passed, held, _ = judge(summary("anything", **data), Rules(), 0)
    assert list(passed.data) == ["n", "x", "yes", "none", "word"] and held == ["anything.long", "anything.list", "anything.dict"]


@pytest.mark.parametrize("signal", [
    SIGNAL, [SIGNAL[:20], SIGNAL[:20]], {"a": SIGNAL}, [[[1] * 33]], "A" * 257, {"k" * 300: 1}, {str(i): i for i in range(33)}])
def test_signal_leaves_by_permission_only_and_that_ends_by_itself(signal):
    rules = Rules(LEAVES, {"bed-1": ("study 12", "2026-12-31", end_ms("2026-12-31"))})
    others = Rules(LEAVES, {"bed-2": ("x", "2099-01-01", 1 << 60)})
    for permitted, now_ms in ((Rules(LEAVES), 0), (rules, end_ms("2026-12-31")), (others, 0)):
        assert judge(summary(signal=signal, beats=1), permitted, now_ms) == (summary(beats=1), ["minute.signal"], False)
    passed, held, raw = judge(summary(signal=signal, beats=1), rules, end_ms("2026-12-31") - 1)
    assert raw and not held and passed.data == {"signal": signal, "beats": 1, "raw_for": "study 12, until 2026-12-31"}
    assert judge(summary(signal=signal), Rules(None, rules.permits), 0)[0].data == {}  # who states nothing has no permission


def test_noise_has_the_shape_of_an_integer_laplace_distribution():
    for epsilon in (Fraction(1), Fraction(1, 4), Fraction(5, 2)):
        n, a = 20000, math.exp(-epsilon)
        seen = Counter(laplace(epsilon) for _ in range(n))
        for k in range(-3, 4):
            share = (1 - a) / (1 + a) * a ** abs(k)
            assert abs(seen[k] / n - share) < 6 * math.sqrt(share / n), (epsilon, k, seen[k] / n, share)
    hits = sum(happens(Fraction(7, 3)) for _ in range(20000))
    assert abs(hits / 20000 - math.exp(-7 / 3)) < 6 * math.sqrt(0.1 / 20000)


def test_noise_is_on_counts_and_said_and_nothing_beside_it_tells_them():
    rules = Rules(LEAVES, noise={"minute": (["beats", "classes.V", "classes.S", "word"], "1.0", [])})
    seen = [judge(summary(beats=60, classes={"N": 59, "V": 1}, word="60 beats"), rules, 0) for _ in range(50)]
    for passed, held, _ in seen:
        assert set(passed.data) == {"beats", "classes", "noise"} and set(passed.data["classes"]) == {"V", "S"}
        assert passed.data["noise"]["epsilon"] == 1.0 and "60" not in passed.reason and held == ["minute.word"]
    assert len({passed.data["beats"] for passed, _, _ in seen}) > 2 and len({passed.data["classes"]["S"] for passed, _, _ in seen}) > 2
    assert judge(summary(beats=1, classes={}, extra=1), rules, 0)[1] == ["minute.extra"]
    assert judge(summary(beats=1, classes="x"), rules, 0)[1] == ["minute.beside_noise"]
    plain = Rules(LEAVES, noise={"minute": (["beats"], "1.0", ["word"])})
    assert judge(summary(beats=60, word="w"), plain, 0)[0].data["word"] == "w"


def test_pseudonyms_are_stable_and_stand_in_all_words(tmp_path):
    key = key_of(tmp_path)
    assert key == key_of(tmp_path) and len(key) == 32 and stat.S_IMODE((tmp_path / "privacy.key").stat().st_mode) == 0o600
    alias, other = pseudonym(key, "bed-1"), pseudonym(key, "bed-12")
    rules = Rules(LEAVES, key=key, streams=["bed-1", "bed-12", "b"])
    passed, _, _ = judge(summary(reason="bed-1 is not bed-12", word="of bed-1, by", classes={"bed-1": 2}), rules, 0)
    assert passed.stream == alias and passed.reason == "%s is not %s" % (alias, other) and alias != other
    assert passed.data == {"word": "of %s, by" % alias, "classes": {alias: 2}} and "bed-1" not in json.dumps(passed.to_dict())
    assert pseudonym(b"another key", "bed-1") != alias


def gateway_of(folder, tail="", leaves=STATED):
    (folder / "plugins").mkdir(exist_ok=True)
    (folder / "plugins" / "talker.py").write_text(TALKER % leaves)
    return config.check_text(SETTINGS % (folder / "data", folder / "plugins") + tail, "heed.toml", names())


@pytest.mark.parametrize("leaves, held", [
    (STATED, {"held_back_minute.signal", "held_back_minute.secret", "held_back_minute.note", "held_back_diary"}),
    ("", {"held_back_minute.signal", "held_back_minute.note"})])
async def test_a_whole_gateway_holds_its_plugins_to_their_word(tmp_path, leaves, held, monkeypatch):
    monkeypatch.setattr(app, "DELIVERY_S", 2)
    chosen, faults = gateway_of(tmp_path, leaves=leaves)
    assert not faults
    await app.Gateway(chosen).run(until_end=True)
    shown = {part["name"]: part for part in status.read(tmp_path / "data")["parts"]}
    assert {name for name in shown["talker"]["counters"] if name.startswith("held_back")} == held
    records = [json.loads(line) for line in (tmp_path / "data" / "summaries.jsonl").read_text().splitlines()]
    assert records and all(set(r["data"]) <= ({"beats"} if leaves else {"beats", "secret", "n"}) for r in records)
    facts = await preview(chosen, 3)
    assert facts["records"] == 3 and facts["held_back"]["talker"].keys() == {name[len("held_back_"):] for name in held}
    assert [u["name"] for u in facts["uplinks"]] == ["file", "hub", "broker"] and "signal" not in json.dumps(facts["uplinks"])
    assert facts["uplinks"][2]["messages"][-1]["text"] == facts["uplinks"][1]["messages"][0]["text"]


async def test_a_dry_run_shows_what_would_leave_and_leaves_nothing_behind(tmp_path):
    permit = 'raw = [{ stream = "bed-1", to = "study", until = "2999-01-01" }]'
    chosen, faults = gateway_of(tmp_path, "[privacy]\npseudonyms = true\n%s\n" % permit)
    assert not faults
    facts = await preview(chosen, 2, 5)
    (alias, name), = facts["streams"].items()
    text = json.dumps(facts["uplinks"])
    assert facts["dry"] and name == "bed-1" and alias in text and "bed-1" not in text and "study, until 2999-01-01" in text
    assert "secret" not in text and sorted(p.name for p in (tmp_path / "data").iterdir()) == ["privacy.key"]


def test_the_settings_say_what_is_wrong_with_them(tmp_path):
    tail = """[privacy]
pseudonym = true
pseudonyms = "yes"
raw = ["bed-1", { stream = "bed-2", to = " ", until = "soon" }, { stream = "bed-1" }]
noise = [{ plugin = "ecg", kind = "minute", fields = ["beats"], epsilon = 1 },
  { plugin = "talker", kind = "minutes", fields = [], epsilon = 1.0 },
  { plugin = "talker", kind = "minute", fields = ["beat", "beats"], plain = ["beats"], epsilon = 1 },
  { plugin = "talker", kind = "minute", fields = ["beats"], epsilon = 0 }]
"""
    found = "\n".join(map(str, gateway_of(tmp_path, tail)[1]))
    for words in ('"pseudonym" unknown option: did you mean "pseudonyms"', "\"pseudonyms\" is 'yes'", "raw #1: is 'bed-1': write { stream",
                  'no [[sensor]] "bed-2"', "\"until\" is 'soon'", '"to" is empty', '"to" is missing', 'noise #1: no [[plugin]] "ecg"',
                  'sends no "minutes": did you mean "minute"', '"epsilon" is 0', 'no field "beat": did you mean "beats"',
                  '"beats" is to leave with noise and without'):
        assert words in found, "%s\nnot in\n%s" % (words, found)
    assert "[privacy]: is no table" in "\n".join(map(str, gateway_of(tmp_path, "")[1] or config.check_text("privacy = 3", "t", [])[1]))


def test_a_manifest_that_states_nonsense_is_found(tmp_path):
    for leaves in ('"leaves": ["minute"], ', '"leaves": {"minute": ["beats"]}, ', '"leaves": {"minute": {"beats": ""}}, '):
        (tmp_path / "talker.py").write_text(TALKER % leaves)
        with pytest.raises(PluginError, match="leaves"):
            discover.read_manifest(tmp_path / "talker.py")


@pytest.mark.parametrize("name", ["ecg", "generic"])
def test_our_own_plugins_state_what_leaves(name):
    assert discover.discover()[0]["plugin", name].manifest["leaves"]


async def test_what_our_ecg_sends_is_all_stated(tmp_path):
    text = SETTINGS.replace('"talker"', '"ecg"').replace("seconds = 20", "seconds = 200, ectopic = 10, flat_s = 60")
    text = text % (tmp_path / "data", tmp_path)
    chosen, faults = config.check_text(text.split("[[uplink]]")[0], "test", names())
    assert not faults
    gateway = app.Gateway(chosen)
    await asyncio.wait_for(gateway.run(until_end=True), 60)
    assert not [name for name in gateway.sources["ecg"]() if name.startswith("held_back")] and gateway.outbox.counters["accepted"] > 5
