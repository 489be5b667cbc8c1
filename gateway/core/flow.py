"""The flow: Reader -> Channel -> Pipeline -> Outbox (-> Sender, gateway.core.sender).

Sensors and uplinks wait (async) and sit at the edges; whatever decides is a plain function in the middle.
Each run(up) is a child of the Supervisor: it calls up() once it works, and lets NotConnected through.
"""

from gateway.core.compat import ticks_diff
from gateway.core.errors import EndOfStream
from gateway.core.records import Summary

YIELD_MS = 5  # how long a pipeline may work before others get their turn


async def settled(result):
    """The result of a part's verb: as it is, or awaited where the part lives in a thread or process of its own."""
    return await result if hasattr(result, "__await__") or hasattr(result, "send") else result


class Reader:
    """Hands what a sensor reads to a channel. Counts samples, and those that the sequence numbers miss.

    rests: {stream: ms}, shared with the pipelines: how long the last decision lets a stream rest.
    """

    def __init__(self, sensor, channel, clock, rests):
        self.sensor = sensor
        self.channel = channel
        self.clock = clock
        self.rests = rests
        self.counters = {"blocks": 0, "samples": 0, "missed": 0, "opened": 0}

    async def run(self, up):
        """Read until the source ends, then raise EndOfStream."""
        try:
            await self.sensor.open()
            self.counters["opened"] += 1
            expected = {}
            while True:
                block = await self.sensor.read()
                up()
                self._count(block, expected)
                await self.channel.put(block)
                if block.stream in self.rests:
                    await self.sensor.rest(self.rests.pop(block.stream))
        finally:
            await self.sensor.close()

    def _count(self, block, expected):
        """Account for a Block or Sample. expected: the number that should come next, by stream."""
        n = len(block.values) if hasattr(block, "signal") else 1
        self.counters["blocks"] += 1
        self.counters["samples"] += n
        self.counters["missed"] += max(0, block.seq - expected.get(block.stream, block.seq))
        expected[block.stream] = block.seq + n


class Pipeline:
    """Takes blocks from a channel through plugin and model into the outbox.

    watch(features, inference, decision, summaries), where given, sees each result: the live view. The first three
    are None for summaries that are due without a model.
    """

    def __init__(self, channel, plugin, model, outbox, clock, rests, watch=None):
        self.channel = channel
        self.plugin = plugin
        self.model = model
        self.outbox = outbox
        self.clock = clock
        self.rests, self.watch = rests, watch
        self.began = clock.ticks_ms()
        self.counters = {"blocks": 0, "inferences": 0, "reported": 0, "alarms": 0, "summaries": 0}

    async def run(self, up):
        """Work until the channel is closed and empty."""
        up()
        try:
            while True:
                await self.take(await self.channel.get())
                await self.outbox.room()
                await self._yield()
        except EndOfStream:
            await self.finish()

    async def _yield(self):
        """Give others their turn after a while of work: a critical job must not wait for all that one block of another asks for."""
        if ticks_diff(self.clock.ticks_ms(), self.began) >= YIELD_MS:
            await self.clock.sleep_ms(0)
            self.began = self.clock.ticks_ms()

    async def take(self, block):
        """Work on one Block or Sample."""
        self.counters["blocks"] += 1
        for features in await settled(self.plugin.push(block)):
            if isinstance(features, Summary):
                self._report(None, None, None, [features])
                continue
            inference = await settled(self.model.infer(features))
            if inference is None:  # refused for the sake of others; whoever refused counts it
                continue
            decision = await settled(self.plugin.decide(features, inference))
            summaries = await settled(self.plugin.summarise(features, inference, decision))
            if decision.rest_ms:
                self.rests[features.stream] = decision.rest_ms
            self.counters["inferences"] += 1
            self.counters["reported"] += bool(decision.report)
            self.counters["alarms"] += bool(decision.alarm)
            self._report(features, inference, decision, summaries)
            await self._yield()

    async def finish(self):
        """Offer what the plugin still owes."""
        self._report(None, None, None, await settled(self.plugin.finish()))

    def _report(self, features, inference, decision, summaries):
        if summaries:
            self.counters["summaries"] += len(summaries)
            self.outbox.offer(summaries)
        if self.watch:
            self.watch(features, inference, decision, summaries)
