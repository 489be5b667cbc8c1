"""A person answers the guard's alarm: confirmed labels teach, if they pass the other tests; denied ones are gone."""

import numpy as np
import pytest

from gateway.attention.desk import Desk, Unknown
from gateway.attention.feedback import Feedback
from gateway.attention.guard import Verdict
from gateway.attention.lesson import Lesson
from gateway.core.compat import wall_ms
from gateway.core.errors import ConfigError
from tests.attention.helpers import CLASSES, clouds, learner_in, moments

N = 40


def labelled(folder, hidden, labels):
    """(learner, desk) of a patient with N labels that the guard does not trust."""
    told = []
    learner = learner_in(folder, told)
    learner.origin.shipped["head"] *= 4
    for moment in moments(hidden):
        learner.observe(moment)
    learner._meet("bed")
    for seq in range(N):
        learner.door.give(Feedback("bed", seq, CLASSES[int(labels[seq])], given_ms=1000))
    assert not learner.learn("bed") and told[-1][1] == "feedback_disagrees"
    return learner, Desk(learner.store)


@pytest.fixture
def bedside(tmp_path):
    """(learner, desk, labels) of a patient each of whose classes lies where the model is sure of the next one: right labels look as if
    they were another's. What tells this patient from others lies along three more axes."""
    hidden, labels = clouds(np.random.default_rng(3), 200)
    hidden[:, :3] = np.roll(hidden[:, :3], 1, axis=1)
    hidden[np.arange(len(hidden)), 3 + labels] += 1.4
    return *labelled(tmp_path, hidden, labels), labels


def test_an_alarm_waits_for_an_answer_and_is_one(bedside):
    learner, desk, labels = bedside
    assert [alarm["stream"] for alarm in desk.raised()] == ["bed"] and "right patient" in desk.raised()[0]["why"]
    assert learner.learn("bed") is False and learner.counters["tried"] == 1
    learner.door.give(Feedback("bed", N, CLASSES[int(labels[N])]))
    assert not learner.learn("bed") and learner.counters["tried"] == 2 and len(desk.raised()) == 1


def test_confirmed_labels_teach(bedside):
    learner, desk, _ = bedside
    assert desk.confirm("bed", "clinician:a") == N and desk.raised() == []
    assert learner.learn("bed") and learner.current("bed").facts["confirmed"] == N
    history = desk.history("bed")
    assert history["alarms"][0]["answer"] == "confirmed" and history["alarms"][0]["source"] == "clinician:a"
    assert history["versions"][-1]["facts"]["confirmed"] == N


def test_a_confirmation_is_for_what_was_said_until_then(bedside):
    learner, desk, labels = bedside
    desk.confirm("bed", "clinician:a")
    assert learner.learn("bed")
    for seq in range(N, N + 60):
        learner.door.give(Feedback("bed", seq, CLASSES[(int(labels[seq]) + 2) % 3]))
    assert not learner.learn("bed") and desk.raised() and learner.current("bed") is None


def test_a_corrected_label_is_no_longer_confirmed(bedside):
    learner, desk, _ = bedside
    desk.confirm("bed", "clinician:a")
    learner.door.give(Feedback("bed", 0, "V", given_ms=2000))
    assert (0, "V") not in desk.alarms.vouched("bed") and len(desk.alarms.vouched("bed")) == N


def test_confirmed_labels_must_still_pass_the_other_tests(tmp_path):
    hidden, labels = clouds(np.random.default_rng(3), 200)
    learner, desk = labelled(tmp_path, hidden, (labels + 1) % 3)  # somebody says that each class is another one, and confirms it
    desk.confirm("bed", "clinician:a")
    lesson = Lesson(learner.twin, learner.origin, [pair for pair in learner.moments.kept("bed") if pair[1]], [])
    other = learner.origin.copy()
    other["head"] = 8 * np.roll(other["head"], 1, axis=1)  # even a quarter of the way unlearns
    lesson.teach = lambda rows=None: other
    tests = [learner.guard.judge(lesson)[1].test]
    lesson.vouch(desk.alarms.vouched("bed"))
    tests.append(learner.guard.judge(lesson)[1].test)
    assert tests == ["trust", "anchors"]


def test_denied_labels_are_gone_and_so_are_their_late_copies(bedside):
    learner, desk, labels = bedside
    assert desk.deny("bed", "clinician:a") == N and desk.raised() == []
    assert [pair for pair in learner.moments.kept("bed") if pair[1]] == []
    assert {word["verdict"] for word in desk.words("bed")} == {"denied"}
    assert learner.door.give(Feedback("bed", 0, CLASSES[int(labels[0])], given_ms=1000)) == "denied"
    later = wall_ms() + 1000  # what is said in the millisecond of the answer counts as said before it
    assert learner.door.give(Feedback("bed", 0, CLASSES[int(labels[0])], given_ms=later)) == "taken"
    assert learner.counters["denied"] == 1


def test_what_was_learnt_with_denied_labels_goes_with_them(bedside):
    learner, desk, labels = bedside
    desk.confirm("bed", "clinician:a")
    assert learner.learn("bed")
    learner.alarms.note("bed", Verdict(False, "trust", "again", {}))
    desk.deny("bed", "clinician:b")
    assert learner.store.current("bed")[0] is None and desk.alarms.vouched("bed") == set()


def test_an_alarm_is_over_when_the_labels_are_trusted_again(bedside):
    learner, desk, _ = bedside
    given = learner.moments.kept("bed")
    for moment, _ in given:
        share = moment.hidden @ learner.origin.shipped["head"]
        learner.door.give(Feedback("bed", moment.seq, CLASSES[int(share.argmax())], given_ms=2000))
    learner.learn("bed")
    assert desk.raised() == [] and desk.history("bed")["alarms"][0]["answer"] == "over"


def test_who_may_answer_and_what(bedside):
    _, desk, _ = bedside
    with pytest.raises(ConfigError, match="cannot answer"):
        desk.confirm("bed", "user:x")
    with pytest.raises(Unknown):
        desk.deny("nobody", "clinician")
    desk.confirm("bed", "clinician")
    with pytest.raises(ConfigError, match="no alarm"):
        desk.confirm("bed", "clinician")


def test_alarms_are_bounded(bedside, monkeypatch):
    learner, desk, _ = bedside
    monkeypatch.setattr("gateway.attention.alarms.KEPT", 3)
    for _ in range(5):
        desk.confirm("bed", "clinician")
        learner.alarms.note("bed", Verdict(False, "trust", "again", {}))
    assert len(desk.history("bed")["alarms"]) == 3 and len(desk.raised()) == 1
