"""Home Assistant's MQTT discovery: a device for each stream, its values as sensors, its events as events.

https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery. Configurations and the last record of each kind are retained, so
that they are there after a restart of either side; what a former run of this gateway left is read back and taken away in its turn.
"""

import json
import time

from gateway import __version__
from gateway.core.errors import Rejected
from gateway.forms import Message
from gateway.forms.devices import DeviceForm, flat, slug

ROOT = "heed/ha/"
OWN = "_gateway"  # stands for a stream where a record is the gateway's own
HAPPENINGS = ("alarm", "event")
TIMES = ("from_ms", "to_ms")  # the record's own attributes say when
# by the last or the first word of a field's name: unit, device class
UNITS = {"bpm": ("bpm", None), "ms": ("ms", "duration"), "s": ("s", "duration"), "c": ("°C", "temperature"), "pct": ("%", None),
         "percent": ("%", None), "quality": ("%", None), "hpa": ("hPa", "atmospheric_pressure"), "v": ("V", "voltage"),
         "w": ("W", "power"), "hz": ("Hz", "frequency"), "kmh": ("km/h", "speed"), "bytes": ("B", "data_size"), "mb": ("MB", "data_size")}


def dumps(value):
    """JSON as bytes, the same for the same value."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def unit(name):
    """(unit, device class) of a numeric field, or (None, None)."""
    words = name.split(".")[-1].split("_")
    return UNITS.get(words[-1]) or UNITS.get(words[0]) or (None, None)


class HomeAssistant(DeviceForm):
    """configs: {topic: payload} of what is announced; spent: topics of last records whose entities have just been taken away."""

    def __init__(self, gateway, options):
        super().__init__(gateway, options)
        self.node = "heed-" + slug(gateway)
        self.root = ROOT + slug(gateway) + "/"
        self.listens = "%s/+/%s/+/config" % (options["discovery"], self.node)
        self.configs, self.spent = {}, []

    def _state(self, text):
        return Message(self.root + "state", text, True)

    def will(self):
        return self._state(b"offline")

    def closing(self):
        return [*self._swept(), self._state(b"offline")]

    def opened(self):
        own = {"name": "connection", "state_topic": self.root + "state", "payload_on": "online", "payload_off": "offline",
               "device_class": "connectivity", "entity_category": "diagnostic"}
        self._announce("binary_sensor", "connection", own, "")
        return [self._state(b"online"), *[Message(topic, payload, True) for topic, payload in self.configs.items()]]

    def _announce(self, component, object_id, config, stream):
        """The discovery message, where it says something new."""
        device = {"identifiers": [self._id(stream)], "name": stream or self.gateway, "manufacturer": "Heed"}
        device.update({"via_device": self.node} if stream else {"sw_version": __version__})
        if stream:
            config["availability_topic"] = self.root + "state"
        config.update(unique_id="%s-%s" % (self.node, object_id), object_id="%s-%s" % (self.node, object_id), qos=1, device=device,
                      origin={"name": "Heed", "sw_version": __version__})
        topic = "%s/%s/%s/%s/config" % (self.options["discovery"], component, self.node, object_id)
        payload = dumps(config)
        if self.configs.get(topic) == payload:
            return []
        self.configs[topic] = payload
        return [Message(topic, payload, True)]

    def _id(self, stream):
        """Identifier of a stream's device."""
        return self.node + "-" + slug(stream) if stream else self.node

    def carried(self, batch):
        return self._swept() + [message for seq, fields in batch.records for message in self._record(batch.epoch, seq, fields)]

    def _swept(self):
        """Empty payloads end what is retained. Not at once: entities that are still on their way out would take them for records."""
        spent, self.spent = self.spent, []
        return [Message(topic, b"", True) for topic in spent]

    def _record(self, epoch, seq, fields):
        kind = slug(fields["kind"])
        topic = self.root + (slug(fields["stream"]) or OWN) + "/" + kind
        values = flat(fields["data"])
        messages = self._entities(fields, topic, values)
        record = {"epoch": epoch, "seq": seq, "t_ms": fields["t_ms"], "class": fields["cls"], "reason": fields["reason"],
                  "data": dict(values)}
        messages.append(Message(topic, dumps(record), True))
        if fields["cls"] in HAPPENINGS:
            messages.append(Message(topic + "/event", dumps(dict(record, event_type=fields["cls"]))))
        return messages

    def _entities(self, fields, topic, values):
        """Discovery of what this record has that none had before."""
        stream, kind = fields["stream"], slug(fields["kind"])
        prefix = "%s-%s" % (slug(stream) or OWN, kind)
        reason = {"name": kind + " reason", "state_topic": topic, "value_template": "{{ value_json.reason[:255] }}",
                  "json_attributes_topic": topic}
        messages = self._announce("sensor", prefix + "-reason", reason, stream)
        if fields["cls"] in HAPPENINGS:
            event = {"name": kind, "state_topic": topic + "/event", "event_types": list(HAPPENINGS)}
            messages += self._announce("event", prefix, event, stream)
        for name, value in values:
            if name not in TIMES and not isinstance(fields["data"].get(name), (list, tuple)):
                object_id = "%s-%s" % (prefix, slug(name.replace(".", "-")))
                messages += self._announce("sensor", object_id, sensor(kind, name, value, topic), stream)
        return messages

    def left(self, stream):
        """Empty configurations take the entities away."""
        mine = dumps({"identifiers": [self._id(stream)]})[1:-1]
        gone = [topic for topic, payload in self.configs.items() if mine in payload]
        self.spent += sorted({json.loads(self.configs.pop(topic))["state_topic"] for topic in gone})
        return [Message(topic, b"", True) for topic in gone]

    def heard(self, topic, payload):
        """A configuration that is retained: this gateway's own, of now or of a former run."""
        if not payload:
            return []
        try:
            device = json.loads(payload)["device"]
            stream = device["name"] if device["identifiers"] != [self.node] else ""
        except (ValueError, KeyError, TypeError) as error:
            raise Rejected("%s holds no configuration of ours: %s" % (topic, error), "")
        self.configs.setdefault(topic, payload)
        if stream:
            self.present.setdefault(stream, time.monotonic())
        return []


def sensor(kind, name, value, topic):
    """Configuration of a sensor for one field; where a record lacks it, it is unknown."""
    config = {"name": "%s %s" % (kind, name), "state_topic": topic}
    template = "value_json.data[%s] | default(none)" % json.dumps(name)
    if isinstance(value, (str, bool)):
        return dict(config, value_template="{{ (%s) | string | truncate(255, true, '', 0) }}" % template)
    config.update(value_template="{{ %s }}" % template, state_class="measurement")
    config.update((key, word) for key, word in zip(("unit_of_measurement", "device_class"), unit(name)) if word)
    return config


FORM = HomeAssistant
