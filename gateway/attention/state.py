"""What is adapted of one stream: the attention controls and the head, as a small record with a version."""

import hashlib
import json

import numpy as np

from gateway.core.errors import ConfigError

FORM = 1
DIGITS = 5
HEAD_LIMIT = 16.0  # a head has no range in the manifest: no trained weight comes near this


class Origin:
    """What a package ships, and how far it may be moved. package: "name version"; shipped: {name: float32 array};
    ranges: {name: (min, max)}, where a name without one may lie within HEAD_LIMIT; classes: in the order of the scores."""

    def __init__(self, package, shipped, ranges, classes):
        self.package = package
        self.shipped = {name: np.array(value, np.float32) for name, value in shipped.items()}
        self.ranges = {name: ranges.get(name, (-HEAD_LIMIT, HEAD_LIMIT)) for name in self.shipped}
        self.classes = list(classes)

    def clamp(self, parameters):
        """Keep parameters within their ranges, in place."""
        for name, (low, high) in self.ranges.items():
            np.clip(parameters[name], low, high, out=parameters[name])

    def copy(self):
        """The shipped parameters, to be moved."""
        return {name: value.copy() for name, value in self.shipped.items()}

    def check(self, parameters):
        """Raise ConfigError unless these are parameters of this package, finite and within their ranges."""
        for name, value in self.shipped.items():
            given = parameters.get(name)
            if given is None or given.shape != value.shape:
                raise ConfigError("%s is %s, %s has %s" % (name, "missing" if given is None else "of shape %s" % (given.shape,),
                                                           self.package, value.shape), "it belongs to another package")
            low, high = self.ranges[name]
            if not np.isfinite(given).all() or given.min() < low or given.max() > high:
                raise ConfigError("%s is not within %g to %g" % (name, low, high), "it was changed or damaged")


class AttentionState:
    """One version of a stream's attention. version: 0 = as shipped; parent: what it was made from; reason: in words;
    facts: what the guard found, JSON-safe."""

    def __init__(self, stream, package, version, parent, t_ms, reason, facts, parameters):
        self.stream = stream
        self.package = package
        self.version = version
        self.parent = parent
        self.t_ms = t_ms
        self.reason = reason
        self.facts = facts
        self.parameters = parameters

    def to_dict(self):
        """JSON-safe dict with a digest of the numbers."""
        numbers = {name: np.round(value.astype(float), DIGITS).tolist() for name, value in sorted(self.parameters.items())}
        return {"form": FORM, "stream": self.stream, "package": self.package, "version": self.version, "parent": self.parent,
                "t_ms": self.t_ms, "reason": self.reason, "facts": self.facts, "parameters": numbers, "sha256": digest(numbers)}


def digest(numbers):
    """SHA-256 of rounded parameters as JSON."""
    return hashlib.sha256(json.dumps(numbers, sort_keys=True).encode()).hexdigest()


def state_from(fields):
    """The AttentionState of a to_dict(). Raises ConfigError where it is none, or was changed since."""
    try:
        if fields["form"] != FORM or digest(fields["parameters"]) != fields["sha256"]:
            raise ConfigError("this attention state was changed since it was written, or is of another form", "export it again")
        parameters = {name: np.array(value, np.float32) for name, value in fields["parameters"].items()}
        return AttentionState(*[fields[name] for name in ("stream", "package", "version", "parent", "t_ms", "reason", "facts")], parameters)
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError("this is no attention state: %s" % error, "`heed attention export` writes one")


def difference(new, old):
    """{name: (largest change, L2 norm of the change)} of two sets of parameters."""
    return {name: (float(np.abs(new[name] - old[name]).max()), float(np.linalg.norm(new[name] - old[name]))) for name in sorted(old)}
