"""Batches over MQTT, several in flight. To a hub they count when the hub says so, not when the broker does."""

import asyncio
import json

from gateway import mqtt
from gateway.core.errors import ConfigError, NotConnected, Rejected
from gateway.core.plugin import Uplink
from gateway.forms import load
from gateway.forms.memory import Memory

MANIFEST = {
    "kind": "uplink", "name": "mqtt", "version": "0.1.0", "api": 1,
    "summary": "publishes batches of summaries to a broker: for a Heed hub, ThingsBoard, Home Assistant, Sparkplug or CloudEvents",
    "runs_on": ("cpython",), "needs": ("aiomqtt",), "permissions": ("network",), "budget": {"ms": 1000, "mb": 16},
    "options": {
        "url": {"required": True, "type": "str", "help": "broker, for example mqtts://hub.example:8883 or mqtt://localhost"},
        "form": {"default": "envelope", "type": "str", "help": "what goes up: envelope is Heed's own, for a hub",
                 "choices": ("envelope", "thingsboard", "homeassistant", "sparkplug", "cloudevents")},
        "acknowledged_by": {"default": "hub", "type": "str", "choices": ("hub", "broker"),
                            "help": "broker: a record leaves this gateway when the broker has it; what that broker had not yet "
                                    "passed on or written to its disk is LOST when it dies (Mosquitto writes every 30 minutes)"},
        "window": {"default": 8, "type": "int", "min": 1, "max": 100, "help": "batches in flight"},
        "compression": {"default": "gzip", "type": "str", "choices": ("gzip", "zstd"), "help": "of the envelope; zstd if the hub has it"},
        "group": {"default": "heed", "type": "str", "help": "Sparkplug group id"},
        "discovery": {"default": "homeassistant", "type": "str", "help": "Home Assistant's discovery prefix"},
        "silent_h": {"default": 168.0, "type": "float", "min": 0.01, "max": 100000,
                     "help": "hours after which a stream that says nothing is gone to ThingsBoard, Home Assistant and Sparkplug"},
        "user": {"default": "", "type": "str", "help": "user name, where the broker wants one"},
        "password_env": {"default": "HEED_MQTT_PASSWORD", "type": "str", "help": "environment variable that holds the password"},
        "ca_file": {"default": "", "type": "path", "help": "certificate authority to trust instead of the system's"},
        "cert_file": {"default": "", "type": "path", "help": "certificate of this gateway (`heed enroll` gets one)"},
        "key_file": {"default": "", "type": "path", "help": "private key of this gateway"},
        "timeout_s": {"default": 10, "type": "float", "min": 0.1, "max": 600, "help": "how long an acknowledgement may take"},
    },
}


class MqttUplink(Uplink):
    """flying: [(first, last, publishing, express)] of the batches in flight, in order."""

    client = None

    def __init__(self, options, context):
        super().__init__(options, context)
        self.form = load(options["form"])(context.gateway, options)
        self.form.memory = Memory(context.path(context.name + "-form.json"))
        self.hub = options["acknowledged_by"] == "hub"
        if self.hub and not self.form.acknowledges:
            raise ConfigError('form = "%s" knows no hub' % options["form"], 'set acknowledged_by = "broker", and see what its help says')
        self.express = self.form.express and self.hub

    async def open(self):
        """Connect, listen for acknowledgements, say that this gateway is here."""
        self.flying, self.epoch, self.fault = [], "", None
        self.acknowledged = self.told = self.sent = self.newest = 0
        self.moved = asyncio.Event()
        self.client, _ = await mqtt.connect(self.options, "heed-" + self.context.gateway, self.form.will(), self.form.version)
        self.listener = asyncio.ensure_future(self._listen())
        for topic in (self.form.acknowledges if self.hub else "", self.form.listens):
            if topic:
                await mqtt.subscribe(self.client, topic)
        await self._publish(self.form.opened())

    def _publish(self, messages):
        """A future that is done when the broker has them all. They leave in this order, behind what left before."""
        published = asyncio.gather(*[mqtt.publish(self.client, message) for message in messages])
        return published if all(message.qos for message in messages) else asyncio.ensure_future(self._fenced(published))

    async def _fenced(self, published):
        """At QoS 0 a broker acknowledges nothing; but a line keeps its order, so it has what came before what it answers."""
        await published
        await mqtt.subscribe(self.client, self.form.listens)

    async def _listen(self):
        """Take acknowledgements until the line is lost, and keep why."""
        try:
            await mqtt.listen(self.client, self._take)
        except NotConnected as error:
            self._fail(error)

    def _fail(self, error):
        self.fault = self.fault or error
        self.moved.set()

    async def _take(self, topic, payload):
        """One answer of the hub: {"epoch", "acknowledged"} or {"epoch", "refused": [first, last], "why"}."""
        if topic != self.form.acknowledges:
            return await self._hear(topic, payload)
        try:
            answer = json.loads(payload)
            epoch, seq, refused = answer["epoch"], answer.get("acknowledged", 0), answer.get("refused")
            sound = type(seq) is int and (refused is None or len(refused) == 2)
        except (ValueError, TypeError, KeyError, AttributeError):
            return self._nonsense("the hub's answer makes no sense")
        if epoch != self.epoch:
            return self.context.count("answers_of_other_epochs")
        if not sound or seq > self.newest:
            return self._nonsense("the hub acknowledges what was never sent")
        if refused and tuple(refused) in [flight[:2] for flight in self.flying]:
            self._fail(Rejected("the hub refuses records %d to %d: %s" % (*refused, answer.get("why")), ""))
        # A mark may cover what an earlier session sent: believed as far as it is sent again.
        self.acknowledged = max(self.acknowledged, min(seq, self.sent))
        self.moved.set()

    async def _hear(self, topic, payload):
        """What the form wanted to hear, and what it says to that."""
        try:
            answers = self.form.heard(topic, payload)
        except Rejected:
            return self.context.count("nonsense_commands")
        if answers:
            self.context.count("commands")
            await self._publish(answers)

    def _nonsense(self, words):
        self.context.count("nonsense_answers")
        self._fail(NotConnected(words, "is there a Heed hub at the far end, and only one?"))

    async def send(self, batch):
        """Publish a batch; returns at once while there is room in the window."""
        self.epoch, self.newest = batch.epoch, batch.newest
        if not batch.express:
            self.sent = max(self.sent, batch.last_seq)
        self.acknowledged = max(self.acknowledged, batch.base)
        messages = self.form.batch(batch)
        task = self._publish(messages)
        task.add_done_callback(self._published)
        self.flying.append((batch.first_seq, batch.last_seq, task, batch.express))
        self.sent_bytes += sum(len(message.payload) for message in messages)
        return await self._until(lambda: len(self.flying) < self.options["window"])

    def _published(self, task):
        """The broker has a message, or does not."""
        if not task.cancelled() and task.exception():
            self._fail(task.exception())
        self.moved.set()

    async def settle(self):
        """Wait for the acknowledgement of all that was sent."""
        return await self._until(lambda: not self.flying)

    async def _until(self, done):
        """Wait for progress until done(); gives the number acknowledged. Raises what ended the line, at the next call where something
        arrived before: or a line that never lasts for a whole window would get nowhere. NotConnected when nothing moves in time."""
        while True:
            self._land()
            progress = self.acknowledged > self.told and isinstance(self.fault, NotConnected)
            if self.fault and not progress:
                fault, self.fault, self.flying = self.fault, None, []
                raise fault
            if self.fault or done():
                self.told = self.acknowledged
                return self.told
            self.moved.clear()
            try:
                await asyncio.wait_for(self.moved.wait(), self.options["timeout_s"])
            except TimeoutError:
                raise NotConnected("no acknowledgement within %g s" % self.options["timeout_s"], "is a hub listening at that broker?")

    def _land(self):
        """Drop from the flying what has arrived; without a hub the broker's word is the acknowledgement."""
        if not self.hub:
            while self.flying and succeeded(self.flying[0][2]):
                self.acknowledged = max(self.acknowledged, self.flying.pop(0)[1])
        self.flying = [flight for flight in self.flying if not (flight[2].done() and (flight[3] or flight[1] <= self.acknowledged))]

    async def close(self):
        """Say goodbye, as far as the line allows."""
        client, self.client = self.client, None
        if client:
            self.listener.cancel()
            for flight in self.flying:
                flight[2].cancel()
            try:
                for message in self.form.closing():
                    await mqtt.publish(client, message)
            except NotConnected:
                self.context.count("silent_goodbyes")
            await mqtt.disconnect(client)


def succeeded(task):
    """Whether a task is done, and well."""
    return task.done() and not task.cancelled() and not task.exception()


PLUGIN = MqttUplink
