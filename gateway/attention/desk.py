"""What a person does at a gateway's attention: one function for each act, for the command line and for the page alike."""

from collections import Counter

import numpy as np

from gateway.attention import kept
from gateway.attention.alarms import Alarms
from gateway.attention.feedback import Door
from gateway.attention.moments import Moments
from gateway.core.errors import ConfigError
from gateway.core.options import guess

LATEST = 50  # words of each stream
ASKED = ("seq", "t_ms", "guess", "share", "why")
WORD = ("seq", "label", "source", "given_ms", "verdict")


class Unknown(ConfigError):
    """There is no such stream, version or moment."""


class Desk:
    """store: AttentionStore of the gateway's files; doors: {stream: Door} of the gateway that runs in this process, where one
    does. Raises Unknown for what is not there."""

    def __init__(self, store, doors=None):
        self.store, self.alarms = store, Alarms(store)
        self.doors = doors or (lambda: {})

    def known(self, stream):
        """The name of a stream that is known."""
        names = {*self.store.origins(), *(row[0] for row in self.store.streams()), *kept.streams(self.store)}
        if stream not in names:
            raise Unknown('no stream "%s"' % stream, guess(stream, names))
        return stream

    def door(self, stream):
        """The Door for words about a stream: that of the running gateway, which knows more, or one from outside."""
        running, origins = self.doors(), self.store.origins()
        if stream not in running and stream not in origins:
            raise Unknown('no stream "%s"' % stream, guess(stream, origins))
        if stream in running:
            return running[stream]
        origin = origins[stream]
        moments = Moments(self.store, Counter(), origin.get("trace"))
        return Door(moments, origin["classes"], origin["reach"], Counter(), outside=True)

    def streams(self):
        """What each stream uses, since when and why, and the labels that it knows."""
        used = {stream: (version, bool(frozen)) for stream, version, frozen in self.store.streams()}
        origins = self.store.origins()
        return [self._stream(name, *used.get(name, (0, False)), origins.get(name, {})) for name in sorted({*used, *origins})]

    def _stream(self, name, version, frozen, origin):
        state = self.store.state(name, version) if version else None
        return {"stream": name, "version": version, "frozen": frozen, "t_ms": state.t_ms if state else None,
                "reason": state.reason if state else "as shipped", "classes": origin.get("classes", []),
                "names": origin.get("names", {}), "giver": giver_of(origin.get("classes", [])), "labels": self._taught(name)}

    def _taught(self, stream):
        """{label: how many moments of the replay buffer have it}."""
        return dict(self.store.rows("SELECT label, COUNT(*) FROM feedback WHERE stream = ? AND verdict = 'taken' GROUP BY label", stream))

    def history(self, stream):
        """All versions that are kept, oldest first, without their numbers; and the alarms, with what a person answered."""
        versions = [{name: value for name, value in state.to_dict().items() if name != "parameters"}
                    for state in self.store.history(self.known(stream))]
        for version in versions:
            version["facts"].pop("ground", None)
        return {"stream": stream, "versions": versions + kept.history(self.store, stream), "alarms": self.alarms.history(stream)}

    def freeze(self, stream, frozen=True):
        """Stop a stream's learning, or let it go on."""
        self.store.freeze(self.known(stream), frozen)

    def reset(self, stream):
        """Go back to what was shipped; the history stays."""
        if stream in kept.streams(self.store):
            kept.back(self.store, stream, 0)
        else:
            self.store.use(self.known(stream), 0)

    def rollback(self, stream, version=None):
        """Go to an earlier version, None = the one before. Gives its number."""
        if stream in kept.streams(self.store):
            return kept.back(self.store, stream, version)
        state = self.store.current(self.known(stream))[0]
        if version is None and not state:
            raise ConfigError("%s is as shipped: there is nothing before" % stream, "heed attention history %s" % stream)
        version = state.parent if version is None else version
        if version and version not in [state.version for state in self.store.history(stream)]:
            raise Unknown("stream %s has no version %d" % (stream, version), "`heed attention history` lists them")
        self.store.use(stream, version)
        return version

    def asked(self):
        """What labels are asked for, of all streams."""
        return [dict(zip(ASKED, row), stream=stream) for stream in self.store.origins() for row in self.door(stream).asked(stream)]

    def words(self, stream, most=None):
        """The words about a stream and what became of each, oldest first; most: only so many of the latest."""
        rows = self.store.rows("SELECT seq, label, source, given_ms, verdict FROM feedback WHERE stream = ? ORDER BY id DESC "
                               "LIMIT ?", self.known(stream), -1 if most is None else most)
        return [dict(zip(WORD, row), stream=stream) for row in rows[::-1]]

    def latest(self):
        """The latest words about all streams, newest first."""
        words = [word for stream in self.store.origins() for word in self.words(stream, LATEST)]
        return sorted(words, key=lambda word: -word["given_ms"])[:LATEST]

    def raised(self):
        """Alarms that wait for a person's answer, of all streams."""
        return [alarm for stream in self.store.origins() for alarm in self.alarms.open(stream)]

    def confirm(self, stream, source):
        """Answer an alarm: the labels are right. Gives how many."""
        return self.alarms.confirm(self.known(stream), source)

    def deny(self, stream, source):
        """Answer an alarm: the labels are wrong. Gives how many went."""
        return self.alarms.deny(self.known(stream), source)

    def giver(self, stream):
        """Who gives the words about a stream, where nobody says."""
        return giver_of(self.door(stream).classes)

    def give(self, word):
        """The verdict on a Feedback, once it is on disk."""
        return self.door(word.stream).give(word)

    def skip(self, stream, seq):
        """A question that nobody can answer makes room for the next."""
        if not self.door(stream).skip(stream, seq):
            raise Unknown("moment %d of %s is not asked for" % (seq, stream), "`heed feedback ask` lists those that are")

    def moment(self, stream, seq):
        """What a moment looks like, for a person who is to label it: see docs/api.md."""
        door = self.door(stream)
        moment = door.moments.find(stream, seq, door.reach)
        if not moment:
            raise Unknown("moment %d of %s is gone, or was never here" % (seq, stream), "`heed feedback ask` lists those that are asked for")
        words = self.store.rows("SELECT label, source, given_ms, verdict FROM feedback WHERE stream = ? AND seq = ? ORDER BY id",
                                stream, moment.seq)
        return dict(portrait(door.moments.beside(moment), door.classes, door.moments), words=[dict(zip(WORD[1:], row)) for row in words])


def giver_of(classes):
    """Labels are a clinician's, what is confirmed or denied is a user's."""
    return "user" if "deny" in classes else "clinician"


def portrait(moment, classes, moments):
    """A Moment as JSON-safe facts: what was judged, how sure, what was attended to, and the trace, where the package has one."""
    seen, facts = moment.seen, {name: getattr(moment, name) for name in ("stream", "seq", "t_ms", "guess", "share")}
    facts["shares"] = dict(zip(classes, np.round(seen["shares"].astype(float), 4).tolist())) if "shares" in seen else {}
    facts["attended"] = np.round(seen["attended"].astype(float), 4).tolist() if "attended" in seen else []
    if moments.trace:
        facts["trace"] = trace(moment, moments)
    return facts


def trace(moment, moments):
    """The line of a moment and of those around it. Of two channels the second is what differs from the usual: so `usual`."""
    facts, about = moments.trace, moment.seen
    lines = np.asarray(moment.values[facts["index"]]).reshape(-1, facts["channels"])
    out = {"rate_hz": facts["rate_hz"], "unit": facts["unit"], "meaning": facts["meaning"], "line": scaled(lines[:, 0], facts)}
    if facts["channels"] == 2:
        out["usual"] = scaled(lines[:, 0].astype(int) - lines[:, 1], facts)
    out["around"] = [{"apart_ms": int(apart), "guess": str(label), "line": scaled(line, facts)}
                     for apart, label, line in zip(about["apart_ms"], about["guess"], about["trace"])] if "trace" in about else []
    return out


def scaled(counts, facts):
    """Counts as numbers of the trace's unit."""
    return np.round(counts * facts["scale"], 3).tolist()
