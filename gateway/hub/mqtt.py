"""The hub's MQTT side: heed/v1/GATEWAY/up/EPOCH/FIRST-LAST in, acknowledgements out.

Workers share the load by MQTT 5 shared subscriptions.
"""

import asyncio
import json

from gateway import mqtt
from gateway.core.errors import ConfigError, NotConnected, Rejected
from gateway.forms import Message
from gateway.forms.envelope import ROOT

UP = ROOT + "+/up/+/+"


class Listener:
    """options: as those of gateway.uplinks.mqtt; group: name of the shared subscription, "" = alone; name: of this worker."""

    def __init__(self, ingest, options, name, group=""):
        self.ingest = ingest
        self.options = options
        self.name = name
        self.topic = "$share/%s/%s" % (group, UP) if group else UP
        self.tasks = set()

    async def run(self, up):
        """Take batches until the line is lost: NotConnected."""
        client, five = await mqtt.connect(self.options, self.name)
        try:
            if self.topic.startswith("$share") and not five:
                raise NotConnected("this broker has no shared subscriptions (MQTT 5)", "run one hub worker, without --group")
            await mqtt.subscribe(client, self.topic)
            up()
            await mqtt.listen(client, lambda topic, payload: self._take(client, topic, payload))
        finally:
            await mqtt.disconnect(client)

    async def _take(self, client, topic, payload):
        """Judge a batch beside the others: an answer waits for the commit, the next batch does not."""
        gateway, _, epoch, span = topic.split("/")[2:]
        task = asyncio.ensure_future(self._judge(client, gateway, epoch, span, payload))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _judge(self, client, gateway, epoch, span, payload):
        try:
            batch, mark = await self.ingest.take(payload, gateway)
            answer = {"epoch": batch.epoch, "acknowledged": mark}
        except Rejected as error:
            answer = {"epoch": epoch, "refused": [int(n) for n in span.split("-") if n.isdigit()], "why": error.message}
        except (NotConnected, ConfigError):
            return  # no answer: the gateway sends it again
        try:
            await mqtt.publish(client, Message(ROOT + gateway + "/ack", json.dumps(answer).encode()))
        except NotConnected:
            self.ingest.counters["answers_lost"] += 1  # the batch comes again, and then the answer too
