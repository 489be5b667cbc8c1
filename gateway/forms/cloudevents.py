"""CloudEvents 1.0 over MQTT 5 in binary mode: attributes as user properties, data as JSON; one event for each record.

Binding: github.com/cloudevents/spec, cloudevents/bindings/mqtt-protocol-binding.md, section 3.1. `source` and `id` tell records
apart; `sequence` is the extension of that name.
"""

import json
from datetime import datetime, timedelta, timezone

from gateway.forms import Form, Message
from gateway.forms.devices import slug

ROOT = "heed/events/"
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class CloudEvents(Form):
    """Topics are heed/events/GATEWAY/STREAM/KIND; the gateway's own records come from the stream _gateway."""

    version = "5"

    def batch(self, batch):
        return [self._event(batch.epoch, seq, fields) for seq, fields in batch.records]

    def _event(self, epoch, seq, fields):
        attributes = [("specversion", "1.0"), ("id", "%s-%d" % (epoch, seq)), ("source", "/heed/" + slug(self.gateway)),
                      ("type", "heed." + fields["kind"]), ("time", rfc3339(fields["t_ms"])), ("sequence", "%020d" % seq)]
        if fields["stream"]:
            attributes.append(("subject", fields["stream"]))
        topic = ROOT + "/".join(map(slug, (self.gateway, fields["stream"] or "_gateway", fields["kind"])))
        data = json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode()
        return Message(topic, data, False, {"content_type": "application/json", "user": attributes})


def rfc3339(t_ms):
    """Milliseconds since 1970 as a time in UTC."""
    return (EPOCH + timedelta(milliseconds=t_ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


FORM = CloudEvents
