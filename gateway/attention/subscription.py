"""What comes down from a hub over a broker: retained messages, here as soon as the line is. docs/protocol.md names the topics."""

import asyncio
import json

from gateway import mqtt
from gateway.core.errors import NotConnected
from gateway.forms.envelope import MINE, ROUND, TOGETHER

FIRST = ("keys", "update")  # steps that need nothing which is for one gateway alone, where the round is not masked or only begins


class Subscription:
    """options: as those of gateway.uplinks.mqtt; name: of this gateway. news: whether something came since round() was asked."""

    def __init__(self, options, name):
        self.options, self.name, self.mine = options, name, MINE % name
        self.client = self.listener = None
        self.held, self.news = {}, False
        self.counters = {"hub_nonsense": 0}

    async def round(self, gateway):
        """What this gateway needs of the round that is open, or None. Raises NotConnected."""
        await self._line()
        self.news = False
        now, mine = self.held.get(ROUND), self.held.get(self.mine)
        if now and mine and now["id"] == mine["id"]:
            return mine
        return now if now and now["step"] == FIRST[not now["masked"]] else None

    async def learnt(self, after):
        """What gateways learnt together. Raises NotConnected."""
        await self._line()
        return self.held.get(TOGETHER) or {"version": 0}

    async def _line(self):
        """Connect where there is no line. Raises NotConnected, also for a line that was lost since."""
        if self.listener and self.listener.done():
            lost, _ = self.listener, await self.close()
            lost.result()
        if self.client is None:
            self.client, _ = await mqtt.connect(self.options, "heed-%s-together" % self.name)
            self.listener = asyncio.ensure_future(mqtt.listen(self.client, self._take))
            self.listener.add_done_callback(lambda lost: lost.cancelled() or lost.exception())
            await self._subscribe()

    async def _subscribe(self):
        try:
            for topic in (TOGETHER, ROUND, self.mine):
                await mqtt.subscribe(self.client, topic)
        except NotConnected:
            await self.close()
            raise

    async def _take(self, topic, payload):
        """Keep what a topic says now; an empty message says that there is nothing any more."""
        try:
            self.held[topic] = json.loads(payload) if payload else None
            self.news = True
        except ValueError:
            self.counters["hub_nonsense"] += 1

    async def close(self):
        """Close the line; what it told is told again by the next one."""
        client, self.client, self.held, self.news = self.client, None, {}, False
        if self.listener:
            self.listener.cancel()
            self.listener = None
        if client:
            await mqtt.disconnect(client)
