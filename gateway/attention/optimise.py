"""Moves attention to what was labelled: gradients where the package gives them, search where it cannot.

A loss is a function of parameters that gives (loss, {name: gradient}). What it holds together: cross-entropy to the labels,
a pull to where it began, and "keep your opinion" on what nobody labelled (knowledge distillation: Hinton and others, 2015;
against forgetting: Li and Hoiem, 2016), where no label nearby says otherwise.
"""

import numpy as np

HEAD = ("head", "head_b")
RATE, STEPS = .03, 50
PRIOR = 1.0  # over the number of labels: weight of the squared distance to the start
KEEP = 1.0  # weight of the old opinions
MANY = 20  # with more labels they weigh less in proportion: cross-entropy is a mean, and many labels are not to be outvoted


def shares(logits):
    """Softmax by rows."""
    e = np.exp(logits - logits.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def judged(hidden, parameters):
    """Shares (n, classes) that a head gives hidden vectors (n, width)."""
    return shares(hidden @ parameters["head"] + parameters["head_b"])


def weighted(labels, classes):
    """Targets (n, classes) that sum to 1: a rare class counts more, by count ** -0.5."""
    counts = np.bincount(labels, minlength=classes)
    weight = counts[labels] ** -.5
    return np.eye(classes)[labels] * (weight / weight.sum())[:, None]


class Adam:
    """Kingma and Ba, 2015. One moment pair for each parameter; step() moves parameters in place."""

    def __init__(self, rate=RATE):
        self.rate = rate
        self.m, self.v, self.t = {}, {}, 0

    def step(self, parameters, gradients):
        """Move against the gradients."""
        self.t += 1
        for name, g in gradients.items():
            self.m[name] = .9 * self.m.get(name, 0) + .1 * g
            self.v[name] = .999 * self.v.get(name, 0) + .001 * g * g
            parameters[name] -= self.rate * (self.m[name] / (1 - .9 ** self.t)) / (np.sqrt(self.v[name] / (1 - .999 ** self.t)) + 1e-8)


def kept(k):
    """Weight of old opinions beside k labels."""
    return KEEP * min(1.0, MANY / k)


class HeadLoss:
    """Loss of the head alone, on hidden vectors. hidden (k, width), targets (k, classes); held: [((n, width), (n, classes))],
    vectors and the opinions of them that are kept, each pair with the weight kept(k)."""

    def __init__(self, start, hidden, targets, held):
        self.start, self.k = start, len(hidden)
        self.hidden = np.concatenate([hidden, *[vectors for vectors, _ in held]])
        self.targets = np.concatenate([targets, *[opinions * (kept(self.k) / len(opinions)) for _, opinions in held]])
        self.weights = self.targets.sum(1, keepdims=True)

    def __call__(self, parameters):
        """(loss, gradients of HEAD)."""
        given = judged(self.hidden, parameters)
        error = given * self.weights - self.targets
        pull, far = pulled(parameters, self.start, HEAD, self.k)
        loss = far - float((self.targets * np.log(given + 1e-12)).sum())
        return loss, {"head": self.hidden.T @ error + pull["head"], "head_b": error.sum(0) + pull["head_b"]}


def pulled(parameters, start, names, k):
    """({name: gradient}, loss) of the pull to the start."""
    pull = {name: 2 * PRIOR / k * (parameters[name] - start[name]) for name in names}
    return pull, sum(float(((parameters[name] - start[name]) ** 2).sum()) for name in names) * PRIOR / k


class GraphLoss:
    """Loss of whatever may move, through the package's gradient graph. twin: see models.twin; names: what moves; start: from
    where; moments and others: Moments, labelled and not; targets (k, classes); opinions (n, classes)."""

    def __init__(self, twin, names, start, moments, targets, others, opinions):
        self.twin, self.names, self.start = twin, names, start
        self.moments = [*moments, *others]
        self.targets = np.concatenate([targets, opinions * (kept(len(moments)) / len(others))]) if others else targets
        self.k = len(moments)

    def __call__(self, parameters):
        """(loss, gradients of `names`)."""
        total, gradients = 0.0, {name: np.zeros_like(parameters[name]) for name in self.names}
        for at in range(0, len(self.moments), self.twin.size):
            loss, found = self.twin.gradients(self.moments[at:at + self.twin.size], self.targets[at:at + self.twin.size], parameters)
            total += loss
            for name in self.names:
                gradients[name] += found[name]
        pull, far = pulled(parameters, self.start, self.names, self.k)
        return total + far, {name: gradients[name] + pull[name] for name in self.names}

    def forward(self, parameters):
        """The loss alone, from forward passes."""
        given = judged(np.array([self.twin.hidden(moment, parameters) for moment in self.moments]), parameters)
        return pulled(parameters, self.start, self.names, self.k)[1] - float((self.targets * np.log(given + 1e-12)).sum())


class Search:
    """Gradients by simultaneous perturbation (SPSA: Spall, 1992), from forward passes only: for integer graphs and Edge TPUs.

    loss: function of parameters that gives a number, or (loss, ...); size: of the perturbation; pairs: a step asks 2 * pairs times.
    """

    def __init__(self, loss, names, seed=1, size=.05, pairs=4):
        self.loss, self.names = loss, names
        self.rng, self.size, self.pairs = np.random.default_rng(seed), size, pairs

    def __call__(self, parameters):
        """(loss, estimated gradients of `names`)."""
        gradients, total = {name: np.zeros_like(parameters[name]) for name in self.names}, 0.0
        for _ in range(self.pairs):
            signs = {name: self.rng.choice((-1.0, 1.0), parameters[name].shape).astype(np.float32) for name in self.names}
            up, down = (self._at(parameters, signs, side * self.size) for side in (1, -1))
            total += (up + down) / 2
            for name in self.names:
                gradients[name] += signs[name] * np.float32((up - down) / (2 * self.size * self.pairs))
        return total / self.pairs, gradients

    def _at(self, parameters, signs, size):
        found = self.loss(dict(parameters, **{name: parameters[name] + size * signs[name] for name in self.names}))
        return found[0] if isinstance(found, tuple) else float(found)


def descend(loss, origin, optimiser, steps=STEPS, pause=lambda: None, start=None):
    """Parameters after `steps` steps from `start` (default: what is shipped), clamped to origin's ranges.

    origin: gateway.attention.state.Origin; pause() is called after each step: inference comes first.
    """
    parameters = {name: value.copy() for name, value in (start or origin.shipped).items()}
    for _ in range(steps):
        optimiser.step(parameters, loss(parameters)[1])
        origin.clamp(parameters)
        pause()
    return parameters
