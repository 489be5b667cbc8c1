"""Reports that are confirmed or denied: kept, answered through the one door, and handed to the plugin as what it is to remember."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from firmware_tools.cli import main
from gateway import app, config
from gateway.attention import reports as module
from gateway.attention.feedback import Door, Feedback
from gateway.attention.moments import Moments
from gateway.attention.reports import EXAMPLES, Reports
from gateway.attention.service import Attention
from gateway.attention.settings import ATTENTION
from gateway.attention.store import FILE, AttentionStore
from gateway.core.compat import Clock
from gateway.core.records import Sample, Summary
from gateway.discover import Found
from models.package import names
from tests.video import FILE as VIDEO
from tests.video import recording

OPTIONS = {name: spec["default"] for name, spec in ATTENTION["options"].items()}
FRAME = Sample("yard", 1, 1, (0,))
EYES = Found({"kind": "plugin", "name": "eyes", "version": "1", "remembers": ("confirm", "deny")}, "", "", "")


class Plugin:
    """Keeps what it is given to remember; fails when told to."""

    def __init__(self):
        self.used, self.fails = [], False

    def use(self, stream, state):
        self.used.append((stream, state))

    def push(self, block):
        if self.fails:
            raise ValueError("broken")
        return []


@pytest.fixture
def desk(tmp_path):
    return Reports(AttentionStore(tmp_path / FILE), EYES)


def report(number, stream="yard"):
    return Summary(stream, "event", "event", number, "vehicle in the picture", {"event": "seen", "frame": 7, "report": number, "share": 700,
                                                                              "traits": [number, -2, 3]})


def outside(desk):
    """The door as another process has it."""
    store = AttentionStore(desk.store.path)
    return Door(Moments(store, desk.counters), ["confirm", "deny"], 0, desk.counters, outside=True)


async def test_an_answer_reaches_the_plugin_before_its_next_block(desk):
    plugin = Plugin()
    part = desk.teach(plugin)
    desk.observe([report(100), report(101), Summary("yard", "minute", "digest", 1, "quiet", {})])
    desk.work()
    assert [row[0] for row in desk.door.asked("yard")] == [100, 101] and await part.push(FRAME) == [] and plugin.used == []
    assert outside(desk).give(Feedback("yard", 100, "deny", "user")) == "taken"
    assert desk.work() == 1 and desk.work() == 0
    await part.push(FRAME)
    await part.push(FRAME)
    (stream, state), = plugin.used
    assert stream == "yard" and state["values"][0] == -1 and state["examples"][0, :3].tolist() == [100, -2, 3] and not state["values"][1:].any()
    plugin.fails = True
    with pytest.raises(ValueError):
        await part.push(FRAME)
    plugin.fails = False
    await part.push(FRAME)
    assert len(plugin.used) == 2, "what failed may have forgotten"


def test_a_word_that_comes_before_its_report_waits_and_one_about_nothing_is_late(desk):
    desk.observe([report(100)])
    desk.work()
    door = outside(desk)
    assert door.give(Feedback("yard", 200, "deny", "user")) == "waiting" and door.give(Feedback("yard", 50, "deny", "user")) == "waiting"
    desk.observe([report(200)])
    assert desk.work() == 1
    words = dict(desk.store.rows("SELECT seq, verdict FROM feedback WHERE stream = 'yard'"))
    assert words == {200: "taken", 50: "late"} and desk.counters["late"] == 1


def test_two_who_disagree_teach_nothing_until_one_yields(desk):
    desk.observe([report(100)])
    desk.keep()
    door = outside(desk)
    door.give(Feedback("yard", 100, "deny", "user:a", 1))
    assert door.give(Feedback("yard", 100, "confirm", "user:b", 2)) == "disputed" and desk.work() == 0
    door.give(Feedback("yard", 100, "confirm", "user:a", 3))
    assert desk.work() == 1 and desk.taught["yard"].reason == "1 x confirm"


async def test_a_restart_a_reset_a_rollback_and_a_freeze(desk):
    desk.observe([report(n) for n in (100, 101, 102)])
    desk.keep()
    for number in (100, 101):
        desk.door.give(Feedback("yard", number, "deny", "user"))
        desk.work()
    again = Reports(AttentionStore(desk.store.path), EYES)
    await again.teach(Plugin()).push(FRAME)
    assert again.work() == 0 and again.taught["yard"].version == 2
    other = AttentionStore(desk.store.path)
    for version in (1, 0):
        other.use("yard", version)
        again.work()
        assert (again.taught["yard"].version if version else again.taught["yard"]) == (version or None)
    other.freeze("yard", True)
    again.door.give(Feedback("yard", 102, "deny", "user"))
    assert again.work() == 0 and again.taught["yard"] is None
    other.freeze("yard", False)
    assert again.work() == 1 and again.taught["yard"].reason == "3 x deny"


def test_what_is_remembered_is_bounded_and_each_word_has_its_half(desk, monkeypatch):
    monkeypatch.setattr(module, "WAITING", 50)
    desk.observe([report(n) for n in range(100, 160)])
    assert desk.counters["reports_dropped"] == 10
    desk.keep()
    for number in range(110, 160):
        desk.door.give(Feedback("yard", number, "confirm" if number < 113 else "deny", "user"))
    desk.work()
    values = desk.taught["yard"].parameters["values"]
    assert len(values) == EXAMPLES and (values > 0).sum() == 3 and (values < 0).sum() == EXAMPLES // 2
    assert desk.taught["yard"].parameters["examples"][:35, 0].max() == 159, "the latest"


@pytest.mark.parametrize("wrong", [{"traits": [1 << 20]}, {"traits": [.5]}, {"traits": "eleven"}, {"traits": [0] * 17}, {"traits": []},
                                   {"report": "first"}, {"report": -1}])
def test_a_report_that_cannot_be_answered_is_counted(desk, wrong):
    good = report(100)
    desk.observe([Summary(*[dict(good.data, **wrong) if name == "data" else getattr(good, name) for name in Summary.FIELDS])])
    assert desk.counters["reports_refused"] == 1 and desk.work() == 0 and desk.store.origins() == {}


def test_two_plugins_of_a_kind_keep_to_their_own_streams(desk):
    other = Reports(AttentionStore(desk.store.path), EYES)
    other.observe([report(100, "gate")])
    desk.observe([report(100)])
    for each in (desk, other):
        each.keep()
        each.door.give(Feedback("yard", 100, "deny", "user"))
    assert other.work() == 0 and desk.work() == 1 and len(desk.store.history("yard")) == 1


def test_the_memory_of_another_release_is_left_alone(desk):
    desk.observe([report(100)])
    desk.keep()
    desk.door.give(Feedback("yard", 100, "deny", "user"))
    desk.work()
    newer = Found(dict(EYES.manifest, version="2"), "", "", "")
    other = Reports(AttentionStore(desk.store.path), newer)
    other.observe([report(200)])
    other.work()
    assert other.counters["foreign_states"] and other.taught.get("yard") is None


def test_off_is_off_and_a_plugin_that_remembers_nothing_is_not_asked(tmp_path):
    hear = Attention(Path(tmp_path), dict(OPTIONS, learn="off"), Clock, "g", None).hear
    assert hear(EYES) is None and Attention(Path(tmp_path), OPTIONS, Clock, "g", None).hear(Found(
        {"kind": "plugin", "name": "deaf", "version": "1"}, "", "", "")) is None


def heed(data, *words, fails=0):
    found = CliRunner().invoke(main, [*map(str, words), "--data", str(data)])
    assert found.exit_code == fails, found.output
    return found.output


def test_by_the_commands_that_a_user_types(desk, tmp_path):
    desk.observe([report(100), report(101)])
    desk.keep()
    asked = json.loads(heed(tmp_path, "feedback", "ask", "--json"))["asked"]
    assert [(a["seq"], a["guess"], a["why"]) for a in asked] == [(n, "vehicle in the picture", "seen, frame 7") for n in (100, 101)]
    assert "taken" in heed(tmp_path, "feedback", "give", "yard", 100, "deny")
    assert "one of confirm, deny" in heed(tmp_path, "feedback", "give", "yard", 101, "V", fails=2)
    assert json.loads(heed(tmp_path, "feedback", "list", "yard", "--json"))["words"][0]["source"] == "user"
    desk.work()
    assert json.loads(heed(tmp_path, "attention", "show", "--json"))["streams"][0]["reason"] == "1 x deny"
    assert json.loads(heed(tmp_path, "attention", "diff", "yard", "0", "1", "--json"))["values"]["largest"] == 1
    heed(tmp_path, "attention", "export", "yard", "--out", tmp_path / "yard.json")
    heed(tmp_path, "attention", "import", tmp_path / "yard.json", "--stream", "gate")
    assert np.array_equal(desk.store.current("gate")[0].parameters["values"], desk.taught["yard"].parameters["values"])


SETTINGS = """
[gateway]
data = '%s'
[[sensor]]
name = "yard"
kind = "video"
feeds = "watch"
options = { file = "%s", speed = 1.0, start_s = 14.0, duration_s = 3.0, widest = 192 }
[[plugin]]
name = "watch"
kind = "vision"
isolation = "%s"
options = { repeat_s = 0 }
[[uplink]]
name = "file"
kind = "file"
"""


@pytest.mark.parametrize("mode", ["inline", "process"])
def test_a_gateway_remembers_after_a_restart(tmp_path, mode):
    recording()
    counters = []
    for _ in range(2):
        chosen, faults = config.check_text(SETTINGS % (tmp_path, VIDEO, mode), "test", names())
        assert not faults
        gateway = app.serve(chosen, until_end=True)
        counters.append(gateway.sources["watch"]())
        assert not [name for name in counters[-1] if name.startswith("held_back")]
        store = AttentionStore(tmp_path / FILE)
        door = Door(Moments(store, gateway.attention.reports[0].counters), ["confirm", "deny"], 0, gateway.attention.reports[0].counters, True)
        reported = door.asked("yard")
        assert reported
        for row in reported:
            door.give(Feedback("yard", row[0], "deny", "user"))
        store.close()
    name = "part_passed_over_looks" if mode == "process" else "passed_over_looks"
    assert counters[1][name] > 0 == counters[0].get(name, 0), "what was denied in the first run wakes less in the second"
