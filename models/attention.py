"""Runs a package: picks the best variant that works, keeps each stream's state, falls back when a runtime fails."""

from collections import OrderedDict

import numpy as np

from gateway.core.compat import ticks_diff
from gateway.core.errors import ModelError
from gateway.core.plugin import Model
from gateway.core.records import Inference
from models.package import Package, folder_of
from models.runtimes.edgetpu import EdgeTpu
from models.runtimes.litert import LiteRt
from models.tiny import TinyModel

RUNTIMES = {"litert": LiteRt, "edgetpu": EdgeTpu}
MAX_STREAMS = 4096
RETRY_MS = 60000  # how long a variant that failed in use is left alone


class PackageModel(Model):
    """options: {"package": name or folder, "variant": name or "" for the best}; baseline: the rule-based Model that
    is the last rung. Scores are shares; `maps` has one row of weights per block and head, newest beat last."""

    def __init__(self, options, context, baseline=None):
        super().__init__(options, context)
        self.baseline = baseline
        self.streams = OrderedDict()
        self.variant = self.graph = self.whole = None
        self.ready = {}

    def load(self):
        """Read the package and start the first variant of the fall-back order that runs. Raises ModelError when none does."""
        self.package = Package(folder_of(self.options["package"]))
        self.inputs = [(i["name"], np.float32(i["scale"]), tuple(i["shape"])) for i in self.package.manifest["inputs"]]
        self.state = [(s["name"], s["output"], np.zeros(s["shape"], np.float32)) for s in self.package.manifest["state"]]
        self.controls = {name: np.array(c["default"], np.float32) for name, c in self.package.manifest["controls"].items()}
        head = self.package.manifest.get("head")
        self.head = head and (np.array(head["weights"], np.float32), np.array(head["bias"], np.float32))
        wanted = self.options.get("variant")
        self.order = [wanted] if wanted else self.package.fallback
        self.retry_at = None
        self._first_of(self.order)

    def _first_of(self, order):
        """Start the first variant of `order` that runs."""
        reasons = []
        for name in order:
            try:
                return self._start(name)
            except ModelError as error:
                reasons.append(str(error))
                self.context.count("variants_failed")
                self.context.log("warning", "model variant %s: %s" % (name, error))
        raise ModelError("no variant of %s runs: %s" % (self.package.name, "; ".join(reasons)), "heed model verify " + self.package.name)

    def _fall(self, error):
        """What runs has failed: go down the order, and come back to the top after a rest."""
        self.context.count("inferences_failed")
        self.context.log("warning", str(error))
        self.retry_at = self.context.clock.ticks_ms() + RETRY_MS
        self.ready.pop(self.variant, None)
        order = self.order if self.variant in self.order else [self.variant, *self.order]
        self._first_of(order[order.index(self.variant) + 1:])

    def _rise(self):
        """Try what is better than what runs; keep what runs where nothing is."""
        self.retry_at, kept = None, (self.variant, self.graph, self.whole, dict(self.streams))
        try:
            self._first_of(self.order[:self.order.index(kept[0])] if kept[0] in self.order else [])
            self.context.count("variants_returned")
            self.context.log("info", "model variant %s is back" % self.variant)
        except ModelError:
            self.variant, self.graph, self.whole = kept[:3]
            self.streams.update(kept[3])
            self.retry_at = self.context.clock.ticks_ms() + RETRY_MS

    def _start(self, name):
        """Make one variant what runs. Raises ModelError, and leaves what ran, when it does not."""
        variant, graph, whole = self.package.variants.get(name), None, None
        if name == "baseline" and self.baseline:
            whole = self.baseline
        elif variant and variant.runtime == "tiny":
            whole = TinyModel({"data": variant.data()}, self.context)
        elif variant and variant.runtime in RUNTIMES:
            graph = RUNTIMES[variant.runtime](variant.data(), str(variant.path))
        else:
            raise ModelError("no variant %s that this machine runs" % name, "variants: " + ", ".join(self.package.variants))
        if whole:
            whole.load()
        else:
            self._trial(graph)
        self.variant, self.graph, self.whole = name, graph, whole
        self.streams.clear()

    def use(self, name):
        """Let variant `name` answer from now on; what was loaded before is kept. Streams go on where the state is of one shape.
        Raises ModelError when it does not run; what ran goes on."""
        if name == self.variant:
            return
        kept = self.variant, self.graph, self.whole
        self.ready[kept[0]] = kept
        streams = dict(self.streams)
        if name in self.ready:
            self.variant, self.graph, self.whole = self.ready[name]
        else:
            self._start(name)
        self.retry_at = None
        if not kept[2] and not self.whole:
            self.streams.update(streams)

    def _trial(self, graph):
        """Shapes must be those of the manifest, and one run must give sound numbers."""
        shapes = {name: shape for name, _, shape in self.inputs}
        shapes.update({name: zero.shape for name, _, zero in self.state}, **{n: c.shape for n, c in self.controls.items()})
        for name, wanted in shapes.items():
            shape = graph.inputs.get(name, (0, None))[1]
            if shape != wanted:
                raise ModelError("%s: input %s is %s, the manifest says %s" % (graph.name, name, shape, wanted),
                                 "manifest and weights are not of one release")
        out = graph.run({name: np.zeros(shape, graph.inputs[name][2]) for name, shape in shapes.items()} | self.controls)
        # a compiled graph loses its signature, and with it the name of its output: an only one needs none
        self.scores = next(iter(out)) if len(out) == 1 else self.package.manifest.get("scores", "logits")
        if self.scores not in out or out[self.scores].shape[-1] != len(self.package.classes):
            raise ModelError("%s gives another number of classes than the manifest" % graph.name, "install the package again")

    def infer(self, features):
        """Inference for one beat; the stream's caches move on by one."""
        if self.retry_at is not None and ticks_diff(self.context.clock.ticks_ms(), self.retry_at) >= 0:
            self._rise()
        if self.whole:
            return self.whole.infer(features)
        values = {name: np.multiply(array, scale, dtype=np.float32).reshape(shape)
                  for (name, scale, shape), array in zip(self.inputs, features.values)}
        if any(getattr(array, "dtype", int) == float and not np.isfinite(array).all() for array in features.values):
            raise ModelError("the input of stream %s is not finite" % features.stream, "see the plugin that makes these features")
        values.update(self._stream(features.stream))
        try:
            out = self.graph.run(values)
            scores = shares(self.logits(out))
            if scores[0] != scores[0]:
                raise ModelError("%s gives no numbers (NaN)" % self.graph.name, "verify the package: heed model verify")
        except ModelError as error:
            self._fall(error)
            return self.infer(features)
        if self.state:
            self.streams[features.stream] = {name: out[output] for name, output, _ in self.state}
        return Inference(features.stream, features.seq, features.t_ms, self.package.classes[int(scores.argmax())],
                         scores.tolist(), out.get("maps"), self.variant)

    def logits(self, out):
        """Logits of one answer of the graph: its own, or those of the head that the manifest puts in its place."""
        if self.head:
            return (out["hidden"] @ self.head[0] + self.head[1])[0]
        return out[self.scores].reshape(-1, len(self.package.classes))[0]

    def _stream(self, stream):
        """The caches of a stream; the one unused for longest makes room."""
        if stream in self.streams:
            self.streams.move_to_end(stream)
            return self.streams[stream]
        if len(self.streams) >= MAX_STREAMS:
            self.streams.popitem(last=False)
            self.context.count("streams_forgotten")
        return {name: zero for name, _, zero in self.state}

    def forget(self, stream):
        """Drop the caches of a stream."""
        self.streams.pop(stream, None)
        if self.whole:
            self.whole.forget(stream)


def shares(logits):
    """Softmax of one row."""
    logits = logits.astype(np.float32, copy=False)
    e = np.exp(logits - logits.max())
    return e / e.sum()
