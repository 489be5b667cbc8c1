"""Connections to an MQTT broker: the only file that imports aiomqtt.

MQTT 5 where the broker has it, 3.1.1 where it has not. aiomqtt neither reconnects nor keeps anything: that is
the supervisor's and the outbox's duty.
"""

import contextlib
import logging
import os
from urllib.parse import urlsplit

import aiomqtt
from paho.mqtt.enums import LogLevel
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway import tls
from gateway.core.errors import ConfigError, NotConnected

VERSIONS = {"": (aiomqtt.ProtocolVersion.V5, aiomqtt.ProtocolVersion.V311), "5": (aiomqtt.ProtocolVersion.V5,),
            "3.1.1": (aiomqtt.ProtocolVersion.V311,)}
# what a broker says to a protocol it does not speak: MQTT 3.1.1 code 1, MQTT 5 code 132
UNSUPPORTED = (1, 132)
AT_ONCE = 64  # messages that wait for the broker; the clock of each starts when it is one of them
QUIET = logging.getLogger("heed.mqtt")
QUIET.setLevel(logging.CRITICAL)  # paho says at each reconnect what our own state says once


class Refused(aiomqtt.MqttError):
    """The broker answers that it does not take a message."""


class Client(aiomqtt.Client):
    """aiomqtt forgets why a broker closed a line that was not up yet, and takes any answer to a message for a yes, also the refusal
    that MQTT 5 knows. said: what the broker said last; refused: {message id: why}."""

    said = ""

    def __init__(self, *values, **named):
        self.refused = {}
        super().__init__(*values, **named)

    async def __aenter__(self):
        self._client.on_log = self._keep
        try:
            return await super().__aenter__()
        finally:
            self._client.on_log = None  # it would write out each message

    def _keep(self, client, userdata, level, text):
        if level == LogLevel.MQTT_LOG_ERR:
            self.said = text

    def _on_disconnect(self, client, userdata, flags, reason_code, properties=None):
        if self._connected.cancelled():
            return  # the gateway stops
        if not self._connected.done():
            self._connected.set_exception(aiomqtt.MqttError("the broker closed the line"))
        super()._on_disconnect(client, userdata, flags, reason_code, properties)

    def _on_publish(self, client, userdata, mid, reason_code, properties):
        if reason_code.is_failure:
            self.refused[mid] = reason_code
        super()._on_publish(client, userdata, mid, reason_code, properties)

    @contextlib.contextmanager
    def _pending_call(self, mid, *more):
        """What publish() waits in."""
        with super()._pending_call(mid, *more):
            self.refused.pop(mid, None)
            yield
        if mid in self.refused:
            raise Refused(str(self.refused.pop(mid)))


def client_of(options, name, version, will):
    """An aiomqtt client, not yet connected. options: as those of gateway.uplinks.mqtt; will: Message or None."""
    where = urlsplit(options["url"])
    if where.scheme not in ("mqtt", "mqtts") or not where.hostname:
        raise ConfigError("url is %r" % options["url"], "write mqtt://host or mqtts://host:8883")
    will = will and aiomqtt.Will(will.topic, will.payload, qos=1, retain=will.retain)
    secure = tls.context(options) if where.scheme == "mqtts" else None
    client = Client(
        where.hostname, where.port or (8883 if where.scheme == "mqtts" else 1883), identifier=name, protocol=version, will=will,
        username=options["user"] or None, password=os.environ.get(options["password_env"]), tls_context=secure,
        timeout=options["timeout_s"], keepalive=30, max_inflight_messages=AT_ONCE,
        max_concurrent_outgoing_calls=AT_ONCE, max_queued_incoming_messages=1000, logger=QUIET)
    # The loss of a line that nobody waits at is no news: without this asyncio prints it.
    client._disconnected.add_done_callback(lambda lost: lost.cancelled() or lost.exception())
    return client


async def connect(options, name, will=None, only=""):
    """(aiomqtt client that is connected, whether it speaks MQTT 5). only: "5" or "3.1.1" where no other will do. Raises NotConnected
    with what the broker said."""
    for version in VERSIONS[only]:
        client = client_of(options, name, version, will)
        try:
            await client.__aenter__()
            return client, version is aiomqtt.ProtocolVersion.V5
        except (aiomqtt.MqttError, OSError) as error:
            if version is VERSIONS[only][-1] or code_of(error) not in UNSUPPORTED:
                speaks = "does it speak MQTT %s, " % only if only else ""
                message, hint = tls.explain(error, options, client.said, "is the broker up, %sand are we let in?" % speaks)
                raise NotConnected("%s: %s" % (options["url"], message), hint)


def code_of(error):
    """The broker's reason code, or None."""
    code = getattr(error, "rc", None)
    return getattr(code, "value", code)


def in_words(error):
    """The cause that a person can act on hides below the library's."""
    return tls.explain(error, {})[0]


async def disconnect(client):
    """Close a client; a line that is gone already is closed."""
    try:
        await client.__aexit__(None, None, None)
    except (aiomqtt.MqttError, OSError):
        pass


def properties_of(message):
    """MQTT 5 properties of a Message, from {"content_type": text, "user": [(name, value)]}; None where it has none."""
    if not message.properties:
        return None
    properties = Properties(PacketTypes.PUBLISH)
    properties.ContentType = message.properties["content_type"]
    properties.UserProperty = message.properties["user"]
    return properties


async def publish(client, message):
    """Publish a Message and wait for the broker's acknowledgement (at QoS 0: until it is on the line). Raises NotConnected, also for a
    message that the broker refuses."""
    try:
        await client.publish(message.topic, message.payload, qos=message.qos, retain=message.retain, properties=properties_of(message))
    except Refused as error:
        raise NotConnected("the broker refuses the topic %s: %s" % (message.topic, error), "see its access control list")
    except (aiomqtt.MqttError, OSError) as error:
        raise NotConnected("the broker: " + in_words(error), "the line is tried again")


async def subscribe(client, topic):
    """Ask for a topic. Raises NotConnected when the broker refuses it."""
    try:
        answer = await client.subscribe(topic, qos=1)
    except (aiomqtt.MqttError, OSError) as error:
        raise NotConnected("the broker: " + in_words(error), "the line is tried again")
    if any(getattr(grant, "value", grant) >= 128 for grant in answer):
        raise NotConnected("the broker refuses the topic %s" % topic, "see its access control list")


async def listen(client, take):
    """Hand (topic, payload) of all that comes to the coroutine function take, for ever. Raises NotConnected."""
    try:
        async for message in client.messages:
            await take(str(message.topic), bytes(message.payload))
    except (aiomqtt.MqttError, OSError) as error:
        raise NotConnected("the broker: " + in_words(error), "the line is tried again")
