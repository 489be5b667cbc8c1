"""What the forms of people's platforms share: a device for each stream, and data as flat names and plain values."""

import json
import math
import re
import time
import zlib

from gateway.forms import Form


def flat(data, prefix=""):
    """[("classes.N", 70), ...]: the plain values of nested data; a list stays one value, as JSON text. What is no value is
    left out: None, and the floats that JSON has no word for."""
    out = []
    for name, value in data.items():
        if isinstance(value, dict):
            out += flat(value, prefix + name + ".")
        elif value is not None and not (isinstance(value, float) and not math.isfinite(value)):
            out.append((prefix + name, json.dumps(value, separators=(",", ":")) if isinstance(value, (list, tuple)) else value))
    return out


def slug(text, banned=r"[^A-Za-z0-9_-]"):
    """`text` without what a name may not hold; two different texts stay different."""
    clean = re.sub(banned, "_", text)
    return clean if clean == text else "%s-%08x" % (clean, zlib.crc32(text.encode()))


class DeviceForm(Form):
    """present: {stream: when it last spoke, in s of the monotonic clock}. A stream is announced when it first speaks, again at
    each connection, and taken back when it was silent for options["silent_h"]. Stream "" is the gateway itself."""

    def __init__(self, gateway, options):
        super().__init__(gateway, options)
        self.present = {}

    def arrived(self, stream):
        """Messages that announce a stream."""
        return []

    def left(self, stream):
        """Messages that take a stream back."""
        return []

    def carried(self, batch):
        """Messages that carry the records of a batch."""
        raise NotImplementedError

    def opened(self):
        return [message for stream in self.present for message in self.arrived(stream)]

    def batch(self, batch):
        now, messages = time.monotonic(), []
        for _, fields in batch.records:
            if fields["stream"] and fields["stream"] not in self.present:
                messages += self.arrived(fields["stream"])
            if fields["stream"]:
                self.present[fields["stream"]] = now
        return messages + self.carried(batch) + self._taken_back(now - self.options["silent_h"] * 3600)

    def _taken_back(self, limit):
        gone = [stream for stream, spoke in self.present.items() if spoke < limit]
        for stream in gone:
            del self.present[stream]
        return [message for stream in gone for message in self.left(stream)]
