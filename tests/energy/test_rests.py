"""Sensors rest as need asks, let go of a device that is off; and a critical job that waits goes before what would make it late."""

import asyncio
import types

import pytest

from gateway.core.channel import Channel
from gateway.core.flow import Pipeline, Reader
from gateway.core.memory import MemoryStorage
from gateway.core.outbox import Outbox
from gateway.core.plugin import Model, Plugin, Sensor
from gateway.core.records import Block, Decision, Features, Inference, Signal
from gateway.energy.arrivals import Arrivals
from gateway.energy.governor import Governor
from gateway.energy.load import JobClass, Variant
from gateway.energy.policy import EnergyPolicy
from gateway.energy.price import Plan
from gateway.energy.rests import Rests, rest_ms
from gateway.energy.settings import check
from gateway.testing import LIMITS, FakeClock, FakeContext

SIGNAL = Signal("s", "s", "x", 100, 1, 0)


def policy(price=0, need=0, critical=False):
    """A policy with one class at a price, in need."""
    c = JobClass("vision", 1000, 500000, 100000, critical, [Variant("small", 1000, 1000000, 1000)], [100] * 24)
    made = EnergyPolicy([c], 1000000, 580)
    made.plan = Plan(price, 0, 0, 500, 500)
    made.plan.need = need
    return made, c


@pytest.mark.parametrize("price, need, tight, ms", [
    (0, 0, False, 0), (0, 500, False, 0), (0, 750, False, 500), (0, 1000, False, 1000), (0, 0, True, 1000), (2000000, 0, False, 1000)])
def test_rest_follows_need_up_to_what_the_manifest_allows(price, need, tight, ms):
    made, c = policy(price, need)
    made.tight = tight
    assert rest_ms(c, made, 1000) == ms and rest_ms(c, made, 0) == 0


def test_sensors_of_a_critical_class_never_rest():
    made, c = policy(2000000, 1000, critical=True)
    made.tight = True
    assert rest_ms(c, made, 1000) == 0


class Counts(Sensor):
    """Gives blocks, and keeps what was asked of it."""

    def __init__(self, context):
        super().__init__({}, context)
        self.asked = []

    async def open(self):
        self.asked.append("open")

    async def read(self):
        self.asked.append("read")
        return Block(SIGNAL, len(self.asked), 0, [0])

    async def close(self):
        self.asked.append("close")


async def test_a_sensor_rests_and_says_so():
    made, c = policy(need=750)
    clock = FakeClock()
    rests, sensor = Rests(made, clock, None), Counts(FakeContext("yard", clock))
    rests.rest(sensor, "yard", c, 1000, None)
    began = clock.now
    await sensor.read()
    assert clock.now - began == 500 and rests.now == {"yard": 500} and rests.counters["rested_ms"] == 500
    assert rests.note("yard") == "rests for 500 ms: energy is short" and rests.note("other") == ""


async def test_a_camera_that_is_off_is_let_go_of_and_opened_again():
    made, c = policy()
    started = []
    rests, sensor = Rests(made, FakeClock(), started.append), Counts(FakeContext())
    rests.rest(sensor, "yard", c, 0, "camera")
    await sensor.read()
    made.off.add("vision")
    reading = asyncio.ensure_future(sensor.read())
    for _ in range(20):
        await asyncio.sleep(0)
    assert sensor.asked == ["read", "close"] and "its device is off" in rests.note("yard") and not reading.done()
    made.off.discard("vision")
    await reading
    assert sensor.asked == ["read", "close", "open", "read"] and started == ["camera"] and rests.closed == set()
    assert rests.counters["cameras_closed"] == 1


def block(stream, seq):
    return Block(Signal(stream, stream, "x", 100, 1, 0), seq, 0, [0])


def test_what_was_dropped_from_a_channel_waits_no_longer():
    now = [0]
    ecg = JobClass("ecg", 1000, 300, 300, True, [Variant("small", 1, 1, 1000)], [1] * 24)
    arrivals = Arrivals(lambda: now[0], [ecg])
    for seq in range(5):
        now[0] += 10
        arrivals.came("ecg", block("bed", seq))
    assert [deadline for deadline, _ in arrivals.waiting([ecg])] == [310, 320, 330, 340, 350]
    arrivals.taken("ecg", block("bed", 2))
    assert arrivals.at("ecg") == 30 and [deadline for deadline, _ in arrivals.waiting([ecg])] == [340, 350]
    arrivals.taken("ecg", block("other", 9))  # nobody saw it come: as if now
    assert arrivals.at("ecg") == 50 and len(arrivals.waiting([ecg])) == 2
    now[0] += 295
    assert [deadline for deadline, _ in arrivals.waiting([ecg])] == [350], "nothing can be saved of what is late"
    now[0] += 3000
    arrivals.came("ecg", block("bed", 9))
    assert arrivals.waiting([ecg]) == [], "whoever takes nothing is not waited for"


class Many(Plugin):
    """Asks for as many jobs for each block as its options say."""

    def push(self, block):
        return [Features(block.stream, block.seq, 0, [], {}) for _ in range(self.options["jobs"])]

    def decide(self, features, inference):
        return Decision(False, False, 0, "")

    def summarise(self, features, inference, decision):
        return []


class Slow(Model):
    """Takes as long as its options say, on a clock that jumps; cannot be interrupted."""

    def infer(self, features):
        self.context.clock.now += self.options["ms"]
        return Inference(features.stream, 0, 0, "", [], None, "only")


class Timed(Counts):
    """A block each `every` ms, in its time."""

    async def read(self):
        due = self.context.began + 400 * len(self.asked)
        while self.context.clock.now < due:
            await asyncio.sleep(0)
        return await super().read()


CAMERAS = ("yard", "gate", "dock", "lane")
GIVEN = {"class": [
    {"name": "ecg", "critical": True, "period_ms": 400, "deadline_ms": 300, "variant": [{"name": "only", "time_ms": 10, "utility": 1.0}]},
    *[{"name": name, "period_ms": 90, "deadline_ms": 60000, "variant": [{"name": "only", "time_ms": 90, "utility": 1.0}]} for name in CAMERAS]]}


def joined(governor, name, clock, outbox):
    """Sensor, plugin and model of one class under a governor; gives the coroutines that run them."""
    context, critical = FakeContext(name, clock), name == "ecg"
    context.began = clock.now
    sensor, plugin = (Timed if critical else Counts)(context), Many({"jobs": 1 if critical else 20}, context)
    channel, found = Channel(4, lossless=not critical), types.SimpleNamespace(manifest={})
    governor.metered(sensor, types.SimpleNamespace(table="sensor", name=name, feeds=name, found=found), ())
    governor.metered(plugin, types.SimpleNamespace(table="plugin", name=name, feeds=None, found=found), ())
    model = governor.govern(name, Slow({"ms": 10 if critical else 90}, context))
    return [Pipeline(channel, plugin, model, outbox, clock, {}).run(lambda: None), Reader(sensor, channel, clock, {}).run(lambda: None)]


async def test_blocks_with_many_long_jobs_make_no_critical_job_late(tmp_path):
    """Twenty jobs of 90 ms of four cameras are 7.2 s, the critical deadline is 0.3 s: the loop gets its turn, and the guard knows what
    waits."""
    clock = FakeClock()
    clock.sleep_ms = lambda ms: asyncio.sleep(0)  # time passes by work alone
    governor = Governor(check(GIVEN, ("ecg", *CAMERAS), print), tmp_path, FakeContext("energy", clock), "test", list)
    outbox = Outbox(MemoryStorage(), LIMITS, clock)
    await outbox.open()
    tasks = [asyncio.ensure_future(run) for name in ("ecg", *CAMERAS) for run in joined(governor, name, clock, outbox)]
    began, before, longest = clock.now, clock.now, 0
    while clock.now < began + 60000:
        await asyncio.sleep(0)
        longest, before = max(longest, clock.now - before), clock.now + 1
        clock.now += 1
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert longest <= 4 * 90 + 11  # no more than a job of each between two turns of the loop
    counters, jobs = governor.counted(), governor.counts
    assert counters["critical_missed"] == counters["long_holds"] == 0 and jobs["ecg/only"] >= 100, (counters, jobs)
    assert all(jobs[name + "/only"] > 50 for name in CAMERAS) and counters["refused_time"] > 0, (counters, jobs)
