"""Checks options against a manifest, all faults in one pass."""

TYPES = {"int": (int,), "float": (int, float), "str": (str,), "bool": (bool,), "list": (list, tuple),
         "path": (str,)}


def distance(a, b):
    """Levenshtein edit distance between two words (Wagner and Fischer, 1974)."""
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a):
        last, row[0] = row[0], i + 1
        for j, other in enumerate(b):
            last, row[j + 1] = row[j + 1], min(row[j] + 1, row[j + 1] + 1, last + (letter != other))
    return row[-1]


def nearest(name, names):
    """The one of `names` that `name` was most likely meant to be, or None when none is near."""
    near = sorted((distance(name, n), n) for n in names)
    return near[0][1] if near and near[0][0] <= max(2, len(name) // 3) else None


def guess(name, names):
    """Remedy text for an unknown name."""
    near = nearest(name, names)
    return 'did you mean "%s"?' % near if near else "known: " + (", ".join(sorted(names)) or "none")


def check_options(manifest, given):
    """Values of all options, and the faults of `given` as (option, problem, remedy) tuples."""
    specs = manifest.get("options", {})
    faults = [(name, "unknown option", guess(name, specs)) for name in sorted(given) if name not in specs]
    values = {}
    for name in sorted(specs):
        spec = specs[name]
        if name not in given:
            if spec.get("required"):
                faults.append((name, "is missing", spec["help"]))
            values[name] = spec.get("default")
            continue
        values[name] = given[name]
        fault = _fault(given[name], spec)
        if fault:
            faults.append((name,) + fault)
    return values, faults


def _fault(value, spec):
    """(problem, remedy) of one value against its specification, or None."""
    kind = spec.get("type") or type(spec.get("default")).__name__
    # True is an int on CPython and not on MicroPython: ask for bool first, on both.
    if kind in TYPES and (type(value) is bool) != (kind == "bool") or not isinstance(value, TYPES.get(kind, object)):
        return "is %r" % (value,), "give a value of type " + kind
    if "choices" in spec and value not in spec["choices"]:
        return "is %r" % (value,), "choose one of " + ", ".join(str(c) for c in spec["choices"])
    if "min" in spec and value < spec["min"] or "max" in spec and value > spec["max"]:
        return "is %r" % (value,), "give a value from %s to %s" % (spec.get("min", "-inf"), spec.get("max", "inf"))
    return None
