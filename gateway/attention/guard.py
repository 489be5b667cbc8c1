"""Whether a challenger may take the champion's place. Every test can only refuse; what is refused costs nothing.

1. trust: labels that contradict what the shipped model is sure of are no lesson while there are few labels, and an alarm
   when they are most of what it is sure of; but not from a labeller who has shown to tell two classes apart, nor those that a
   person has confirmed since (gateway.attention.alarms)
2. anchors: what the package knows of every class from the patients it was trained on must not be unlearnt; a challenger that would is
   taken part of the way
3. proof: out of fold, on labels that it was not taught, what is learnt must beat what it began from, with a stated confidence
4. later: each new label is a new proof; where learning is no longer more likely better than not, the stream goes back
"""

from math import erf

import numpy as np

from gateway.attention.optimise import judged

SURE = .9  # a share above is what the model is sure of
FEW = 10  # with fewer labels, one contradiction of what it is sure of waits for more
AGAINST = 2, .5  # so many contradictions, and more than this share of what it is sure of, are an alarm
IMPROBABLE = .002
AGREED = 2, 2, .2  # of so many classes so many answers, and this share of them, confirmed: whoever labels knows them apart
OFTEN = 5  # so many contradictions, of most that it is sure of, are an alarm whoever labels
UNLEARN = .25  # most that the share of anchors known may fall, for each class
STEPS = 1.0, .75, .5, .25  # of the way to a challenger: the longest that unlearns no class is tried
CONFIDENCE = .7
DOUBT = .5  # a proof below takes back what was adopted
FOLDS = 5
FLOOR = .05  # a share below counts as this: one label is not to decide alone


class Verdict:
    """adopt: bool; test: which one refused, "" = none; why: in words; facts: what was measured, JSON-safe."""

    def __init__(self, adopt, test, why, facts):
        self.adopt = adopt
        self.test = test
        self.why = why
        self.facts = facts


def contradicted(given, labels):
    """[(labels that contradict, labels that are about) what a model is sure of] for each class that it gave. given: shares."""
    sure, answers = given.max(1) >= SURE, given.argmax(1)
    return [(int((sure & (answers == c) & (labels != c)).sum()), int((sure & (answers == c)).sum())) for c in range(given.shape[1])]


def discerning(given, labels):
    """Whether labels confirm what the model gave of more than one class: who flips them, or knows one word, does not."""
    answers = given.argmax(1)
    count, right = (np.bincount(found, minlength=given.shape[1]) for found in (answers, labels[answers == labels]))
    return ((right >= AGREED[1]) & (right >= AGREED[2] * count)).sum() >= AGREED[0]


def denied(given, labels):
    """Classes that the labels deny altogether: none of the answers is confirmed, which by the model's own shares is improbable."""
    answers = given.argmax(1)
    claims = [given[answers == c, c] for c in range(given.shape[1])]
    return [c for c, shares in enumerate(claims) if not (labels[answers == c] == c).any() and np.prod(1 - shares) < IMPROBABLE]


def known(parameters, hidden, labels, classes):
    """Share of anchors of each class that a head knows."""
    right = judged(hidden, parameters).argmax(1) == labels
    return np.array([right[labels == c].mean() if (labels == c).any() else 1.0 for c in range(classes)])


def confidence(gains):
    """Probability that the mean gain is above zero, by the normal approximation. 0.5 where nothing varies."""
    spread = gains.std() / len(gains) ** .5
    return .5 if spread < 1e-9 else .5 * (1 + erf(gains.mean() / spread / 2 ** .5))


def out_of_fold(lesson, learn):
    """Shares (n, classes) that challengers give labels which they were not taught. learn(rows) -> parameters."""
    out = lesson.shares(lesson.start).copy()
    fold = np.arange(len(out)) % min(FOLDS, len(out))
    for k in range(fold.max() + 1):
        taught = np.flatnonzero(fold != k)
        if len(taught):
            out[fold == k] = lesson.shares(learn(taught))[fold == k]
    return out


def gained(challenger, champion, labels):
    """Gain of each label in nats, from shares (n, classes), bounded by FLOOR."""
    rows = np.arange(len(labels))
    return np.log(np.maximum(challenger[rows, labels], FLOOR)) - np.log(np.maximum(champion[rows, labels], FLOOR))


class Guard:
    """anchors: (hidden (n, width), labels (n,)) that the package ships, or None; classes: how many."""

    def __init__(self, anchors, classes):
        self.anchors = anchors
        self.classes = classes

    def judge(self, lesson):
        """(challenger, Verdict on it): what a gateway.attention.lesson.Lesson teaches, within what unlearns no class."""
        def teach(rows=None):
            return self.within(lesson.origin.shipped, lesson.start, lesson.teach(rows))
        challenger = teach()
        return challenger, self._trust(lesson) or self.holds(lesson.origin.shipped, challenger) or self._proof(lesson, teach)

    def _trust(self, lesson):
        given, labels = lesson.shares(lesson.origin.shipped), lesson.labels
        told_apart, unproven = discerning(given, labels), ~lesson.vouched  # a person has answered for the others
        given, labels = given[unproven], labels[unproven]
        found = contradicted(given, labels)
        whole = sum(against for against, _ in found), sum(sure for _, sure in found)
        if told_apart and not (whole[0] >= OFTEN and whole[0] > AGAINST[1] * whole[1]):
            return None
        for name, (against, sure) in [*zip(lesson.origin.classes, found), ("class", whole)]:
            if against >= AGAINST[0] and against > AGAINST[1] * sure:
                return Verdict(False, "trust", "%d of %d labels contradict a %s that the model is sure of: is it the right patient?"
                               % (against, sure, name), {"against": against, "sure": sure})
        for c in denied(given, labels):
            return Verdict(False, "trust", "no label confirms a %s, however often the model gave one: is it the right patient?"
                           % lesson.origin.classes[c], {})
        if any(against for against, _ in found) and len(lesson.labels) < FEW:
            return Verdict(False, "few", "a label contradicts what the model is sure of: more labels are needed", {})
        return None

    def within(self, shipped, start, challenger):
        """A challenger, or as much of the way to it from the start as unlearns no class; all of it where even the least does."""
        for step in STEPS:
            tried = challenger if step == 1 else {name: start[name] + np.float32(step) * (value - start[name]) for name, value in challenger.items()}
            if not self.holds(shipped, tried):
                return tried
        return challenger

    def holds(self, shipped, challenger):
        """The Verdict that refuses what would unlearn a class, or None."""
        if not self.anchors:
            return None
        fall = known(shipped, *self.anchors, self.classes) - known(challenger, *self.anchors, self.classes)
        if fall.max() > UNLEARN:
            return Verdict(False, "anchors", "it would unlearn a class: %.0f %% of its anchors are lost" % (100 * fall.max()),
                           {"fall": round(float(fall.max()), 4)})
        return None

    def _proof(self, lesson, learn):
        labels, tried, before = lesson.labels, out_of_fold(lesson, learn), lesson.shares(lesson.start)
        sure = confidence(gained(tried, before, labels))
        right = int((tried.argmax(1) == labels).sum()), int((before.argmax(1) == labels).sum())
        facts = {"confidence": round(sure, 4), "right": right[0], "right_before": right[1], "labels": len(labels)}
        if sure < CONFIDENCE or right[0] < right[1]:
            doubt = sure < DOUBT or right[0] < right[1]
            return Verdict(False, "doubt" if doubt else "proof", "not better with %.0f %% confidence (%.0f %%)" % (
                100 * CONFIDENCE, 100 * sure), facts)
        return Verdict(True, "", "better with %.0f %% confidence: %d of %d labels right, %d before" % (
            100 * sure, right[0], len(labels), right[1]), facts)
