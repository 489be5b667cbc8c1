"""Two Sparkplug consumers that are not ours, pysparkplug and mqtt-spb-wrapper: run by the environment of their own (`make test-consumers`).

    python sparkplug.py PORT GROUP

Prints "ready"; for each line on its standard input prints, as JSON, the records that pysparkplug decoded, and who is alive as
mqtt-spb-wrapper's application sees it (that library does not resolve aliases, so it cannot say what the values are).
"""

import contextlib
import json
import sys
import time

import paho.mqtt.client
from mqtt_spb_wrapper import MqttSpbEntityApp
from pysparkplug import DBirth, DData, Message, NBirth, NData

BIRTHS, DATA = (NBirth, DBirth), (NData, DData)


class Decoder:
    """Decodes with the birth that belongs to each message."""

    def __init__(self):
        self.births, self.records, self.kinds = {}, [], []

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
            self.kinds.append("%s: %r" % (raw.topic, error))


def state(app):
    """Who is alive."""
    return {name: {"alive": node.is_alive(), "devices": {device: found.is_alive() for device, found in node.entities_eond.items()}}
            for name, node in app.entities_eon.items()}


def main(port, group):
    """Listen, then answer."""
    decoder, client = Decoder(), paho.mqtt.client.Client()
    client.on_message = decoder.take
    client.connect("127.0.0.1", int(port))
    client.subscribe("spBv1.0/%s/#" % group, 1)
    client.loop_start()
    with contextlib.redirect_stdout(sys.stderr):
        app = MqttSpbEntityApp(group, "host")
        app.connect(host="127.0.0.1", port=int(port))
        while not app.is_initialized():  # what comes in its first seconds it takes for retained
            time.sleep(0.1)
    print("ready", flush=True)
    while sys.stdin.readline():
        print(json.dumps({"records": decoder.records, "kinds": decoder.kinds, "state": state(app)}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
