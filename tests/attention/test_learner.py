"""The loop: asked, labelled, learnt, guarded, adopted, taken back."""

import subprocess
import sys

import numpy as np
import pytest

from gateway.attention.feedback import Feedback
from gateway.attention.optimise import judged
from gateway.attention.state import AttentionState
from gateway.attention.store import AttentionStore
from tests.attention.helpers import CLASSES, clouds, learner_in, moments


def right(learner, hidden, labels):
    return float((judged(hidden, learner.parameters("bed")).argmax(1) == labels).mean())


def observed(learner, hidden):
    for moment in moments(hidden):
        learner.observe(moment)
    learner.work()


def answer(learner, labels, count, wrong=None):
    """Answer `count` questions, as work() asks them."""
    for _ in range(count):
        for seq, *_ in learner.door.asked("bed"):
            label = int(labels[seq])
            learner.door.give(Feedback("bed", seq, CLASSES[wrong(label) if wrong else label]))
        learner.work()


@pytest.fixture
def patient():
    return clouds(np.random.default_rng(1), 400, shift=.9)


def test_a_patient_that_is_unlike_others_is_learnt_from_twenty_labels(tmp_path, patient):
    hidden, labels = patient
    learner = learner_in(tmp_path)
    observed(learner, hidden[:200])
    before = right(learner, hidden[200:], labels[200:])
    answer(learner, labels, 20)
    assert before < .85 and right(learner, hidden[200:], labels[200:]) > .95
    state = learner.store.current("bed")[0]
    assert state.version >= 1 and state.facts["confidence"] >= .8


def test_what_was_learnt_is_in_use_again_after_a_restart(tmp_path, patient):
    hidden, labels = patient
    learner = learner_in(tmp_path)
    observed(learner, hidden[:200])
    answer(learner, labels, 15)
    learner.store.close()
    used = []
    again = learner_in(tmp_path, used=used)
    observed(again, hidden[200:220])
    assert np.array_equal(used[-1][1]["head"], again.store.current("bed")[0].parameters["head"])
    assert right(again, hidden[200:], labels[200:]) > .9


@pytest.mark.parametrize("wrong", [lambda label: 0, lambda label: 2, lambda label: (label + 1) % 3])
def test_poisoned_feedback_does_not_make_it_worse(tmp_path, wrong):
    hidden, labels = clouds(np.random.default_rng(2), 400)
    told = []
    learner = learner_in(tmp_path, told=told)
    observed(learner, hidden[:200])
    before = right(learner, hidden[200:], labels[200:])
    answer(learner, labels, 20, wrong)
    assert right(learner, hidden[200:], labels[200:]) >= before - .01
    assert ("bed", "feedback_disagrees") in [words[:2] for words in told]


def test_labels_that_are_no_longer_trusted_take_back_what_was_learnt(tmp_path, patient):
    hidden, labels = patient
    told = []
    learner = learner_in(tmp_path, told=told)
    observed(learner, hidden[:200])
    answer(learner, labels, 10)
    assert learner.store.current("bed")[0]
    for seq in range(120, 160):
        learner.door.give(Feedback("bed", seq, CLASSES[(int(labels[seq]) + 1) % 3]))
    learner.work()
    assert learner.store.current("bed")[0] is None and learner.counters["rolled_back"]
    assert "attention_rolled_back" in [words[1] for words in told]


def observe_at(learner, hidden, first):
    for i, h in enumerate(hidden):
        moment = moments([h])[0]
        moment.seq = first + i
        learner.observe(moment)
    learner.work()


@pytest.mark.parametrize("side, calmer", [(-3, "shipped"), (3, "learnt")])
def test_a_stream_that_changes_is_judged_by_the_calmer_head_until_it_is_as_before(tmp_path, patient, side, calmer):
    hidden, labels = patient
    used, told = [], []
    learner = learner_in(tmp_path, used=used, told=told)
    observed(learner, hidden[:200])
    answer(learner, labels, 12)
    adopted = used[-1][1]
    told.clear()
    observe_at(learner, hidden[200:264] + side * np.eye(6)[3], 1000)  # axis 3 tells this patient's N: far down it, what is learnt cries S
    assert [words[1] for words in told] == ["stream_changed"]
    assert learner.counters["set_aside"] == (calmer == "shipped")
    wanted = learner.origin.shipped if calmer == "shipped" else adopted
    assert np.allclose(used[-1][1]["head"], wanted["head"], atol=1e-4)
    assert np.allclose(learner.parameters("bed")["head"], wanted["head"], atol=1e-4)
    observe_at(learner, hidden[264:328], 2000)
    assert [words[1] for words in told] == ["stream_changed", "stream_back"]
    assert np.allclose(used[-1][1]["head"], adopted["head"], atol=1e-4)


def test_a_frozen_stream_learns_nothing_and_a_reset_one_is_as_shipped(tmp_path, patient):
    hidden, labels = patient
    learner = learner_in(tmp_path)
    observed(learner, hidden[:200])
    learner.store.freeze("bed", True)
    answer(learner, labels, 12)
    assert learner.store.current("bed") == (None, True)
    learner.store.freeze("bed", False)
    learner.work()
    assert learner.store.current("bed")[0]
    learner.store.use("bed", 0)
    assert np.array_equal(learner.parameters("bed")["head"], learner.origin.shipped["head"])


def test_what_another_process_writes_of_another_stream_disturbs_nothing(tmp_path, patient):
    hidden, labels = patient
    used = []
    learner = learner_in(tmp_path, used=used)
    observed(learner, hidden[:200])
    answer(learner, labels, 12)
    before, other = len(used), AttentionStore(tmp_path / "attention.db")
    other.freeze("elsewhere", True)
    learner.work()
    assert len(used) == before
    other.use("bed", 0)
    learner.work()
    assert len(used) == before + 1 and np.array_equal(used[-1][1]["head"], learner.origin.shipped["head"])


def test_the_budget_of_questions_holds(tmp_path, patient):
    hidden, labels = patient
    learner = learner_in(tmp_path, asks_open=3)
    learner.options["asks_per_day"] = 5
    observed(learner, hidden[:200])
    answer(learner, labels, 20)
    assert learner.counters["asked"] == 5


def test_a_state_of_another_release_is_left_alone(tmp_path, patient):
    learner = learner_in(tmp_path)
    foreign = AttentionState("bed", "clouds 2", 0, 0, 1, "", {}, learner.origin.copy())
    learner.store.adopt(foreign)
    assert learner.current("bed") is None and learner.counters["foreign_states"] == 1


def test_controls_never_leave_their_ranges():
    from gateway.attention.optimise import Adam, descend
    from gateway.attention.state import Origin
    origin = Origin("p 1", {"bias": np.zeros(3), "head": np.zeros(2)}, {"bias": (-1, 1)}, ["a"])
    found = descend(lambda p: (0, {"bias": np.array([1., -1, 0]), "head": np.array([1., -1])}), origin, Adam(5.0), 30)
    assert found["bias"].tolist() == [-1, 1, 0] and abs(found["head"]).max() <= 16


KILL = """
import sys
from pathlib import Path
from gateway.attention.feedback import Feedback
from tests.attention.helpers import learner_in, moments, clouds
import numpy as np
learner = learner_in(Path(sys.argv[1]))
for moment in moments(clouds(np.random.default_rng(1), 300)[0]):
    learner.observe(moment)
for seq in range(300):
    if learner.door.give(Feedback("bed", seq, "N")) == "taken":
        print(seq, flush=True)
"""


def test_feedback_that_was_acknowledged_survives_a_kill(tmp_path):
    child = subprocess.Popen([sys.executable, "-c", KILL, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    acknowledged = [int(child.stdout.readline()) for _ in range(40)]
    child.kill()
    acknowledged += [int(line) for line in child.stdout.read().split()]
    learner = learner_in(tmp_path)
    kept = [moment.seq for moment, label in learner.moments.kept("bed") if label == "N"]
    assert set(acknowledged) <= set(kept) and learner.store.rows("PRAGMA integrity_check") == [("ok",)]
