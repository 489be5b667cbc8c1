"""What was judged and may still be labelled: the latest of each stream in memory, and on disk what was asked for or labelled.

A moment on disk is what the model took in, the history from before it and what the head judged: enough to learn from it
after a restart. The replay buffer is what is labelled: bounded, and balanced, since the largest class makes room.
"""

import json
import zlib
from collections import Counter, OrderedDict

import numpy as np

RECENT = 600  # of a stream in memory; ten minutes of heart beats
KEPT = 256  # labelled ones of a stream on disk
ASKED = 64  # asked for and not answered yet, of a stream
STREAMS = 256
BEFORE, AFTER = 7, 2  # neighbours that a person sees beside a moment: the rhythm that it stands in


class Moment:
    """One inference that can be learnt from. guess: class that the model gave; share: how sure it was; hidden: (width,);
    values, state: see models.twin; seen: {name: array} that is for a person alone: "shares" of all classes, "attended": weight of
    each key, newest last, and of the moments around "apart_ms", "guess" and "trace" (n, length)."""

    def __init__(self, stream, seq, t_ms, guess, share, hidden, values, state, seen=None):
        self.stream = stream
        self.seq = seq
        self.t_ms = t_ms
        self.guess = guess
        self.share = share
        self.hidden = hidden
        self.values = values
        self.state = state
        self.seen = seen or {}

    def __getitem__(self, name):
        return getattr(self, name)


def packed(moment):
    """A moment's arrays as bytes: a line of JSON that names them, then their bytes. Caches in half precision: what is learnt from
    them is a small step. Not np.savez: reading that back parses Python, which CPython 3.11 cannot do in two threads at once."""
    arrays = {"hidden": moment.hidden, **{"v%d" % i: value for i, value in enumerate(moment.values)}}
    arrays.update({"s_" + name: np.asarray(value, np.float16) for name, value in moment.state.items()})
    arrays.update({"x_" + name: value for name, value in moment.seen.items()})
    arrays = {name: np.ascontiguousarray(value) for name, value in arrays.items()}
    head = json.dumps([(name, value.dtype.str, value.shape) for name, value in arrays.items()]).encode()
    return zlib.compress(head + b"\n" + b"".join(value.tobytes() for value in arrays.values()), 1)


def unpacked(stream, row):
    """The Moment of (seq, t_ms, guess, share, data)."""
    seq, t_ms, guess, share, data = row
    head, _, rest = zlib.decompress(data).partition(b"\n")
    arrays, at = {}, 0
    for name, kind, shape in json.loads(head):
        count = int(np.prod(shape))
        arrays[name] = np.frombuffer(rest, kind, count, at).reshape(shape)
        at += arrays[name].nbytes
    state = {name[2:]: value.astype(np.float32) for name, value in arrays.items() if name.startswith("s_")}
    values = [arrays["v%d" % i] for i in range(sum(name[0] == "v" for name in arrays))]
    seen = {name[2:]: value for name, value in arrays.items() if name.startswith("x_")}
    return Moment(stream, seq, t_ms, guess, share, arrays["hidden"], values, state, seen)


class Moments:
    """store: AttentionStore; counters: shown in the status; trace: see models.twin, `shown`."""

    def __init__(self, store, counters, trace=None):
        self.store = store
        self.trace = trace
        self.counters = counters
        self.recent, self.opened = OrderedDict(), {}

    def observe(self, moment):
        """Remember an inference for a while."""
        latest = self.recent.get(moment.stream)
        if latest is None:
            latest = self.recent[moment.stream] = OrderedDict()
            if len(self.recent) > STREAMS:
                self.recent.popitem(last=False)
                self.counters["streams_forgotten"] += 1
        latest[moment.seq] = moment
        if len(latest) > RECENT:
            latest.popitem(last=False)

    def newest(self, stream):
        """Number of the latest moment of a stream, -1 where there is none."""
        latest = self.recent.get(stream)
        return next(reversed(latest)) if latest else -1

    def find(self, stream, seq, reach=0):
        """The moment nearest to `seq` within `reach`, on disk or in memory; None where there is none any more."""
        row = self.store.rows("SELECT seq, t_ms, guess, share, data FROM moment WHERE stream = ? AND seq BETWEEN ? AND ? ORDER BY ABS(seq - ?)",
                              stream, seq - reach, seq + reach, seq)
        if row:
            return unpacked(stream, row[0])
        near = [m for m in list(self.recent.get(stream, {}).values()) if abs(m.seq - seq) <= reach]
        return min(near, key=lambda m: abs(m.seq - seq)) if near else None

    def beside(self, moment):
        """A moment with what a person sees around it, as far as it is still here."""
        latest = list(self.recent.get(moment.stream, {}).values())
        at = next((i for i, near in enumerate(latest) if (near.seq, near.t_ms) == (moment.seq, moment.t_ms)), None)
        if at is None or not self.trace or at < BEFORE and "trace" in moment.seen:  # what was kept knows more
            return moment
        around = latest[max(0, at - BEFORE):at] + latest[at + 1:at + 1 + AFTER]
        moment.seen = dict(moment.seen, apart_ms=np.array([near.t_ms - moment.t_ms for near in around], np.int32),
                           guess=np.array([near.guess for near in around], "U8"),
                           trace=np.array([self.line(near) for near in around], np.int16))
        return moment

    def line(self, moment):
        """The first channel of a moment's trace, in counts."""
        return np.asarray(moment.values[self.trace["index"]]).reshape(-1, self.trace["channels"])[:, 0]

    def keep(self, moment, why, asked_ms=None):
        """(statement, values) that puts a moment on disk."""
        self.beside(moment)
        return ("INSERT INTO moment VALUES(?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (moment.stream, moment.seq, moment.t_ms, moment.guess, float(moment.share), why, asked_ms, packed(moment)))

    def kept(self, stream):
        """[(Moment, label that it teaches or None)] of all on disk, in order: labelled ones are the replay buffer."""
        rows = self.store.rows("SELECT m.seq, f.label FROM moment m LEFT JOIN feedback f ON f.stream = m.stream AND f.seq = m.seq AND "
                               "f.verdict = 'taken' WHERE m.stream = ? ORDER BY m.seq", stream)
        opened = self.opened.get(stream, {})
        self.opened[stream] = {seq: opened.get(seq) or self.find(stream, seq) for seq, _ in rows}
        return [(self.opened[stream][seq], label) for seq, label in rows]

    def unlabelled(self, stream, beyond):
        """Recent moments without those in `beyond`, oldest first."""
        return [m for seq, m in list(self.recent.get(stream, {}).items()) if seq not in beyond]

    def evictions(self, stream):
        """Statements that bring the buffer back to its bound: the oldest of the largest class go first."""
        rows = self.store.rows("SELECT seq, label FROM feedback WHERE stream = ? AND verdict = 'taken' ORDER BY seq", stream)
        counts, gone = Counter(label for _, label in rows), []
        while len(rows) - len(gone) > KEPT:
            largest = counts.most_common(1)[0][0]
            gone.append(next(seq for seq, label in rows if label == largest and seq not in gone))
            counts[largest] -= 1
        self.counters["moments_dropped"] += len(gone)
        return [(query, (stream, seq)) for seq in gone for query in (
            "DELETE FROM moment WHERE stream = ? AND seq = ?", "UPDATE feedback SET verdict = 'dropped' WHERE stream = ? AND seq = ?")]
