"""Sparkplug B 3.0: this gateway is an edge node, each stream a device, each record one NDATA or DDATA.

sparkplug_b_pb2.py is generated from the specification's sparkplug_b.proto (Eclipse Tahu, EPL-2.0); docs/forms.md says how. Births and
data go at QoS 0, as the specification demands; how they are acknowledged all the same, see gateway.uplinks.mqtt.
"""

from google.protobuf.message import DecodeError

from gateway import __version__
from gateway.core.compat import wall_ms
from gateway.core.errors import ConfigError, Rejected
from gateway.forms import Message
from gateway.forms.devices import DeviceForm, flat, slug
from gateway.forms.sparkplug_b_pb2 import Boolean, Double, Int64, Payload, String

RESERVED = r"[+/#]"
REBIRTH = "Node Control/Rebirth"
FIELD = {Int64: "long_value", Double: "double_value", Boolean: "boolean_value", String: "string_value"}
OLD_MS = 60000  # a record that is older when it leaves is history, and does not move a live tag


def type_of(value):
    """Sparkplug type of a plain value."""
    if isinstance(value, bool):
        return Boolean
    if isinstance(value, int) and -(1 << 63) <= value < 1 << 63:
        return Int64
    return Double if isinstance(value, (int, float)) else String


def wider(one, other):
    """The type that holds values of both."""
    return one if one == other else Double if {one, other} == {Int64, Double} else String


class Metric:
    """A name that was born, with its latest value."""

    def __init__(self, alias, type):
        self.alias, self.type = alias, type
        self.value, self.t_ms = None, 0

    def take(self, value, t_ms):
        """Keep a value, where it is the newest."""
        if t_ms >= self.t_ms:
            self.value, self.t_ms = value, t_ms

    def put(self, metric, value, t_ms):
        """Fill in a protobuf metric; None is null."""
        metric.alias, metric.timestamp = self.alias, t_ms
        if value is None:
            metric.is_null = True
        elif self.type == Int64:
            metric.long_value = value & ((1 << 64) - 1)  # two's complement in an unsigned field
        else:
            setattr(metric, FIELD[self.type], {Double: float, Boolean: bool, String: str}[self.type](value))


class Sparkplug(DeviceForm):
    """metrics: {stream: {name: Metric}}; names are KIND/FIELD; stream "" is the node's own.

    MQTT 3.1.1, since for MQTT 5 the specification wants a parting that the client library cannot say
    (tck-id-payloads-ndeath-will-message-publisher-disconnect-mqtt50).
    """

    version = "3.1.1"

    def __init__(self, gateway, options):
        super().__init__(gateway, options)
        if not options["group"] or slug(options["group"], RESERVED) != options["group"]:
            raise ConfigError("group is %r" % options["group"], "a Sparkplug group id is not empty and holds no +, / or #")
        self.bd_seq, self.seq, self.epoch, self.aliases = None, 0, "", 0
        self.metrics = {"": {}}
        for name, value in (("bdSeq", 0), (REBIRTH, False), ("Properties/Heed version", __version__), ("epoch", "")):
            self._learn("", name, value)
            self.metrics[""][name].take(value, wall_ms())
        self.listens = self._topic("NCMD")

    def _topic(self, kind, stream=""):
        parts = ["spBv1.0", self.options["group"], kind, slug(self.gateway, RESERVED)]
        return "/".join(parts + [slug(stream, RESERVED)] if stream else parts)

    def _learn(self, stream, name, value):
        """Whether a birth is due, since a name or its type is new."""
        known = self.metrics.setdefault(stream, {})
        if name not in known:
            self.aliases += 1
            known[name] = Metric(self.aliases, type_of(value))
            return True
        type = wider(known[name].type, type_of(value))
        changed, known[name].type = type != known[name].type, type
        return changed

    def will(self):
        """NDEATH; each connection has a bdSeq of its own, also after a restart: a death that comes late must not end a new life."""
        last = self.memory.get("bdSeq", -1) if self.bd_seq is None else self.bd_seq
        self.bd_seq = (last + 1) % 256 if isinstance(last, int) else 0
        self.metrics[""]["bdSeq"].value = self.bd_seq
        return self._death()

    def _death(self):
        payload = Payload(timestamp=wall_ms())
        payload.metrics.add(name="bdSeq", timestamp=payload.timestamp, datatype=Int64, long_value=self.bd_seq)
        return Message(self._topic("NDEATH"), payload.SerializeToString())

    def closing(self):
        return [self._death()]

    def opened(self):
        self.memory["bdSeq"] = self.bd_seq
        return self._births()

    def _births(self):
        """NBIRTH, and DBIRTH of all devices that are there."""
        self.seq = -1
        return [self._birth(stream) for stream in ["", *self.present]]

    def _birth(self, stream):
        payload = self._payload()
        for name, known in self.metrics[stream].items():
            known.put(payload.metrics.add(name=name, datatype=known.type), known.value, known.t_ms or payload.timestamp)
        return self._message("BIRTH", stream, payload)

    def _payload(self):
        self.seq = (self.seq + 1) % 256
        return Payload(timestamp=wall_ms(), seq=self.seq)

    def _message(self, kind, stream, payload):
        return Message(self._topic(("D" if stream else "N") + kind, stream), payload.SerializeToString(), qos=0)

    def left(self, stream):
        del self.metrics[stream]  # it is born anew when it speaks again
        return [self._message("DEATH", stream, self._payload())]

    def carried(self, batch):
        rows = [("", wall_ms(), [("epoch", batch.epoch)])] if batch.epoch != self.epoch else []
        rows += [(fields["stream"], fields["t_ms"], named(seq, fields)) for seq, fields in batch.records]
        self.epoch = batch.epoch
        born = [name for stream, _, values in rows for name, value in values if self._learn(stream, name, value)]
        return (self._births() if born else []) + [self._data(*row) for row in rows]

    def _data(self, stream, t_ms, values):
        payload = self._payload()
        for name, value in values:
            metric, known = payload.metrics.add(), self.metrics[stream][name]
            known.put(metric, value, t_ms)
            known.take(value, t_ms)
            if t_ms < max(known.t_ms, payload.timestamp - OLD_MS):
                metric.is_historical = True
        return self._message("DATA", stream, payload)

    def heard(self, topic, payload):
        """NCMD: a host that lost track asks for all births."""
        try:
            command = Payload.FromString(payload)
        except DecodeError as error:
            raise Rejected("NCMD is no Sparkplug payload: %s" % error, "")
        alias = self.metrics[""][REBIRTH].alias
        asked = [metric for metric in command.metrics if (metric.name == REBIRTH or metric.alias == alias) and metric.boolean_value]
        return self._births() if asked else []


def named(seq, fields):
    """[(metric name, value)] of a record."""
    told = [("seq", seq), ("class", fields["cls"]), ("reason", fields["reason"]), *flat(fields["data"])]
    return [("%s/%s" % (fields["kind"], name.replace(".", "/")), value) for name, value in told]


FORM = Sparkplug
