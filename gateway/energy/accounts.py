"""What each part costs: processor time of its verbs, and the least-squares account that a meter is explained by."""

import inspect
import time

import numpy as np

FORGET = .999  # per minute: half of what was learnt is forgotten in half a day
ALARM = .10  # share of the metered energy that may stay unexplained


def metered(part, verbs, spend):
    """Let `part` tell spend(ns of processor time) at each call of its verbs. A part in a thread or process of its own tells what
    handing over costs; the part itself is then in nobody's account but the meter's."""
    for verb in verbs:
        function = getattr(part, verb, None)
        if function:
            setattr(part, verb, _timed(function, spend))


def _timed(function, spend):
    def call(*values):
        began = time.thread_time_ns()
        try:
            result = function(*values)
        finally:
            spend(time.thread_time_ns() - began)
        return Stepped(result, spend) if inspect.iscoroutine(result) else result
    return call


class Stepped:
    """An awaited verb; what it waits for is not counted, each step that it works is."""

    def __init__(self, coroutine, spend):
        self.coroutine, self.spend = coroutine, spend

    def __await__(self):
        step, value = self.coroutine.send, None
        while True:
            began = time.thread_time_ns()
            try:
                waits = step(value)
            except StopIteration as end:
                return end.value
            finally:
                self.spend(time.thread_time_ns() - began)
            try:
                step, value = self.coroutine.send, (yield waits)
            except BaseException as error:  # a cancelled task: the part must see it
                step, value = self.coroutine.throw, error


class Account:
    """Recursive least squares of metered joules on job counts and time, a minute at a time.

    names: of the variants; prior: J per job, and W that are always drawn, as the tables have it. alarms: minutes in which more
    than a tenth stayed unexplained.
    """

    def __init__(self, names, prior, base_w):
        self.names, self.prior = list(names), np.array([*prior, base_w], float)
        self.alarms = 0
        self.begin()

    def begin(self):
        """Know nothing but the tables."""
        self.x = self.prior.copy()
        self.most = (.5 * np.maximum(self.x, 1e-3)) ** 2  # tables may be off by half
        self.p = np.diag(self.most)
        self.residual, self.minutes, self.noise = 0.0, 0, 1.0

    def update(self, counts, seconds, joules):
        """One span: {name: jobs}, its length, what the meter said. Gives whether too much of it stayed unexplained."""
        row = np.array([*[counts.get(name, 0) for name in self.names], seconds], float)
        error = joules - row @ self.x
        self.minutes += 1
        self.residual = abs(error) / max(joules, 1e-9)
        alarm = bool(self.residual > ALARM and self.minutes > 10)
        self.alarms += alarm
        self.noise += .05 * (error * error - self.noise)
        p = self.p / FORGET
        gain = p @ row / (max(self.noise, 1e-6) + row @ p @ row)
        self.x = np.maximum(self.x + gain * error, 0)
        p = p - np.outer(gain, row @ p)
        # what does not run is forgotten, but never known less than at the beginning
        scale = np.sqrt(np.minimum(1, self.most / np.maximum(np.diag(p), 1e-30)))
        self.p = p * np.outer(scale, scale)
        return alarm

    def energies(self):
        """{name: (J per job, standard error)}, and the base under ""."""
        errors = np.sqrt(np.maximum(np.diag(self.p), 0))
        return {name: (float(value), float(error)) for name, value, error in zip([*self.names, ""], self.x, errors)}

    def kept(self):
        """All that was learnt, JSON-safe."""
        return {"names": self.names, "prior": self.prior.tolist(), "x": self.x.tolist(), "p": self.p.tolist(), "minutes": self.minutes,
                "noise": self.noise}

    def restore(self, kept):
        """Go on from what kept() gave; where the tables are others, or it is damaged, from the beginning. Gives whether it was taken."""
        n = len(self.prior)
        try:
            x, p = np.array(kept["x"], float), np.array(kept["p"], float)
            sound = x.shape == (n,) and p.shape == (n, n) and np.isfinite(x).all() and np.isfinite(p).all()
            if not sound or kept["names"] != self.names or kept["prior"] != self.prior.tolist():
                return False
            self.minutes, self.noise = int(kept["minutes"]), float(kept["noise"])
        except (KeyError, TypeError, ValueError):
            return False
        self.x, self.p = x, p
        return True
