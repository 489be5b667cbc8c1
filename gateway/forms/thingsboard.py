"""ThingsBoard's gateway API: a device for each stream, telemetry with the time of the record.

https://thingsboard.io/docs/reference/gateway-mqtt-api/. The platform keeps one value for each device, key and
millisecond, so that what is sent twice has no effect.
"""

import json

from gateway import __version__
from gateway.core.errors import Rejected
from gateway.forms import Message
from gateway.forms.devices import DeviceForm, flat

GATEWAY, OWN = "v1/gateway/", "v1/devices/me/"
MAX_BYTES = 60000  # the platform cuts the line at a payload of 65536


def dumps(value):
    """JSON as bytes."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


class ThingsBoard(DeviceForm):
    """Devices are called GATEWAY/STREAM, since a name is one device to the whole tenant; keys are KIND.FIELD."""

    def name(self, stream):
        """Name of the stream's device."""
        return "%s/%s" % (self.gateway, stream)

    def arrived(self, stream):
        name = self.name(stream)
        return [Message(GATEWAY + "connect", dumps({"device": name, "type": "heed"})),
                Message(GATEWAY + "attributes", dumps({name: {"gateway": self.gateway, "stream": stream}}))]

    def left(self, stream):
        return [Message(GATEWAY + "disconnect", dumps({"device": self.name(stream)}))]

    def opened(self):
        own = {"gateway": self.gateway, "heed_version": __version__}
        return [Message(OWN + "attributes", dumps(own)), *super().opened()]

    def closing(self):
        return [message for stream in self.present for message in self.left(stream)]

    def carried(self, batch):
        return [Message(topic, payload(topic, devices)) for topic, devices in self._parts(batch)]

    def _parts(self, batch):
        """(topic, {device: [entry as bytes]}) that stay below MAX_BYTES, in the order of the records."""
        topic, devices, size = "", {}, 0
        for seq, fields in batch.records:
            entry = dumps({"ts": fields["t_ms"], "values": values(seq, fields)})
            device = dumps(self.name(fields["stream"])) if fields["stream"] else b""
            where, more = (GATEWAY if device else OWN) + "telemetry", len(entry) + len(device) + 4
            if more > MAX_BYTES:
                raise Rejected("record %d takes %d bytes, and ThingsBoard %d in a message" % (seq, more, MAX_BYTES), "")
            if devices and (where != topic or size + more > MAX_BYTES):
                yield topic, devices
                devices, size = {}, 0
            topic, size = where, size + more
            devices.setdefault(device, []).append(entry)
        yield topic, devices


def values(seq, fields):
    """Telemetry of a record: its number, its reason, its data."""
    told = [("seq", seq), ("class", fields["cls"]), ("reason", fields["reason"]), *flat(fields["data"])]
    return {"%s.%s" % (fields["kind"], name): value for name, value in told}


def payload(topic, devices):
    """The message's JSON: lists by device, or one list for the gateway itself."""
    lists = [b"[" + b",".join(entries) + b"]" for entries in devices.values()]
    return lists[0] if topic.startswith(OWN) else b"{" + b",".join(map(b":".join, zip(devices, lists))) + b"}"


FORM = ThingsBoard
