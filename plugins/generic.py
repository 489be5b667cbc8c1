"""Any model on any signal, by settings alone: fixed windows in, the best class out, changes reported.

For imported models: the plugin knows nothing of what the numbers mean.
"""
# runs on CPython and MicroPython

from gateway.core.plugin import Model, Plugin
from gateway.core.records import Decision, Features, Inference, Summary
from gateway.core.window import Window

MANIFEST = {
    "kind": "plugin", "name": "generic", "version": "0.1.0", "api": 1,
    "summary": "runs an imported model on windows of a signal and reports when its answer changes",
    "runs_on": ("cpython", "micropython"), "needs": (), "permissions": (), "budget": {"ms": 200, "mb": 64},
    "leaves": {"event": {"class": "the answer", "score": "its share, per mille", "model": "what answered"},
               "minute": {"counts": "windows by class"}},
    "options": {
        "length": {"required": True, "type": "list", "help": "numbers that each input of the model takes in, for example [490]"},
        "hop": {"default": 0, "type": "int", "min": 0, "help": "samples from one window to the next; 0 = no overlap"},
        "lowest": {"default": -128, "type": "int", "help": "smallest number that the model takes"},
        "highest": {"default": 127, "type": "int", "help": "largest number that the model takes"},
        "repeats": {"default": 2, "type": "int", "min": 1, "help": "windows in a row that must agree"},
        "minute": {"default": True, "type": "bool", "help": "whether to report each minute what was seen"},
    },
}


class Level(Model):
    """The rule beside any model: is the window's mean in the upper half of the range?"""

    def infer(self, features):
        """"high" or "low"."""
        values = features.values[0]
        high = 2 * sum(values) > len(values) * (self.options["lowest"] + self.options["highest"])
        return Inference(features.stream, features.seq, features.t_ms, "high" if high else "low", [1.0], None, "baseline")


class Stream:
    """What is kept of one signal."""

    def __init__(self, size, block):
        self.window = Window(size, "i")
        self.due = size
        self.from_ms = self.last_ms = block.t_ms
        self.answer, self.said, self.run = "", "", 0
        self.counts = {}


class Generic(Plugin):
    """Feeds the newest samples to every input of the model."""

    baseline = Level

    def __init__(self, options, context):
        super().__init__(options, context)
        self.size = max(options["length"])
        self.hop = options["hop"] or self.size
        self.streams = {}

    def push(self, block):
        """Features each time a window is full, and the minute's digest."""
        if block.stream not in self.streams:
            self.streams[block.stream] = Stream(self.size, block)
        stream, out = self.streams[block.stream], []
        stream.last_ms = block.t_ms
        low, high = self.options["lowest"], self.options["highest"]
        for i, value in enumerate(block.values):
            stream.window.push((max(low, min(high, int(value))),))
            if stream.window.total == stream.due:
                stream.due += self.hop
                values = [stream.window.latest(n) for n in self.options["length"]]
                out.append(Features(block.stream, block.seq + i, block.time_of(block.seq + i), values, {}))
        if self.options["minute"] and block.t_ms - stream.from_ms >= 60000:
            out += self._digest(block.stream, stream, block.t_ms)
        return out

    def decide(self, features, inference):
        """Report an answer that is new and has held."""
        stream = self.streams[features.stream]
        stream.run = stream.run + 1 if inference.label == stream.answer else 1
        stream.answer = inference.label
        stream.counts[inference.label] = stream.counts.get(inference.label, 0) + 1
        new = stream.run == self.options["repeats"] and inference.label != stream.said
        if new:
            stream.said = inference.label
        return Decision(new, False, 0, "class %s, for %d windows" % (inference.label, stream.run))

    def summarise(self, features, inference, decision):
        """The change."""
        if not decision.report:
            return []
        data = {"class": inference.label, "score": int(max(inference.scores) * 1000), "model": inference.variant}
        return [Summary(features.stream, "event", "event", features.t_ms, decision.reason, data)]

    def _digest(self, name, stream, t_ms):
        counts, stream.counts, stream.from_ms = stream.counts, {}, t_ms
        if not counts:
            return []
        words = ", ".join(["%s: %d" % (label, counts[label]) for label in sorted(counts)])
        return [Summary(name, "minute", "digest", t_ms, "windows by class: " + words, {"counts": counts})]

    def finish(self):
        """The minutes that have begun."""
        return [summary for name in sorted(self.streams)
                for summary in self._digest(name, self.streams[name], self.streams[name].last_ms)]


PLUGIN = Generic
