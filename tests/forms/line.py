"""A line that can be cut, and a listener that keeps what it hears: the far end of every test of a form."""

import asyncio

import aiomqtt
from paho.mqtt.subscribeoptions import SubscribeOptions

OPTIONS = SubscribeOptions(qos=1, retainAsPublished=True)  # a message's own retain flag, also where it is not sent because of it


class Proxy:
    """Carries TCP to a port; cut() ends all connections and takes no new ones until mend()."""

    def __init__(self, port):
        self.target = port
        self.up = True
        self.writers = set()

    async def __aenter__(self):
        self.server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.url = "mqtt://127.0.0.1:%d" % self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error):
        self.cut()
        self.server.close()

    def cut(self):
        self.up = False
        for writer in self.writers:
            writer.transport.abort()

    def mend(self):
        self.up = True

    async def _carry(self, reader, writer):
        try:
            far = await asyncio.open_connection("127.0.0.1", self.target) if self.up else None
        except OSError:
            far = None
        if not far:
            return writer.close()
        ends = {writer, far[1]}
        self.writers |= ends
        await asyncio.gather(self._pump(reader, far[1]), self._pump(far[0], writer))
        self.writers -= ends

    async def _pump(self, reader, writer):
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        writer.close()


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
