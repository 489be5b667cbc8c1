"""Runs a package: picks the best variant that works, keeps each stream's state, falls back when a runtime fails."""

import numpy as np

from gateway.core.compat import ticks_diff
from gateway.core.errors import ModelError
from gateway.core.plugin import Model
from gateway.core.records import Inference
from models.caches import Caches
from models.forecast import Forecasts
from models.inputs import Inputs
from models.meaning import Meaning
from models.package import Package, folder_of
from models.runtimes.edgetpu import EdgeTpu
from models.runtimes.litert import LiteRt
from models.tiny import TinyModel

RUNTIMES = {"litert": LiteRt, "edgetpu": EdgeTpu}
RETRY_MS = 60000  # how long a variant that failed in use is left alone


class PackageModel(Model):
    """options: {"package": name or folder, "variant": name or "" for the best}; baseline: the rule-based Model that
    is the last rung. Scores are shares; `maps` has one row of weights per block and head, newest beat last."""

    def __init__(self, options, context, baseline=None):
        super().__init__(options, context)
        self.baseline = baseline
        self.variant = self.graph = self.whole = self.caches = None
        self.ready, self.adapted, self.learns, self.last = {}, {}, False, None

    def load(self):
        """Read the package and start the first variant of the fall-back order that runs. Raises ModelError when none does."""
        self.package = Package(folder_of(self.options["package"]))
        self.inputs = Inputs(self.package.manifest["inputs"])
        self.state = [(s["name"], s["output"], np.zeros(s["shape"], np.float32)) for s in self.package.manifest["state"]]
        self.controls = {name: np.array(c["default"], np.float32) for name, c in self.package.manifest["controls"].items()}
        self.forecasts = Forecasts(self.package.manifest) if "forecast" in self.package.manifest else None
        self.meaning = Meaning(self.package.manifest)
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
                self.context.count("variants_failed")
                if len(order) == 1:
                    raise
                reasons.append(str(error))
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
        self.retry_at, kept = None, (self.variant, self.graph, self.whole, self.caches)
        try:
            self._first_of(self.order[:self.order.index(kept[0])] if kept[0] in self.order else [])
            self.context.count("variants_returned")
            self.context.log("info", "model variant %s is back" % self.variant)
        except ModelError:
            self.variant, self.graph, self.whole, self.caches = kept
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
        self.controlled = None  # whose controls the graph holds: the trial left the shipped ones
        self.caches = graph and Caches(graph, [state[:2] for state in self.state], self.context)

    def switch(self, name):
        """Let variant `name` answer from now on; what was loaded before is kept. Streams go on where the state is of one shape.
        Raises ModelError when it does not run; what ran goes on."""
        if name == self.variant:
            return
        kept = self.variant, self.graph, self.whole, self.caches
        self.ready[kept[0]] = kept
        if name in self.ready:
            self.variant, self.graph, self.whole, self.caches = self.ready[name]
            self.controlled = False  # nobody knows whose controls it holds
        else:
            self._start(name)
        self.retry_at = None
        if kept[3] and self.caches:
            self.caches.take(kept[3])

    def _trial(self, graph):
        """Shapes must be those of the manifest, and one run must give sound numbers."""
        shapes = self.forecasts.shapes() if self.forecasts else self.inputs.shapes()
        shapes.update({name: zero.shape for name, _, zero in self.state}, **{n: c.shape for n, c in self.controls.items()})
        for name, wanted in shapes.items():
            shape = graph.inputs.get(name, (0, None))[1]
            if shape != wanted:
                raise ModelError("%s: input %s is %s, the manifest says %s" % (graph.name, name, shape, wanted),
                                 "manifest and weights are not of one release")
        out = graph.run({name: np.zeros(shape, graph.inputs[name][2]) for name, shape in shapes.items()} | self.controls)
        if self.forecasts:
            return self.forecasts.check(graph, out)
        # a compiled graph loses its signature, and with it the name of its output: an only one needs none
        self.scores = next(iter(out)) if len(out) == 1 else self.package.manifest.get("scores", "logits")
        if self.scores not in out or out[self.scores].shape[-1] != self.meaning.width:
            raise ModelError("%s gives another number of classes than the manifest" % graph.name, "install the package again")

    def infer(self, features):
        """Inference for one beat, the stream's caches move on by one; Forecast for a model of series."""
        if self.retry_at is not None and ticks_diff(self.context.clock.ticks_ms(), self.retry_at) >= 0:
            self._rise()
        if self.whole:
            self.last = None
            return self.whole.infer(features)
        if self.forecasts:
            return self._forecast(features)
        self.inputs.put(self.graph, features)
        adapted = self.adapted.get(features.stream)
        if adapted is not self.controlled:
            self._control(adapted)
        state = self.caches.of(features.stream) if self.learns else None
        try:
            out = self.caches.run(features.stream)
            scores = self.meaning.shares(self.logits(out, adapted))
            if scores[0] != scores[0]:
                raise ModelError("%s gives no numbers (NaN)" % self.graph.name, "verify the package: heed model verify")
        except ModelError as error:
            self._fall(error)
            return self.infer(features)
        self.last = (state, out["hidden"][0].copy()) if self.learns and "hidden" in out else None
        return Inference(features.stream, features.seq, features.t_ms, self.package.classes[int(scores.argmax())],
                         scores.tolist(), out["maps"].copy() if "maps" in out else None, self.variant)

    def _forecast(self, features):
        try:
            return self.forecasts.infer(self.graph, self.controls, features, self.variant)
        except ModelError as error:
            self._fall(error)
            return self.infer(features)

    def _control(self, adapted):
        """Put a stream's controls, or the shipped ones, into the graph, which keeps them."""
        for name, shipped in self.controls.items():
            self.graph.views[name][...] = shipped if adapted is None else adapted[name]
        self.controlled = adapted

    def use(self, stream, parameters):
        """Judge `stream` by these controls and this head from now on, None = as shipped. {name: array}, checked by the caller."""
        if parameters is None:
            self.adapted.pop(stream, None)
        else:
            self.adapted[stream] = parameters

    def logits(self, out, adapted=None):
        """Logits of one answer of the graph: its own, or those of the head that an adaptation or the manifest puts there."""
        if adapted:
            return out["hidden"] @ adapted["head"] + adapted["head_b"]
        if self.head:
            return out["hidden"] @ self.head[0] + self.head[1]
        return out[self.scores]

    def forget(self, stream):
        """Drop the state of a stream."""
        (self.whole or self.caches).forget(stream)
