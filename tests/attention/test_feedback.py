"""The one door: late, early, repeated, contradictory words, each with its verdict, each counted."""

import itertools

import numpy as np
import pytest

from gateway.attention import moments as buffer
from gateway.attention.desk import portrait
from gateway.attention.feedback import Feedback, verdicts
from gateway.core.errors import ConfigError
from tests.attention.helpers import CLASSES, clouds, learner_in, moments


@pytest.fixture
def learner(tmp_path):
    learner = learner_in(tmp_path)
    for moment in moments(clouds(np.random.default_rng(1), 100)[0]):
        learner.observe(moment)
    return learner


def give(learner, seq, label, source="clinician", given_ms=1000):
    return learner.door.give(Feedback("bed", seq, label, source, given_ms))


def taught(learner):
    return {moment.seq: label for moment, label in learner.moments.kept("bed") if label}


def test_a_word_is_taken_once(learner):
    assert [give(learner, 5, "V"), give(learner, 5, "V")] == ["taken", "repeated"] and taught(learner) == {5: "V"}


def test_a_later_word_of_the_same_giver_corrects_an_earlier_one_and_not_the_other_way_round(learner):
    assert give(learner, 5, "V", given_ms=1000) == "taken"
    assert give(learner, 5, "S", given_ms=2000) == "taken"
    assert give(learner, 5, "N", given_ms=1500) == "out_of_order"
    assert taught(learner) == {5: "S"}


def test_a_word_that_was_said_again_later_is_as_new_as_the_last_time(learner):
    give(learner, 5, "V", given_ms=1000)
    assert give(learner, 5, "V", given_ms=3000) == "repeated"
    assert give(learner, 5, "S", given_ms=2000) == "out_of_order" and taught(learner) == {5: "V"}


def test_two_of_one_rank_who_disagree_teach_nothing_until_one_yields(learner):
    give(learner, 5, "V", "clinician:a")
    assert give(learner, 5, "S", "clinician:b") == "disputed" and taught(learner) == {}
    give(learner, 5, "V", "clinician:b", 2000)
    assert taught(learner) == {5: "V"}


def test_the_higher_rank_counts(learner):
    assert give(learner, 5, "V", "user:x") == "taken"
    assert give(learner, 5, "S", "clinician") == "taken"
    assert give(learner, 5, "N", "alarm") == "overruled" and taught(learner) == {5: "S"}


def test_words_arrive_in_any_order_and_come_to_the_same(tmp_path):
    words = [(5, "V", "user:x", 10), (5, "S", "clinician:a", 20), (5, "V", "clinician:b", 30), (5, "S", "clinician:b", 40)]
    found = []
    for i, order in enumerate(itertools.permutations(words)):
        (tmp_path / str(i)).mkdir()
        learner = learner_in(tmp_path / str(i))
        learner.observe(moments(clouds(np.random.default_rng(1), 6)[0])[5])
        for word in order:
            give(learner, *word)
        found.append(taught(learner))
        learner.store.close()
    assert all(each == {5: "S"} for each in found)


def test_late_and_early_words(learner):
    assert give(learner, -3, "V") == "late"
    assert give(learner, 250, "V") == "waiting"
    late = moments(clouds(np.random.default_rng(1), 1)[0])[0]
    late.seq = 250
    learner.observe(late)
    assert learner.door.wait("bed") == 1 and taught(learner) == {250: "V"}


def test_an_unknown_label_or_giver_is_refused(learner):
    with pytest.raises(ConfigError):
        give(learner, 5, "X")
    with pytest.raises(ConfigError):
        give(learner, 5, "V", "nobody")


def test_the_buffer_is_bounded_and_balanced(learner, monkeypatch):
    monkeypatch.setattr(buffer, "KEPT", 20)
    for seq in range(60):
        give(learner, seq, "V" if seq % 10 == 0 else "N")
    labels = list(taught(learner).values())
    assert len(labels) == 20 and labels.count("V") == 6 and learner.counters["moments_dropped"] == 40


def test_a_moment_comes_back_from_disk_as_it_was(learner):
    give(learner, 7, "N")
    learner.moments.recent.clear()
    found = learner.moments.find("bed", 7)
    assert found.values[0].tolist() == [0, 1, 2, 3] and found.state["k"].shape == (2, 3) and found.hidden.shape == (6,)


def test_what_was_around_a_moment_is_kept_with_it(learner):
    trace = {"index": 0, "channels": 1, "scale": .5, "rate_hz": 4, "unit": "mV", "meaning": "a line"}
    learner.moments.trace = trace
    learner.door.ask(learner.moments.find("bed", 50), "unsure")
    after = buffer.Moments(learner.store, learner.counters, trace)
    for moment in moments(clouds(np.random.default_rng(2), 90)[0]):  # numbers begin anew with each start
        moment.t_ms += 10**6
        after.observe(moment)
    for kept in (learner.moments, after):
        facts = portrait(kept.beside(kept.find("bed", 50)), CLASSES, kept)
        assert [near["apart_ms"] for near in facts["trace"]["around"]] == [-7, -6, -5, -4, -3, -2, -1, 1, 2]
        assert facts["trace"]["line"] == [0, .5, 1, 1.5] and "usual" not in facts["trace"] and facts["trace"]["around"][0]["guess"] == "N"


def test_verdicts_of_many():
    assert verdicts({"self": ("N", 1), "user": ("V", 2)}) == {"self": "overruled", "user": "taken"}
    assert sorted(verdicts({"user:a": ("V", 2), "user:b": ("V", 1)}).values()) == ["agreed", "taken"]
