"""A listener that keeps what it hears: the far end of every test of a form."""

import asyncio

import aiomqtt
from paho.mqtt.subscribeoptions import SubscribeOptions

OPTIONS = SubscribeOptions(qos=1, retainAsPublished=True)  # a message's own retain flag, also where it is not sent because of it


class Listener:
    """heard: [aiomqtt.Message] of a topic, in order; connect() again after the broker was away."""

    def __init__(self, port, topic):
        self.port = port
        self.topic = topic
        self.heard = []
        self.task = None

    async def connect(self):
        self.client = aiomqtt.Client("127.0.0.1", self.port, protocol=aiomqtt.ProtocolVersion.V5, max_queued_incoming_messages=0)
        await self.client.__aenter__()
        await self.client.subscribe(self.topic, options=OPTIONS)
        self.task = asyncio.ensure_future(self._listen())

    async def _listen(self):
        try:
            async for message in self.client.messages:
                self.heard.append(message)
        except aiomqtt.MqttError:
            pass

    async def publish(self, topic, payload, qos=0):
        await self.client.publish(topic, payload, qos=qos)

    async def quiet(self, rest_s=0.3):
        """Wait until nothing more comes."""
        seen = -1
        while seen != len(self.heard):
            seen = len(self.heard)
            await asyncio.sleep(rest_s)

    async def close(self):
        if self.task:
            self.task.cancel()
        try:
            await self.client.__aexit__(None, None, None)
        except aiomqtt.MqttError:
            pass

    async def __aenter__(self):
        await self.connect()
        return self

    async def __aexit__(self, *error):
        await self.close()


def last_retained(messages):
    """{topic: payload} that a broker would keep of these messages."""
    kept = {}
    for message in messages:
        if message.retain:
            kept[str(message.topic)] = bytes(message.payload)
    return {topic: payload for topic, payload in kept.items() if payload}
