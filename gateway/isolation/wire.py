"""Records between the gateway and a part in another process: JSON lines, never pickle.

A part that is not trusted must not be able to make the gateway run its code by what it sends.
"""

import json

from gateway.core import errors, records
from gateway.core.batch import Batch

KINDS = {cls.__name__: cls for cls in (records.Signal, records.Block, records.Sample, records.Features, records.Inference,
                                       records.Forecast, records.Decision, records.Summary)}
ERRORS = {name: getattr(errors, name) for name in dir(errors) if name.endswith(("Error", "Connected", "Stream", "Rejected"))}


def pack(value):
    """A value as plain JSON types: records become {"is": name, "of": [fields]}."""
    name = type(value).__name__
    if name in KINDS:
        return {"is": name, "of": [pack(getattr(value, field)) for field in value.FIELDS]}
    if name == "Batch":
        return {"is": "Batch", "of": [value.gateway, value.epoch, value.records, value.after, value.base, value.newest]}
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, dict):
        return {"is": "dict", "of": [[key, pack(item)] for key, item in value.items()]}
    if isinstance(value, (list, tuple)) or hasattr(value, "typecode"):
        return [pack(item) for item in value] if value and not isinstance(value[0], (int, float)) else list(value)
    return value


def unpack(value):
    """What pack() made, as it was. Unknown names raise PluginError."""
    if isinstance(value, list):
        return [unpack(item) for item in value] if value and isinstance(value[0], (dict, list)) else value
    if not isinstance(value, dict):
        return value
    if value["is"] == "dict":
        return {key: unpack(item) for key, item in value["of"]}
    if value["is"] == "Batch":
        gateway, epoch, records, *numbers = value["of"]
        return Batch(gateway, epoch, [tuple(record) for record in records], *numbers)
    if value["is"] not in KINDS:
        raise errors.PluginError("a part sent an unknown record %r" % value["is"])
    return KINDS[value["is"]](*[unpack(item) for item in value["of"]])


def encode(message):
    """One line of bytes."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def raised(answer):
    """The error that an answer {"error", "message", "hint"} tells of."""
    return ERRORS.get(answer["error"], errors.PluginError)(str(answer["message"]), str(answer.get("hint", "")))
