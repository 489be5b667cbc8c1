"""What the guard asks a person: labels contradict what the model is sure of. Is it the right patient?

Only a person answers, and only about the labels that are there when he does: confirmed ones no longer count against
themselves in the guard's tests of trust, and must pass all the others; denied ones are dropped, and what was learnt with them.
"""

import json

from gateway.attention.feedback import rank_of
from gateway.core.compat import wall_ms
from gateway.core.errors import ConfigError

KEPT = 50  # alarms of a stream
ANSWERS = 3  # rank that may answer: a clinician's
NAMES = ("id", "stream", "raised_ms", "why", "answer", "source", "answered_ms", "labels")
SELECT = "SELECT %s FROM alarm WHERE " % ", ".join(NAMES)
ANSWER = "UPDATE alarm SET answer = ?, source = ?, answered_ms = ?, labels = ? WHERE stream = ? AND answer = ''"
DROP = ("UPDATE feedback SET verdict = 'denied' WHERE stream = ? AND verdict IN ('taken', 'agreed', 'disputed', 'overruled', 'waiting')",
        "DELETE FROM moment WHERE stream = ? AND (stream, seq) IN (SELECT stream, seq FROM feedback WHERE verdict = 'denied')",
        "UPDATE alarm SET labels = '[]' WHERE stream = ?",
        "UPDATE stream SET version = 0 WHERE stream = ?")


class Alarms:
    """store: AttentionStore."""

    def __init__(self, store):
        self.store = store

    def note(self, stream, verdict):
        """After each try: an alarm begins, says anew why, or is over since the labels are trusted again."""
        now, known = wall_ms(), self.open(stream)
        if verdict.test == "trust" and known:
            self.store.write(("UPDATE alarm SET why = ? WHERE id = ?", (verdict.why, known[0]["id"])))
        elif verdict.test == "trust":
            self.store.write(("INSERT INTO alarm VALUES(NULL, ?, ?, ?, '', '', 0, '[]')", (stream, now, verdict.why)),
                             ("DELETE FROM alarm WHERE stream = ? AND id <= (SELECT id FROM alarm WHERE stream = ? ORDER BY id DESC "
                              "LIMIT 1 OFFSET ?)", (stream, stream, KEPT)))
        elif known:
            self.store.write((ANSWER, ("over", "", now, "[]", stream)))

    def _found(self, where, *values):
        rows = [dict(zip(NAMES, row)) for row in self.store.rows(SELECT + where + " ORDER BY id", *values)]
        return [dict(row, labels=json.loads(row["labels"])) for row in rows]

    def open(self, stream):
        """Alarms of a stream that wait for an answer: one or none."""
        return self._found("stream = ? AND answer = ''", stream)

    def history(self, stream):
        """All alarms of a stream that are kept, oldest first; labels: [seq, label] of those that were confirmed."""
        return self._found("stream = ?", stream)

    def confirm(self, stream, source):
        """The labels given until now are right. Gives how many. Raises ConfigError, see _answerable."""
        self._answerable(stream, source)
        labels = self.store.rows("SELECT seq, label FROM feedback WHERE stream = ? AND verdict = 'taken' ORDER BY seq", stream)
        self.store.write((ANSWER, ("confirmed", source, wall_ms(), json.dumps(labels), stream)))
        return len(labels)

    def deny(self, stream, source):
        """The labels given until now are wrong: none of them teaches, and the stream is as shipped. Gives how many went."""
        self._answerable(stream, source)
        taken = self.store.rows("SELECT COUNT(*) FROM feedback WHERE stream = ? AND verdict = 'taken'", stream)[0][0]
        self.store.write((ANSWER, ("denied", source, wall_ms(), "[]", stream)), *[(query, (stream,)) for query in DROP])
        return taken

    def _answerable(self, stream, source):
        """Raise ConfigError unless there is an alarm, and this giver may answer it."""
        if rank_of(source) < ANSWERS:
            raise ConfigError("%s cannot answer for the labels" % source, "a clinician can")
        if not self.open(stream):
            raise ConfigError("no alarm of %s waits for an answer" % stream, "`heed feedback alarms` shows those that do")

    def vouched(self, stream):
        """{(seq, label)} that a person has confirmed."""
        return {tuple(pair) for alarm in self.history(stream) if alarm["answer"] == "confirmed" for pair in alarm["labels"]}

    def answered(self, stream):
        """What changes with each answer of a person: "" where there was none."""
        last = self.store.rows("SELECT MAX(id) FROM alarm WHERE stream = ? AND answer IN ('confirmed', 'denied')", stream)[0][0]
        return str(last or "")
