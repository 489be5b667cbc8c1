"""A Sparkplug host's view of one edge node, written from the normative statements of Sparkplug 3.0; it knows nothing of our sender.

Each check names the statement that it stands for (tck-id-...). `records` are the values that a host would store.
"""

from gateway.forms.sparkplug_b_pb2 import Boolean, DataType, Double, Int64, Payload, String

VALUE_OF = {Int64: "long_value", Double: "double_value", Boolean: "boolean_value", String: "string_value"}
KINDS = {"NBIRTH", "NDEATH", "NDATA", "DBIRTH", "DDEATH", "DDATA"}


def rule(holds, *ids):
    assert holds, ", ".join("tck-id-" + name for name in ids)


class Host:
    """take() each message in order of arrival; raises AssertionError with the ids of the statement that is broken.

    sure: whether each CONNECT of the node led to a session; where some were lost, bdSeq may have gone on by more than one.
    """

    def __init__(self, group, node, sure=True):
        self.group, self.node, self.sure = group, node, sure
        self.online, self.devices, self.aliases = False, {}, {}
        self.seq = self.bd_seq = None
        self.settled = False  # whether data came since the births
        self.sessions, self.births, self.records = [], [], []

    def take(self, topic, data, qos, retain):
        parts = topic.split("/")
        rule(parts[0] == "spBv1.0" and parts[1] == self.group and parts[3] == self.node, "topic-structure", "topic-structure-namespace-a")
        kind, device = parts[2], parts[4] if len(parts) == 5 else ""
        if kind == "NCMD":
            return
        rule(kind in KINDS and len(parts) <= 5, "topic-structure")
        rule(bool(device) == (kind[0] == "D"), "topic-structure-namespace-device-id-associated-message-types",
             "topic-structure-namespace-device-id-non-associated-message-types")
        payload = Payload.FromString(data)
        getattr(self, "_" + kind.lower())(device, payload, qos, retain)

    def lost(self):
        """The host itself has lost the broker: all is stale until it is born again."""
        self.online, self.devices = False, {}

    def _sequence(self, kind, payload, qos, retain):
        rule(qos == 0 and not retain, "topics-%s-mqtt" % kind, "payloads-%s-qos" % kind, "payloads-%s-retain" % kind)
        rule(payload.HasField("seq"), "payloads-sequence-num-always-included")
        rule(0 <= payload.seq <= 255 and (kind == "nbirth" or payload.seq == (self.seq + 1) % 256), "payloads-sequence-num-incrementing",
             "payloads-%s-seq-inc" % kind)
        rule(payload.HasField("timestamp"), "payloads-%s-timestamp" % kind)
        self.seq = payload.seq

    def _born(self, device, payload, kind):
        """The metrics of a birth: {alias: (name, datatype)}."""
        self.aliases = {alias: told for alias, told in self.aliases.items() if told[0] != device}
        for metric in payload.metrics:
            rule(metric.name and metric.HasField("datatype") and (metric.is_null or metric.WhichOneof("value")), "topics-%s-metrics" % kind,
                 "payloads-metric-datatype-req")
            rule(metric.datatype in DataType.values(), "payloads-metric-datatype-value")
            rule(metric.HasField("alias"), "payloads-alias-birth-requirement")
            rule(metric.alias not in self.aliases, "payloads-alias-uniqueness")
            rule(metric.HasField("timestamp"), "payloads-name-birth-data-requirement")
            rule(metric.is_null or metric.WhichOneof("value") == VALUE_OF[metric.datatype], "payloads-metric-datatype-value-type")
            self.aliases[metric.alias] = device, metric.name, metric.datatype
        self.births.append((kind, device))

    def _nbirth(self, device, payload, qos, retain):
        self._sequence("nbirth", payload, qos, retain)
        rule(payload.seq == 0, "topics-nbirth-seq-num")
        self.aliases, self.devices, self.settled = {}, {}, False
        self._born("", payload, "nbirth")
        facts = {metric.name: metric for metric in payload.metrics}
        rule("bdSeq" in facts, "topics-nbirth-bdseq-included")
        rule("Node Control/Rebirth" in facts and facts["Node Control/Rebirth"].datatype == Boolean
             and facts["Node Control/Rebirth"].boolean_value is False, "topics-nbirth-rebirth-metric")
        bd_seq = facts["bdSeq"].long_value
        if not self.online:
            step = (bd_seq - (self.sessions[-1] if self.sessions else -1)) % 256
            rule(step == 1 if self.sure else 0 < step < 128, "topics-nbirth-bdseq-increment")
            self.sessions.append(bd_seq)
        rule(bd_seq == self.sessions[-1], "payloads-nbirth-bdseq-repeat")  # also of a rebirth: no new CONNECT came before it
        self.online, self.bd_seq = True, bd_seq

    def _ndeath(self, device, payload, qos, retain):
        rule(not payload.HasField("seq"), "topics-ndeath-seq")
        rule([metric.name for metric in payload.metrics] == ["bdSeq"], "topics-ndeath-payload")
        rule(qos == 1 and not retain, "payloads-ndeath-will-message-qos", "payloads-ndeath-will-message-retain")
        rule(payload.metrics[0].long_value == self.bd_seq, "topics-nbirth-bdseq-matching", "payloads-ndeath-bdseq")
        self.online, self.devices = False, {}

    def _dbirth(self, device, payload, qos, retain):
        rule(self.online and not self.settled, "payloads-dbirth-order", "message-flow-edge-node-birth-publish-connect")
        self._sequence("dbirth", payload, qos, retain)
        self._born(device, payload, "dbirth")
        self.devices[device] = True

    def _ddeath(self, device, payload, qos, retain):
        self._sequence("ddeath", payload, qos, retain)
        self.settled = True
        rule(self.devices.get(device), "operational-behavior-device-ddeath")
        self.devices[device] = False

    def _ndata(self, device, payload, qos, retain):
        rule(self.online, "payloads-ndata-order")
        self._data(device, payload, "ndata", qos, retain)

    def _ddata(self, device, payload, qos, retain):
        rule(self.online and self.devices.get(device), "payloads-ddata-order")
        self._data(device, payload, "ddata", qos, retain)

    def _data(self, device, payload, kind, qos, retain):
        self._sequence(kind, payload, qos, retain)
        self.settled, values = True, {}
        for metric in payload.metrics:
            rule(metric.HasField("alias") and not metric.HasField("name"), "payloads-alias-data-cmd-requirement")
            rule(not metric.HasField("datatype"), "payloads-metric-datatype-not-req")
            rule(metric.HasField("timestamp"), "payloads-name-birth-data-requirement")
            owner, name, datatype = self.aliases.get(metric.alias, (None, "", 0))
            rule(owner == device, "topics-%s-payload" % kind, "topics-dbirth-metric-reqs")
            rule(metric.WhichOneof("value") == VALUE_OF[datatype], "payloads-metric-datatype-value-type")
            value = getattr(metric, VALUE_OF[datatype])
            values[name] = value - (1 << 64) if datatype == Int64 and value >> 63 else value
        self.records.append((device, payload.metrics[0].timestamp, payload.metrics[0].is_historical, values))
