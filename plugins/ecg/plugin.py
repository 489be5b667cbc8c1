"""ECG of one lead: beats found, classed by the model, and watched for what a clinic wants to know.

Not a medical device; not for diagnosis.
"""
# runs on CPython and MicroPython

from gateway.core.plugin import Plugin
from gateway.core.records import Decision, Features, Summary
from plugins.ecg.baseline import Rules
from plugins.ecg.beats import BeatMaker
from plugins.ecg.digest import Digest
from plugins.ecg.filters import KERNELS
from plugins.ecg.qrs import QrsDetector
from plugins.ecg.rhythm import Event, NAMES, Rhythm

MANIFEST = {
    "kind": "plugin", "name": "ecg", "version": "0.1.0", "api": 1,
    "summary": "finds and judges heart beats in one ECG lead, 100 to 1000 Hz",
    "runs_on": ("cpython", "micropython"), "needs": (), "permissions": (), "budget": {"ms": 20, "mb": 32},
    "leaves": {
        "minute": {"from_ms": "begin of the minute", "to_ms": "its end", "beats": "beats found", "classes": "beats by class",
                   "bpm": "mean heart rate", "bpm_min": "at the longest interval", "bpm_max": "at the shortest interval",
                   "quality": "percent of likeness to the usual beat", "flat_ms": "how long the line was flat",
                   "held_back": "events not said again, by kind"},
        "event": {"event": "kind of event", "r": "number of the sample at the beat", "beats": "classes of the last 16 beats",
                  "model": "what judged", "scores": "shares by class, per mille", "attended": "beats looked at most, and how much",
                  "flat_ms": "how long the line was flat"},
    },
    "options": {
        "confidence": {"default": 60, "type": "int", "min": 26, "max": 99, "help": "percent below which a beat is called unsure"},
        "confidence_v": {"default": 80, "type": "int", "min": 26, "max": 99, "help": "the same for ventricular beats, which can alarm"},
        "pause_ms": {"default": 3000, "type": "int", "min": 1500, "max": 10000, "help": "a pause this long is an alarm"},
        "fast_bpm": {"default": 150, "type": "int", "min": 60, "max": 300, "help": "a rate above is an alarm"},
        "slow_bpm": {"default": 40, "type": "int", "min": 20, "max": 100, "help": "a rate below is an alarm"},
        "irregular": {"default": 12, "type": "int", "min": 5, "max": 50, "help": "percent of change between intervals that is called irregular"},
        "noise": {"default": 75, "type": "int", "min": 40, "max": 100, "help": "percent unlike the usual beat that is called noise"},
        "repeat_s": {"default": 60, "type": "int", "min": 0, "max": 3600, "help": "how long an event of one kind is not said again"},
    },
}
FLAT_MS = 2000
LOOK_BACK = 3  # how many of the beats most attended to are named in an event


class Stream:
    """All that is kept of one signal."""

    def __init__(self, block, options):
        self.options = options
        self.rhythm = Rhythm(options)
        self.digest = Digest(block.stream, block.t_ms)
        self.label = self.event = ""
        self.restart(block)

    def restart(self, block):
        """Begin at `block`: what came before does not join it."""
        self.first = self.next = block.seq
        self.detector = QrsDetector(block.signal.rate_hz)
        self.maker = BeatMaker(block.signal.rate_hz)
        self.flat = None

    def flat_ms(self, block):
        """How long the line has been flat up to the end of `block`, in ms."""
        ends = block.t_ms + int(len(block.values) * 1000 / block.signal.rate_hz)
        if KERNELS.extent(KERNELS.convert(block.values)) > 2:
            self.flat = None
            return 0
        self.flat = block.t_ms if self.flat is None else self.flat
        return ends - self.flat


class EcgPlugin(Plugin):
    """Any number of streams; each keeps its own detector, usual beat and rhythm."""

    def __init__(self, options, context):
        super().__init__(options, context)
        self.streams = {}

    @staticmethod
    def baseline(options, context):
        """The rule-based model of this domain."""
        return Rules(options, context)

    def push(self, block):
        """Features of the beats that `block` completes, and what is due without any beat."""
        stream = self.streams.get(block.stream)
        if stream is None:
            stream = self.streams[block.stream] = Stream(block, self.options)
        elif block.seq != stream.next:
            self.context.count("signal_gaps")
            stream.restart(block)
        stream.next = block.seq + len(block.values)
        made = stream.maker.push(block.values, stream.detector.push(block.values))
        out = [self._features(stream, block, *beat) for beat in made] + self._flat(stream, block)
        if stream.digest.due(block.t_ms):
            out.append(stream.digest.close(block.t_ms, stream.rhythm.held))
        return out

    def _features(self, stream, block, r, token, facts):
        seq = stream.first + r
        facts["r"] = seq
        return Features(block.stream, seq, block.time_of(seq), list(token), facts)

    def _flat(self, stream, block):
        """A flat line is a lead that fell off."""
        flat_ms = stream.flat_ms(block)
        stream.digest.flat_ms += flat_ms and int(len(block.values) * 1000 / block.signal.rate_hz)
        event = Event("lead_off", True, "flat line: has the lead come off?")
        if flat_ms >= FLAT_MS and stream.rhythm.due(event, block.t_ms):
            return [self._event(block.stream, block.t_ms, event, {"flat_ms": flat_ms})]
        return []

    def decide(self, features, inference):
        """Whether the beat completes something worth reporting."""
        stream = self.streams[features.stream]
        stream.label = stream.rhythm.label(inference, features)
        event = stream.rhythm.beat(features.t_ms, stream.label, features.facts)
        stream.event = event.kind if event else ""
        reason = event.reason if event else NAMES[stream.label] + " beat"
        return Decision(event is not None, event is not None and event.alarm, 0, reason)

    def summarise(self, features, inference, decision):
        """The event, if the beat completed one; each beat counts for its minute."""
        stream = self.streams[features.stream]
        stream.digest.add(stream.label, features.facts)
        if not decision.report:
            return []
        event = Event(stream.event, decision.alarm, decision.reason)
        return [self._event(features.stream, features.t_ms, event, self._why(stream, features, inference))]

    def _event(self, stream, t_ms, event, data):
        return Summary(stream, "event", "alarm" if event.alarm else "event", t_ms, event.reason, dict(data, event=event.kind))

    def _why(self, stream, features, inference):
        """What the model gave, and which of the last beats it looked at most."""
        data = {"r": features.seq, "beats": stream.rhythm.labels(16), "model": inference.variant,
                "scores": [int(score * 1000) for score in inference.scores]}
        if inference.maps is not None:
            data["attended"] = attended(inference.maps)
        return data

    def finish(self):
        """The minutes that have begun."""
        out = []
        for name in sorted(self.streams):
            stream = self.streams[name]
            if stream.digest.intervals:
                t_ms = stream.digest.from_ms + sum(stream.digest.intervals)
                out.append(stream.digest.close(t_ms, stream.rhythm.held))
        return out


def attended(maps):
    """[[beats ago, weight per mille]] of the beats that block and head together weigh most."""
    rows = [row for block in maps for row in block]
    newest = len(rows[0]) - 1
    weights = [sum([float(row[i]) for row in rows]) * 1000 / len(rows) for i in range(newest + 1)]
    best = sorted([(-weight, newest - i) for i, weight in enumerate(weights)])[:LOOK_BACK]
    return [[ago, int(-weight)] for weight, ago in best]


PLUGIN = EcgPlugin
