"""A gateway's part in what gateways learn together: it sends a clipped difference, and tries what comes back.

Nothing but a difference of heads leaves, never a beat, a label or a hidden vector; in a masked round not even that can be
read. Updates ride in the outbox; what comes down is asked for by HTTP when the line is up.
"""

from collections import Counter

import numpy as np

from gateway.attention.lesson import Lesson
from gateway.attention.optimise import HEAD, judged
from gateway.attention.party import Party
from gateway.attention.guard import SURE, confidence, gained
from gateway.attention.learner import GLOBAL
from gateway.attention.state import AttentionState
from gateway.core.compat import wall_ms
from gateway.core.errors import Rejected
from gateway.core.records import Summary

DIGITS = 5
CHANGED = .05  # most of what the model is sure of that a global state may judge otherwise


def flat(parameters):
    """Head parameters as one vector."""
    return np.concatenate([np.ravel(parameters[name]) for name in HEAD]).astype(float)


def unflat(origin, vector):
    """Shipped parameters with the head moved by a vector, clamped. Raises Rejected for a vector of another length."""
    moved, at = origin.copy(), 0
    if len(vector) != len(flat(moved)) or not np.isfinite(vector).all():
        raise Rejected("a global state of %d numbers" % len(vector), "the hub serves another package")
    for name in HEAD:
        size = moved[name].size
        moved[name] += np.array(vector[at:at + size], np.float32).reshape(moved[name].shape)
        at += size
    origin.clamp(moved)
    return moved


def clipped(vector, clip):
    """A vector with an L2 norm of at most `clip`."""
    return vector * min(1.0, clip / max(float(np.linalg.norm(vector)), 1e-12))


class Collaborator:
    """learner: Learner; me: name of this gateway; signer: see Party. turn() answers what a hub shows; counters in the status."""

    def __init__(self, learner, me, signer=None):
        self.learner, self.me, self.signer = learner, me, signer
        self.party, self.answered, self.version = None, None, 0
        self.counters = Counter()

    def update(self, clip):
        """Clipped mean difference from the base over all streams that have learnt, or None where none has."""
        base, learner = flat(self.learner.base()), self.learner
        states = [learner.current(stream) for stream, _, _ in learner.store.streams() if not stream.startswith(GLOBAL)]
        found = [flat(state.parameters) - base for state in states if state]
        return clipped(np.mean(found, axis=0), clip) if found else None

    def turn(self, seen):
        """Summaries to offer for what the hub shows of its round (gateway.hub.rounds.Rounds.seen_by), each step once."""
        if not seen or seen["package"] != self.learner.origin.package or self.answered == (seen["id"], seen["step"]):
            return []
        self.answered = seen["id"], seen["step"]
        try:
            body = self._plain(seen) if not seen["masked"] else self._masked(seen)
        except (Rejected, KeyError, ValueError, TypeError):  # whatever a hub may show
            self.counters["rounds_refused"] += 1
            return []
        if body is None:
            return []
        self.counters["answers"] += 1
        data = {"round": seen["id"], "step": seen["step"], "body": body}
        return [Summary(GLOBAL + seen["package"], "attention_update", "event", wall_ms(), "what was learnt, for round %s" % seen["id"], data)]

    def _plain(self, seen):
        vector = self.update(seen["clip"])
        return None if vector is None else np.round(vector, DIGITS).tolist()

    def _masked(self, seen):
        """The answer to a step of a masked round; a gateway that was restarted has lost its secrets, and drops out."""
        if seen["step"] == "keys":
            self.party = Party(self.me, seen["id"], self.signer) if self.update(seen["clip"]) is not None else None
            return self.party and self.party.keys()
        if self.party is None or self.party.round_id != seen["id"]:
            return None
        if seen["step"] == "shares":
            return self.party.shares(seen["roster"])
        if seen["step"] == "update":
            return self.party.update(self.update(seen["clip"]), seen["boxes"])
        return self.party.reveal(seen["stayed"])

    def receive(self, learnt):
        """Try a global state (GET /v1/attention) on what is here; whether it was taken. Its version is tried once."""
        if learnt["version"] <= self.version or learnt.get("package") != self.learner.origin.package or not learnt.get("vector"):
            return False
        self.version = learnt["version"]
        try:
            parameters = unflat(self.learner.origin, learnt["vector"])
            why = self._against(parameters)
        except Rejected as error:
            why = error.message
        self.counters["globals_refused" if why else "globals_taken"] += 1
        if not why:
            self._take(parameters, learnt)
        return not why

    def _against(self, parameters):
        """Why the guard of this gateway refuses a global state, "" = it does not."""
        learner = self.learner
        verdict = learner.guard.holds(learner.origin.shipped, parameters)
        if verdict:
            return verdict.why
        for stream in list(learner.moments.recent):
            hidden = np.array([moment.hidden for moment in learner.moments.unlabelled(stream, ())])
            before, after = judged(hidden, learner.origin.shipped), judged(hidden, parameters)
            sure = before.max(1) >= SURE
            if sure.any() and (before.argmax(1) != after.argmax(1))[sure].mean() > CHANGED:
                return "it judges otherwise what the model is sure of, in stream %s" % stream
            if self._worse(stream, parameters):
                return "it is worse on the labels of stream %s" % stream
        return ""

    def _worse(self, stream, parameters):
        """Whether the labels of a stream speak against a global state."""
        labelled = [pair for pair in self.learner.moments.kept(stream) if pair[1]]
        if not labelled:
            return False
        lesson = Lesson(self.learner.twin, self.learner.origin, labelled, [])
        gains = gained(lesson.shares(parameters), lesson.shares(self.learner.base()), lesson.labels)
        return len(gains) > 1 and confidence(gains) < .2

    def _take(self, parameters, learnt):
        origin, stream = self.learner.origin, GLOBAL + self.learner.origin.package
        facts = {"round": learnt["facts"].get("round"), "epsilon": learnt["facts"].get("epsilon"),
                 "gateways": learnt.get("federation", learnt["facts"]).get("gateways")}
        self.learner.store.adopt(AttentionState(stream, origin.package, 0, 0, wall_ms(), "learnt together by %s gateways" % facts["gateways"],
                                                facts, parameters))
        self.learner.rebase()
