"""What labels say beyond themselves: of beats nearby, of what to ask next, and of whoever gives them."""

import numpy as np

from gateway.attention.choose import choose
from gateway.attention.guard import STEPS, UNLEARN, Guard, discerning, known
from gateway.attention.lesson import Lesson
from gateway.attention.near import ENOUGH, apart, likeness, told, usual
from gateway.attention.optimise import MANY, judged, kept
from gateway.attention.state import Origin
from tests.attention.helpers import CLASSES, Twin, clouds, moments


def test_distances_are_those_of_the_definition():
    a, b = (np.random.default_rng(i).normal(size=(5 + i, 4)) for i in (1, 2))
    assert np.allclose(apart(a, b), [[np.linalg.norm(x - y) for y in b] for x in a])
    assert usual(np.array([[0., 0], [0, 1], [0, 3], [9, 9]])) == np.median([1, 1, 2, np.hypot(9, 6)])


def test_a_label_is_believed_nearby_and_an_old_opinion_far_away():
    opinions, hidden = np.array([[.9, .1]] * 3), np.array([[0., 0], [.1, 0], [50, 0]])
    found = told(opinions, hidden, np.zeros((ENOUGH, 2)), np.tile([0., 1], (ENOUGH, 1)), unit=1)
    assert np.allclose(found.sum(1), 1) and found[0, 1] == 1 and found[1, 1] > .99 and np.allclose(found[2], [.9, .1])


def test_a_few_labels_say_little_of_others():
    found = told(np.array([[.9, .1]]), np.zeros((1, 2)), np.zeros((2, 2)), np.tile([0., 1], (2, 1)), unit=1)
    assert np.allclose(found, np.array([[.9, .1]]) * (1 - 2 / ENOUGH) + np.array([[0, 1]]) * 2 / ENOUGH)


def test_of_two_labels_that_disagree_the_nearer_counts_more():
    found = told(np.array([[.5, .5]]), np.array([[0., 0]]), np.tile([[1., 0], [0, 2]], (10, 1)), np.tile(np.eye(2), (10, 1)), unit=1)
    assert found[0, 0] > found[0, 1] > .1


def test_many_labels_are_not_outvoted():
    """A group that the start calls S is N in all labels: with more of them the head must follow, not waver."""
    hidden, labels = clouds(np.random.default_rng(3), 400, shift=.9)
    origin = Origin("clouds 1", Twin().parameters, {}, CLASSES)

    def error(count):
        pairs = [(moment, CLASSES[label]) for moment, label in zip(moments(hidden[:count]), labels)]
        lesson = Lesson(Twin(), origin, pairs, moments(hidden[count:300]), clouds(np.random.default_rng(99), 150))
        return (judged(hidden[300:], lesson.teach()).argmax(1) != labels[300:]).mean()
    assert kept(5) == kept(MANY) == 2 * kept(2 * MANY)
    assert error(290) <= error(20) < (judged(hidden[300:], origin.shipped).argmax(1) != labels[300:]).mean()


def test_the_first_question_is_about_what_is_unlike_the_others_and_then_unlike_what_is_labelled():
    hidden, shares = np.random.default_rng(4).normal(0, .1, (80, 6)), np.tile([.9, .1, 0], (80, 1))
    hidden[7] += 30
    hidden[9] -= 20
    assert choose(hidden, shares, np.zeros((0, 6))) == (7, "unlike the others")
    assert choose(hidden, shares, hidden[[7, 8]])[0] == 9


def test_every_second_question_is_about_what_it_is_least_sure_of():
    hidden, shares = np.random.default_rng(5).normal(size=(80, 6)), np.tile([.9, .1, 0], (80, 1))
    shares[17] = .5, .5, 0
    assert choose(hidden, shares, hidden[:1]) == (17, "unsure")


def test_likeness_falls_with_distance_and_survives_a_stream_that_stands_still():
    still = np.zeros((4, 3))
    assert np.array_equal(likeness(still, still, usual(still)), np.ones((4, 4)))
    assert np.all(np.diff(likeness(np.zeros((1, 1)), np.arange(5.)[:, None], 1)[0]) < 0)


def given_of(answers):
    return np.eye(3)[answers] * .8 + .1 * (1 - np.eye(3)[answers])


def test_whoever_confirms_two_classes_can_tell_them_apart():
    truth = np.array([0] * 10 + [1] * 4 + [2] * 3)
    answers = np.where(truth == 1, 0, truth)  # the model knows no S
    assert discerning(given_of(answers), truth)
    assert not discerning(given_of(answers), np.zeros(17, int)) and not discerning(given_of(answers), np.full(17, 2))
    assert not discerning(given_of(answers), np.array([2, 0, 0])[truth])


def test_a_few_good_words_among_many_bad_ones_are_not_enough():
    answers = np.array([0] * 30 + [2] * 30)
    labels = np.where(np.arange(60) % 30 < 3, answers, 1)
    assert not discerning(given_of(answers), labels)


def test_what_would_unlearn_a_class_is_taken_part_of_the_way():
    anchors, start = clouds(np.random.default_rng(99), 300), Twin().parameters
    guard = Guard(anchors, 3)
    far = {"head": start["head"].copy(), "head_b": np.array([4., 0, 0], np.float32)}  # calls all but the clearest N
    fall = known(start, *anchors, 3) - known(far, *anchors, 3)
    found = guard.within(start, start, far)
    assert fall.max() > UNLEARN and not guard.holds(start, found)
    assert any(np.allclose(found["head_b"], step * far["head_b"]) for step in STEPS[1:])
    assert guard.within(start, start, start) is start
