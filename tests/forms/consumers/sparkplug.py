"""A Sparkplug consumer that is not ours, pysparkplug: run by an environment of its own (`make test-consumers`).

    python sparkplug.py PORT GROUP

Prints "ready"; for each line on its standard input prints, as JSON, the records that it decoded, the kinds of all messages in order, and
which of them it could not read.
"""

import json
import sys

import paho.mqtt.client
from pysparkplug import DBirth, DData, Message, NBirth, NData

BIRTHS, DATA = (NBirth, DBirth), (NData, DData)


class Decoder:
    """Decodes with the birth that belongs to each message."""

    def __init__(self):
        self.births, self.records, self.kinds, self.failures = {}, [], [], []

    def take(self, client, userdata, raw):
        """paho's callback. A failure is kept: paho would swallow it."""
        try:
            device = raw.topic.split("/")[4] if raw.topic.count("/") == 4 else ""
            message = Message.from_mqtt_message(raw, birth=self.births.get(device) if "DATA/" in raw.topic else None)
            self.kinds.append(message.topic.message_type.value)
            if isinstance(message.payload, BIRTHS):
                self.births[device] = message.payload
            elif isinstance(message.payload, DATA):
                first = message.payload.metrics[0]
                self.records.append([device, first.timestamp, first.is_historical, {m.name: m.value for m in message.payload.metrics}])
        except Exception as error:
            self.failures.append("%s: %r" % (raw.topic, error))


def main(port, group):
    """Listen, then answer."""
    decoder, client = Decoder(), paho.mqtt.client.Client()
    client.on_message = decoder.take
    client.connect("127.0.0.1", int(port))
    client.subscribe("spBv1.0/%s/#" % group, 1)
    client.loop_start()
    print("ready", flush=True)
    while sys.stdin.readline():
        print(json.dumps({"records": decoder.records, "kinds": decoder.kinds, "failures": decoder.failures}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
