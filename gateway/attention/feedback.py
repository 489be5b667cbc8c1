"""The one door for feedback, whoever gives it: a clinician's label, a confirmed alarm, a forecast's own future.

Durable before it is acknowledged, judged at once:
- repeated: the same word again; counted, nothing changes
- out of order: an older word than the one that is kept for this giver; kept out
- contradictory: of two givers the one of higher rank counts; of equal rank neither, until one of them yields
- waiting: about a moment that only the running gateway, or only the future, can know
- late: about a moment that is no longer there; kept as a fact, nobody learns from it
- denied: from before a person said that the labels of this stream are wrong (gateway.attention.alarms)
"""

from gateway.attention.moments import ASKED
from gateway.core.compat import wall_ms
from gateway.core.errors import ConfigError

RANKS = {"clinician": 3, "user": 2, "alarm": 2, "self": 1}
KEPT = 20000  # words of a stream; the oldest without a moment go
INSERT = "INSERT INTO feedback VALUES(NULL, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(stream, seq, source) DO UPDATE SET " \
         "label = excluded.label, given_ms = excluded.given_ms, verdict = excluded.verdict"
MARK = "UPDATE feedback SET verdict = ? WHERE stream = ? AND seq = ? AND source = ?"
AGAIN = "UPDATE feedback SET given_ms = ? WHERE stream = ? AND seq = ? AND source = ?"
ASK = "SELECT seq, t_ms, guess, share, why FROM moment WHERE stream = ? AND asked_ms IS NOT NULL AND why != 'skipped' AND seq NOT IN " \
      "(SELECT seq FROM feedback WHERE stream = ? AND verdict != 'denied') ORDER BY asked_ms"


class Feedback:
    """A word about one moment. seq: number of the moment; source: "clinician", "user", "alarm" or "self", and after a colon
    who; given_ms: when it was said, which may be long before it arrives."""

    def __init__(self, stream, seq, label, source="clinician", given_ms=None):
        self.rank = rank_of(source)
        self.stream, self.seq, self.label, self.source = stream, int(seq), label, source
        self.given_ms = wall_ms() if given_ms is None else int(given_ms)


def rank_of(source):
    """How much the word of a giver counts. Raises ConfigError for one of no known kind."""
    kind = source.split(":")[0]
    if kind not in RANKS:
        raise ConfigError("feedback from %r" % source, "one of %s, and who after a colon" % ", ".join(RANKS))
    return RANKS[kind]


class Door:
    """Takes feedback in. moments: Moments; classes: labels that are known; reach: how far from a moment's number a word may
    be; counters: one for each verdict; outside: this is not the process that judges, which will know more."""

    def __init__(self, moments, classes, reach, counters, outside=False):
        self.store, self.moments = moments.store, moments
        self.classes, self.reach = classes, reach
        self.counters, self.outside = counters, outside

    def give(self, word):
        """The verdict on a Feedback, once it is on disk. Raises ConfigError for an unknown label."""
        if word.label not in self.classes:
            raise ConfigError("label %r" % word.label, "one of " + ", ".join(self.classes))
        moment = self.moments.find(word.stream, word.seq, self.reach)
        if moment:
            word.seq = moment.seq
        with self.store.lock:  # the learner's thread and a page may come at once
            verdict = "denied" if word.given_ms <= self._denied_ms(word.stream) else self._judge(word, moment)
            self.counters[verdict] += 1
        return verdict

    def _denied_ms(self, stream):
        """When a person last said that the labels of a stream are wrong, 0 = never."""
        return self.store.rows("SELECT MAX(answered_ms) FROM alarm WHERE stream = ? AND answer = 'denied'", stream)[0][0] or 0

    def _judge(self, word, moment):
        """The verdict, with all that it changes on disk."""
        words = self._words(word)
        before = words.get(word.source)
        if before and before[0] == word.label:
            self.store.write((AGAIN, (max(before[1], word.given_ms), word.stream, word.seq, word.source)))
            return "repeated"
        if before and before[1] > word.given_ms:
            return "out_of_order"
        return self._settle(word, words, moment)

    def _words(self, word):
        """{source: (label, given_ms)} about the moment of a word."""
        return {source: (label, given_ms) for source, label, given_ms in self.store.rows(
            "SELECT source, label, given_ms FROM feedback WHERE stream = ? AND seq = ? AND verdict != 'denied'", word.stream, word.seq)}

    def _settle(self, word, words, moment, *first):
        """Write a word, and what it changes of the others about its moment, after the statements `first`."""
        words[word.source] = word.label, word.given_ms
        absent = "waiting" if self.outside or word.seq > self.moments.newest(word.stream) else "late"
        found = verdicts(words) if moment else {word.source: absent}
        writes = [(INSERT, (word.stream, word.seq, word.label, word.source, word.given_ms, wall_ms(), found[word.source]))]
        writes += [(MARK, (verdict, word.stream, word.seq, source)) for source, verdict in found.items()]
        keep = [self.moments.keep(moment, "labelled")] if moment else []
        self.store.write(*first, *keep, *writes, self._bound(word.stream))
        self.store.write(*self.moments.evictions(word.stream))
        return found[word.source]

    def wait(self, stream):
        """Judge the words that waited for what this process knows. Gives how many found their moment."""
        rows = self.store.rows("SELECT seq, label, source, given_ms FROM feedback WHERE stream = ? AND verdict = 'waiting'", stream)
        with self.store.lock:
            return sum(self._awaited(Feedback(stream, *row)) for row in rows)

    def _awaited(self, word):
        moment = self.moments.find(word.stream, word.seq, self.reach)
        if not moment and word.seq > self.moments.newest(word.stream):
            return False
        old = "DELETE FROM feedback WHERE stream = ? AND seq = ? AND source = ?", (word.stream, word.seq, word.source)
        word.seq = moment.seq if moment else word.seq
        verdict = self._settle(word, self._words(word), moment, old)
        self.counters[verdict] += 1
        return verdict == "taken"

    def _bound(self, stream):
        return ("DELETE FROM feedback WHERE stream = ? AND id <= (SELECT MAX(id) FROM feedback) - ? "
                "AND verdict NOT IN ('taken', 'disputed')", (stream, KEPT))

    def asked(self, stream):
        """[(seq, t_ms, guess, share, why)] that are asked for and not answered."""
        return self.store.rows(ASK, stream, stream)

    def ask(self, moment, why):
        """Put a moment on the list of those that a label is asked for; the oldest unanswered one makes room."""
        waiting = self.asked(moment.stream)
        surplus = waiting[:max(0, len(waiting) - ASKED + 1)]
        gone = [("DELETE FROM moment WHERE stream = ? AND seq = ?", (moment.stream, row[0])) for row in surplus]
        self.counters["questions_dropped"] += len(gone)
        self.store.write(*gone, self.moments.keep(moment, why, wall_ms()))

    def skip(self, stream, seq):
        """Nobody can answer this: the next question comes. Whether it was asked. What was skipped is kept a while, so that it is not
        asked again."""
        if seq not in [row[0] for row in self.asked(stream)]:
            return False
        self.store.write(("UPDATE moment SET why = 'skipped' WHERE stream = ? AND seq = ?", (stream, seq)),
                         ("DELETE FROM moment WHERE stream = ? AND why = 'skipped' AND asked_ms <= (SELECT asked_ms FROM moment WHERE stream = ? "
                          "AND why = 'skipped' ORDER BY asked_ms DESC LIMIT 1 OFFSET ?)", (stream, stream, ASKED)))
        self.counters["skipped"] += 1
        return True

    def asked_since(self, stream, t_ms):
        """How many labels were asked for since a wall time."""
        return self.store.rows("SELECT COUNT(*) FROM moment WHERE stream = ? AND asked_ms >= ?", stream, t_ms)[0][0]


def verdicts(words):
    """{source: verdict} of all words about one moment. words: {source: (label, given_ms)}."""
    rank = {source: rank_of(source) for source in words}
    first = [source for source in sorted(words, key=lambda s: words[s][1]) if rank[source] == max(rank.values())]
    if len({words[source][0] for source in first}) > 1:
        return {source: "disputed" if source in first else "overruled" for source in words}
    return {source: "taken" if source == first[0] else "agreed" if source in first else "overruled" for source in words}
