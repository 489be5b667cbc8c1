"""Reports that persons confirm or deny: kept until they are answered, and handed back to the plugin as what it is to remember.

A plugin takes part by `remembers` in its manifest, the words that it understands. An event of its own that can be answered
has `report`, a number that rises, and `traits`, what was reported in at most WIDTH integers. What the words amount to is
the plugin's to say: its use(stream, state) gets them. observe() only queues; all else happens in work(), on the learning thread.
"""

from collections import Counter, deque

import numpy as np

from gateway.attention.feedback import Door
from gateway.attention.moments import Moment, Moments
from gateway.attention.state import AttentionState, Origin
from gateway.core.compat import crc32, wall_ms
from gateway.core.flow import settled

PREFIX = "plugin "  # before the name of a plugin: a state is its, not a package's
VALUES = {"confirm": 1, "deny": -1}
EXAMPLES, WIDTH = 64, 16  # remembered of a stream, half of each word; integers of one
LARGEST = 1 << 15
WAITING = 256  # reports between two turns


def origin(name):
    """The Origin of a plugin's memory: as shipped it holds nothing."""
    shipped = {"examples": np.zeros((EXAMPLES, WIDTH)), "values": np.zeros(EXAMPLES)}
    return Origin(name, shipped, {"examples": (-LARGEST, LARGEST), "values": (-1, 1)}, VALUES)


def remembered(labelled):
    """{"examples", "values"} of [(Moment, label)]: the latest of each word, zeros where there are fewer."""
    kept = [pair for label in VALUES for pair in [p for p in labelled if p[1] == label][-EXAMPLES // 2:]]
    state = origin("").copy()
    for row, (moment, label) in enumerate(kept):
        state["examples"][row, :len(moment.hidden)], state["values"][row] = moment.hidden, VALUES[label]
    return state


def answerable(data):
    """Whether a report has what it takes to be answered, as the head of this file says."""
    traits = data.get("traits")
    return (type(data["report"]) is int and 0 <= data["report"] < 1 << 53 and isinstance(traits, (list, tuple)) and 0 < len(traits) <= WIDTH
            and all(type(value) is int and abs(value) < LARGEST for value in traits))


class Reports:
    """store: AttentionStore; found: the plugin (see gateway.discover). streams: those that it gets."""

    def __init__(self, store, found):
        self.store, self.name = store, "%s%s %s" % (PREFIX, found.name, found.manifest["version"])
        self.counters = Counter()
        self.moments = Moments(store, self.counters)
        self.labels = list(found.manifest["remembers"])
        self.door = Door(self.moments, self.labels, 0, self.counters)
        self.waiting, self.streams, self.taught, self.marks = deque(), set(), {}, {}

    def teach(self, part):
        """The plugin, which from now on gets what it is to remember before its next block. A plugin that failed gets it anew."""
        push, given = part.push, {}

        async def call(block):
            self.streams.add(block.stream)
            try:
                for stream in list(self.taught):
                    if given.get(stream) is not self.taught[stream]:
                        given[stream] = self.taught[stream]
                        await settled(part.use(stream, given[stream] and given[stream].parameters))
                return await settled(push(block))
            except Exception:  # its process may be a new one
                given.clear()
                raise
        part.push = call
        return part

    def beside(self, watch):
        """What is to see each result of the plugin: this, then `watch`, where there is one."""
        def both(features, inference, decision, summaries):
            self.observe(summaries)
            if watch:
                watch(features, inference, decision, summaries)
        return both

    def observe(self, summaries):
        """Remember the reports among the summaries of a plugin for the next turn."""
        for summary in summaries or ():
            if "report" in summary.data and not answerable(summary.data):
                self.counters["reports_refused"] += 1
            elif "report" in summary.data:
                self.streams.add(summary.stream)
                self.waiting.append(summary)
                if len(self.waiting) > WAITING:
                    self.waiting.popleft()
                    self.counters["reports_dropped"] += 1

    def work(self):
        """One turn: keep what was reported, take up words and changes from elsewhere; gives how many streams remember anew."""
        self.keep()
        known = self.store.origins()
        streams = [stream for stream in sorted(self.streams) if known.get(stream, {}).get("package") == self.name]
        for stream in streams:
            self.door.wait(stream)
            self._take_up(stream)
        return sum(self.learn(stream) for stream in streams)

    def keep(self):
        """Put the reports that wait on disk."""
        while self.waiting:
            self._keep(self.waiting.popleft())

    def _keep(self, summary):
        """A report on disk, where it can be answered until 64 later ones were not."""
        if self.moments.newest(summary.stream) < 0:
            self.store.introduce(summary.stream, self.name, self.labels, self.door.reach)
        why = "%s, frame %s" % (summary.data.get("event", summary.kind), summary.data.get("frame", "?"))
        moment = Moment(summary.stream, summary.data["report"], summary.t_ms, summary.reason, summary.data.get("share", 1000) / 1000,
                        np.array(summary.data["traits"], np.int16), [], {})
        self.moments.observe(moment)
        self.door.ask(moment, why)
        self.counters["reports"] += 1

    def _take_up(self, stream):
        """Let the plugin use the state in use, where that has changed."""
        state = self.store.current(stream)[0]
        if state and state.package != self.name:
            self.counters["foreign_states"] += 1
            state = None
        if (state and state.version) != (self.taught.get(stream) and self.taught[stream].version):
            self.taught[stream] = state

    def learn(self, stream):
        """Make a state of all words about a stream, where they have changed. Whether there is a new one."""
        labelled = [pair for pair in self.moments.kept(stream) if pair[1]]
        mark = crc32(repr([(moment.seq, label) for moment, label in labelled]).encode())
        state, frozen = self.store.current(stream)
        if stream not in self.marks:  # what was made of the words before a restart, and may have been taken back since
            self.marks[stream] = next((known.facts.get("taught") for known in reversed(self.store.history(stream))), None)
        if frozen or not labelled or self.marks[stream] == mark:
            return False
        self.marks[stream] = mark
        count = Counter(label for _, label in labelled)
        why = ", ".join("%d x %s" % (count[label], label) for label in self.labels if count[label])
        self.store.adopt(AttentionState(stream, self.name, 0, state.version if state else 0, wall_ms(), why, {"taught": mark},
                                        remembered(labelled)))
        self.counters["remembered"] += 1
        self._take_up(stream)
        return True
