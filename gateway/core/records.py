"""What flows: plain records with positional fields, the same on both interpreters.

Times are integer milliseconds of wall time since 1970, stamped once at the edge. `seq` is the number of
the first sample of its stream since the source was opened: a gap in it is a loss that everybody downstream can see.
"""


class Record:
    """Base: FIELDS names the constructor's positional arguments in order."""

    FIELDS = ()

    def __init__(self, *values):
        if len(values) != len(self.FIELDS):
            raise TypeError("%s takes %s" % (type(self).__name__, ", ".join(self.FIELDS)))
        for name, value in zip(self.FIELDS, values):
            setattr(self, name, value)

    def to_dict(self):
        """Fields by name; nested records stay as they are."""
        return {name: getattr(self, name) for name in self.FIELDS}

    def __eq__(self, other):
        return type(self) is type(other) and self.to_dict() == other.to_dict()

    def __repr__(self):
        return "%s(%s)" % (type(self).__name__, ", ".join(
            "%s=%r" % (name, getattr(self, name)) for name in self.FIELDS))


class Signal(Record):
    """What a stream is. rate_hz: samples per second; gain: counts per `unit`; zero: count at 0 `unit`."""

    FIELDS = ("stream", "name", "unit", "rate_hz", "gain", "zero")


class Block:
    """A run of samples of one signal at its fixed rate. values: integer counts, length n >= 1.

    Written out by hand, not derived from Record: it is made at sensor rate.
    """

    FIELDS = ("signal", "seq", "t_ms", "values")

    def __init__(self, signal, seq, t_ms, values):
        self.signal = signal
        self.seq = seq
        self.t_ms = t_ms
        self.values = values

    @property
    def stream(self):
        """Id of the stream that the samples belong to."""
        return self.signal.stream

    def time_of(self, sample):
        """Wall time in ms of the sample with number `sample`, counted as `seq` is."""
        return self.t_ms + int((sample - self.seq) * 1000 / self.signal.rate_hz)


class Sample(Record):
    """One reading of all channels of a slow sensor. values: tuple in the manifest's channel order."""

    FIELDS = ("stream", "seq", "t_ms", "values")


class Features(Record):
    """What a model takes in. values: arrays in the order of the model manifest's inputs;
    facts: dict of plain numbers and words that the decision needs beside the model's answer."""

    FIELDS = ("stream", "seq", "t_ms", "values", "facts")


class Inference(Record):
    """What a model gives. label: class name; scores: shares in class order, sum 1; maps: attention
    weights per block that say why, or None; variant: name of what ran."""

    FIELDS = ("stream", "seq", "t_ms", "label", "scores", "maps", "variant")


class Forecast(Record):
    """What a model of series gives. values: for each of the Features' streams the counts that it expects of the coming
    slots, or None where it does not know the stream; maps: dict of attention weights by name, or None."""

    FIELDS = ("stream", "seq", "t_ms", "values", "maps", "variant")


class Decision(Record):
    """report, alarm: bool; rest_ms: how long the sensor may rest, 0 = go on; reason: in words."""

    FIELDS = ("report", "alarm", "rest_ms", "reason")


class Summary(Record):
    """The small record that goes upstream. kind: "minute", "event", "gap"...; cls: priority class
    "alarm", "event" or "digest"; reason: in words; data: JSON-safe dict."""

    FIELDS = ("stream", "kind", "cls", "t_ms", "reason", "data")


def summary_from(fields):
    """The Summary whose to_dict() is `fields`."""
    return Summary(*[fields[name] for name in Summary.FIELDS])
