"""For authors of parts: fakes of what surrounds a part, and checks that hold it to its whole contract.

Runs on CPython and MicroPython. The checks take a function that makes the part, and raise AssertionError
with the broken clause in words.
"""

import asyncio
import json

from gateway.core.batch import Batch
from gateway.core.channel import Channel
from gateway.core.context import Context
from gateway.core.errors import EndOfStream, NotConnected, Rejected
from gateway.core.flow import Pipeline
from gateway.core.memory import MemoryStorage
from gateway.core.outbox import Outbox
from gateway.core.plugin import API, Sensor, Uplink
from gateway.core.records import Block, Decision, Forecast, Inference, Sample, Summary

KINDS = ("sensor", "plugin", "model", "uplink")
LIMITS = {cls: (1 << 20, "drop_oldest") for cls in ("alarm", "event", "digest")}


class FakeClock:
    """Time that stands still until somebody sleeps, then jumps (after trio's MockClock)."""

    def __init__(self, start_ms=1700000000000):
        self.now = start_ms

    def ticks_ms(self):
        """Milliseconds, monotonic."""
        return self.now

    wall_ms = ticks_ms

    async def sleep_ms(self, n):
        """Let the others run, then be `n` ms later at once."""
        self.now += n
        await asyncio.sleep(0)


class FakeContext(Context):
    """Keeps what a part logs and counts; finds what the test puts into `files`."""

    def __init__(self, name="part", clock=None, files=None):
        super().__init__(name, clock or FakeClock())
        self.lines = []
        self.files = files or {}

    def log(self, level, message):
        self.lines.append((level, message))

    def find(self, name):
        return self.files.get(name)


class ScriptedSensor(Sensor):
    """Gives what options["script"] lists: records are read, exceptions raised; then EndOfStream."""

    async def open(self):
        if not hasattr(self, "left"):
            self.left = list(self.options["script"])

    async def read(self):
        item = self.left.pop(0) if self.left else EndOfStream("the script is over")
        if isinstance(item, Exception):
            raise item
        return item


class FakeUplink(Uplink):
    """Keeps what arrives in `arrived` and acknowledges it."""

    def __init__(self, options=None, context=None):
        super().__init__(options or {}, context)
        self.arrived = []

    async def send(self, batch):
        self.arrived += batch.records
        return batch.last_seq


class LossyUplink(FakeUplink):
    """Loses the line at each second batch, after having taken it: the sender cannot know."""

    sent = 0

    async def send(self, batch):
        self.sent += 1
        await super().send(batch)
        if self.sent % 2:
            raise NotConnected("the line is lost")
        return batch.last_seq


class SlowUplink(FakeUplink):
    """Keeps any number of batches in flight and acknowledges when it is asked to settle."""

    async def send(self, batch):
        await super().send(batch)
        return 0

    async def settle(self):
        return self.arrived[-1][0] if self.arrived else 0


class RefusingUplink(FakeUplink):
    """Refuses batches that hold a record whose kind is "bad"."""

    async def send(self, batch):
        if any([fields["kind"] == "bad" for _, fields in batch.records]):
            raise Rejected("a bad record")
        return await super().send(batch)


async def run_flow(blocks, plugin, model):
    """Summaries (as dicts, in order) that `plugin` and `model` make of a list of blocks."""
    outbox = Outbox(MemoryStorage(), LIMITS, FakeClock())
    await outbox.open()
    pipeline = Pipeline(Channel(1), plugin, model, outbox, outbox.clock, {})
    for block in blocks:
        await pipeline.take(block)
        await outbox.commit()
    await pipeline.finish()
    await outbox.commit()
    rows = await outbox.batch(0, 1000000)
    return [fields for _, fields in rows.records] if rows else []


def check_manifest(manifest):
    """Hold a MANIFEST to its contract."""
    assert manifest.get("kind") in KINDS, "kind must be one of " + ", ".join(KINDS)
    for key in ("name", "version", "summary"):
        assert manifest.get(key), "the manifest lacks " + key
    assert manifest.get("api") == API, "api must be %d" % API
    assert set(manifest.get("runs_on", ())) & {"cpython", "micropython"}, "runs_on must name an interpreter"
    for name, spec in manifest.get("options", {}).items():
        assert spec.get("help"), "option %s lacks help" % name
        assert "default" in spec or spec.get("required"), "option %s lacks a default" % name


async def check_sensor(make, reads=3):
    """Hold a sensor to its contract: closing is always safe, records are whole and numbered upward."""
    await make().close()
    sensor, expected = make(), {}
    await sensor.open()
    for _ in range(reads):
        record = await sensor.read()
        assert isinstance(record, (Block, Sample)), "read() must give a Block or a Sample"
        assert type(record.seq) is int and type(record.t_ms) is int, "seq and t_ms must be integers"
        assert len(record.values) > 0, "a record must hold values"
        assert record.seq >= expected.get(record.stream, record.seq), "seq must rise by the samples given"
        expected[record.stream] = record.seq + (len(record.values) if isinstance(record, Block) else 1)
    for verb in (sensor.close, sensor.close, sensor.open, sensor.close):
        await verb()


def check_model(make, features):
    """Hold a model to its contract: scores are shares, the input is neither changed nor kept."""
    model = make()
    model.load()
    before = [str(list(values)) for values in features.values]
    inference = model.infer(features)
    assert isinstance(inference, (Inference, Forecast)), "infer() must give an Inference or a Forecast"
    shares = inference.scores if isinstance(inference, Inference) else [len(inference.values) / len(features.facts["streams"])]
    assert abs(sum(shares) - 1) < 0.01, "scores must be shares that sum to 1, and a forecast has a row for each stream"
    assert [str(list(values)) for values in features.values] == before, "infer() must not change its input"
    model.forget(features.stream)


def check_plugin(make, blocks, inference):
    """Hold a domain plugin to its contract over `blocks`; inference(features) stands in for the model."""
    plugin = make()
    summaries = []
    for block in blocks:
        for features in plugin.push(block):
            if isinstance(features, Summary):
                summaries.append(features)
                continue
            answer = inference(features)
            decision = plugin.decide(features, answer)
            assert isinstance(decision, Decision), "decide() must give a Decision"
            assert decision.reason or not decision.report, "what is reported needs a reason in words"
            summaries += plugin.summarise(features, answer, decision)
    for summary in summaries + plugin.finish():
        assert isinstance(summary, Summary) and summary.reason, "what is due must be a list of Summary, each with a reason in words"
        json.dumps(summary.to_dict())


async def check_uplink(make):
    """Hold an uplink to its contract: closing is safe, what was sent twice is acknowledged twice."""
    await make().close()
    uplink = make()
    await uplink.open()
    record = Summary("s", "event", "event", 0, "a test record", {}).to_dict()
    for batch in (Batch("test", "0" * 16, [(1, record), (2, record)]), Batch("test", "0" * 16, [(2, record)])):
        seq = max(await uplink.send(batch), await uplink.settle())
        assert seq == 2, "send() and settle() must end with the last number acknowledged"
    await uplink.close()
    await uplink.close()
