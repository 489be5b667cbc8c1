"""Rounds over a broker: the common state, the open round, and what each gateway needs of it, as retained messages."""

import asyncio
import json

from gateway import mqtt
from gateway.forms import Message
from gateway.forms.envelope import MINE, ROUND, TOGETHER
from gateway.hub.round_routes import published

POLL_S = 1


def wanted(rounds):
    """{topic: text} of all that is to lie at the broker. rounds: gateway.hub.rounds.Rounds."""
    members = rounds.round.get("keys", {}) if rounds.round else {}
    return {TOGETHER: json.dumps(published(rounds)), ROUND: json.dumps(rounds.seen_by("")) if rounds.round else "",
            **{MINE % name: json.dumps(rounds.seen_by(name)) for name in members}}


def mark(rounds):
    """What changes with each step and each common state."""
    return published(rounds)["version"], rounds.round and (rounds.round["id"], rounds.round["step"])


class Announcer:
    """rounds: gateway.hub.rounds.Rounds; options, name: see gateway.hub.mqtt.Listener. told: {topic: text} that lies at the broker."""

    def __init__(self, rounds, options, name):
        self.rounds, self.options, self.name = rounds, options, name

    async def run(self, up):
        """Publish what changes until the line is lost: NotConnected."""
        client, _ = await mqtt.connect(self.options, self.name + "-rounds")
        self.told, self.mark = {}, None
        listening = asyncio.ensure_future(mqtt.listen(client, self._found))
        listening.add_done_callback(lambda lost: lost.cancelled() or lost.exception())
        try:
            for topic in (ROUND, MINE % "+"):
                await mqtt.subscribe(client, topic)
            up()
            while not listening.done():
                await self._tell(client)
                await asyncio.sleep(POLL_S)
            listening.result()
        finally:
            listening.cancel()
            await mqtt.disconnect(client)

    async def _found(self, topic, payload):
        """What a hub that was killed left at the broker; it goes with the next change."""
        if payload and topic not in self.told:
            self.told[topic], self.mark = payload.decode(errors="replace"), None

    async def _tell(self, client):
        now = await self.rounds.ingest.ask(mark, self.rounds)
        if now == self.mark:
            return
        self.mark, texts = now, await self.rounds.ingest.ask(wanted, self.rounds)
        for topic in {*self.told, *texts}:
            text = texts.get(topic, "")
            if text != self.told.get(topic, ""):
                await mqtt.publish(client, Message(topic, text.encode(), True))
            self.told[topic] = text
        self.told = {topic: text for topic, text in self.told.items() if text}
