"""The loop of one gateway: remember what was judged, ask, take feedback, learn in the slack, adopt what the guard lets pass.

observe() is called with each inference and only remembers. Everything else happens in work(), on a thread of its own.
"""

from collections import Counter

import numpy as np

from gateway.attention.alarms import Alarms
from gateway.attention.choose import LEAST, choose
from gateway.attention.drift import Ground
from gateway.attention.feedback import Door
from gateway.attention.guard import Guard
from gateway.attention.lesson import Lesson
from gateway.attention.moments import Moments
from gateway.attention.optimise import judged
from gateway.attention.slack import Slack
from gateway.attention.state import AttentionState, Origin
from gateway.core.compat import crc32, wall_ms

DAY_MS = 86400000
GLOBAL = "* "  # before the name of a package: the stream that stands for what gateways learnt together
LATEST = 64  # moments that say what a stream is like now
HOME = False, False  # what was learnt is set aside, the stream has changed


class Learner:
    """store: AttentionStore; twin: models.twin; use(stream, parameters or None): makes them what judges; options: see
    gateway.attention.settings; reach: see Door; tell(stream, event, why): what a person upstream must hear."""

    def __init__(self, store, twin, anchors, use, options, reach=0, slack=None, tell=lambda stream, event, why: None):
        self.store, self.twin, self.use, self.options, self.tell = store, twin, use, options, tell
        self.origin = Origin(twin.package, twin.parameters, twin.ranges, twin.classes)
        self.anchors, self.guard = anchors, Guard(anchors, len(twin.classes))
        self.counters = Counter()
        self.moments = Moments(store, self.counters, twin.shown["trace"])
        self.door, self.alarms = Door(self.moments, self.origin.classes, reach, self.counters), Alarms(store)
        self.slack = slack or Slack(options["slack_permille"] / 1000)
        self.taught, self.proven, self.applied, self.away, self.met = {}, {}, {}, {}, set()

    def start(self):
        """Take up what another process, or a hub, has changed of the streams that are here."""
        for stream in list(self.moments.recent):
            state = self.current(stream)
            if self.applied.get(stream) != self._mark(state):
                self._apply(stream, state)

    def _mark(self, state):
        """What tells one state in use from another: its version, and that of the base."""
        return state and state.version, dict(row[:2] for row in self.store.streams()).get(GLOBAL + self.origin.package)

    def current(self, stream):
        """The state in use, None = as learning began. One of another package, or another release, is left alone, and counted."""
        state = self.store.current(stream)[0]
        if state and state.package != self.origin.package:
            self.counters["foreign_states"] += 1
            return None
        return state

    def _apply(self, stream, state):
        self.proven[stream] = (Ground(state.facts["ground"]), state.parameters) if state and state.facts.get("ground") else None
        self.away.pop(stream, None)
        self.applied[stream] = self._mark(state)
        self.use(stream, state.parameters if state else self.base())

    def observe(self, moment):
        """Remember an inference."""
        self.moments.observe(moment)

    def work(self):
        """One turn of everything that is due; gives how many streams have a new state."""
        self.slack.since = self.slack.clock()
        if self.store.changed():
            self.start()
        streams = list(self.moments.recent)
        for stream in streams:
            self._meet(stream)
            self.door.wait(stream)
            self.ask(stream)
            self.watch(stream)
            self.slack.pause()
        return sum(self.learn(stream) for stream in streams)

    def _meet(self, stream):
        """The first turn with a stream: it is introduced, and gets its state of before."""
        if stream not in self.met:
            self.met.add(stream)
            self.store.introduce(stream, self.origin.package, self.origin.classes, self.door.reach, self.twin.shown)
            self._apply(stream, self.current(stream))

    def ask(self, stream):
        """Ask for one more label, while the day's budget lasts and the last question but a few are answered."""
        waiting, spent = len(self.door.asked(stream)), self.door.asked_since(stream, wall_ms() - DAY_MS)
        if spent >= self.options["asks_per_day"] or waiting >= self.options["asks_open"]:
            return None
        kept = [moment for moment, _ in self.moments.kept(stream)]
        free = self.moments.unlabelled(stream, {moment.seq for moment in kept})
        if len(free) < LEAST:
            return None
        hidden = np.array([moment.hidden for moment in free])
        taken = np.array([moment.hidden for moment in kept]).reshape(-1, hidden.shape[1])
        index, why = choose(hidden, judged(hidden, self.parameters(stream)), taken)
        self.door.ask(free[index], why)
        self.counters["asked"] += 1
        return free[index]

    def parameters(self, stream):
        """What judges a stream now."""
        state = self.current(stream)
        if not state:
            return self.base()
        return self.base() if self.away.get(stream, HOME)[0] else state.parameters

    def learn(self, stream):
        """Learn from the buffer of a stream where it has changed. Whether something was adopted."""
        labelled = [pair for pair in self.moments.kept(stream) if pair[1]]
        mark = crc32((repr([(moment.seq, label) for moment, label in labelled]) + self.alarms.answered(stream)).encode())
        state, frozen = self.current(stream), self.store.current(stream)[1]
        others = self.moments.unlabelled(stream, {moment.seq for moment, _ in labelled})
        known = self.taught.get(stream, state and state.facts.get("taught"))
        if frozen or not labelled or known == mark or len(labelled) + len(others) < LEAST or self.options["learn"] == "off":
            return False
        self.taught[stream] = mark
        lesson = Lesson(self.twin, self.origin, labelled, others, self.anchors, self.base(), self.slack.pause, self.options["learn"])
        lesson.vouch(self.alarms.vouched(stream))
        challenger, verdict = self.guard.judge(lesson)
        self.counters["tried"] += 1
        self.alarms.note(stream, verdict)
        if verdict.adopt:
            self._adopt(stream, state, lesson, challenger, verdict)
        else:
            self._refuse(stream, state, verdict)
        return verdict.adopt

    def base(self):
        """What learning starts from: as shipped, or as the hub sent it and this guard let pass."""
        state = self.store.current(GLOBAL + self.origin.package)[0]
        return state.parameters if state else self.origin.shipped

    def rebase(self):
        """The base has changed: all streams learn again from it, and those without a state of their own use it."""
        self.taught = {stream: None for stream in self.moments.recent}
        self.start()

    def _adopt(self, stream, state, lesson, challenger, verdict):
        ground = Ground.of(lesson.hidden(challenger, [*lesson.others, *lesson.moments]))
        facts = dict(verdict.facts, taught=self.taught[stream], ground=ground.facts, confirmed=int(lesson.vouched.sum()))
        made = AttentionState(stream, self.origin.package, 0, state.version if state else 0, wall_ms(), verdict.why, facts, challenger)
        self.store.adopt(made)
        self._apply(stream, made)
        self.counters["adopted"] += 1

    def _refuse(self, stream, state, verdict):
        """What is in use stays; but what was learnt from labels that are not trusted, or no longer help, is taken back."""
        self.counters["refused_" + verdict.test] += 1
        if verdict.test == "trust":
            self.tell(stream, "feedback_disagrees", verdict.why)
        if verdict.test in ("doubt", "trust") and state:
            self.store.use(stream, 0)
            self._apply(stream, None)
            self.counters["rolled_back"] += 1
            self.tell(stream, "attention_rolled_back", verdict.why)

    def watch(self, stream):
        """Let the calmer of base and state judge while the stream is not what its state was proven on, and the state when it is again."""
        proven, latest = self.proven.get(stream), list(self.moments.recent[stream].values())[-LATEST:]
        if not proven or len(latest) < LATEST // 4:
            return
        parameters, away = proven[0].judge(self.base(), proven[1], [moment.hidden for moment in latest])
        before, self.away[stream] = self.away.get(stream, HOME), (parameters is not proven[1], away)
        if self.away[stream][0] != before[0]:
            self.use(stream, parameters)
            self.counters["taken_up" if before[0] else "set_aside"] += 1
        if away != before[1]:
            self.tell(stream, "stream_changed" if away else "stream_back", "not what its attention was proven on: labels are welcome"
                      if away else "as it was when its attention was proven")
