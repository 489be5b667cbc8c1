"""What users of other gateways suffer from when the line is away, full or back: none of it may happen here."""

import asyncio
import tracemalloc

import pytest

from gateway.core.compat import Clock
from gateway.core.errors import NotConnected
from gateway.core.memory import MemoryStorage
from gateway.core.outbox import Outbox
from gateway.core.records import Summary
from gateway.core.sender import Sender
from gateway.core.supervisor import Supervisor
from gateway.horizon import Horizon
from gateway.hub.coverage import Coverage
from gateway.store import SqliteStorage
from gateway.testing import FakeClock, FakeUplink
from tests.gateway.test_app import SENSOR, SETTINGS, parts
from gateway import app, config

ROOMY = {cls: (1 << 30, "reject") for cls in ("alarm", "event", "digest")}
HOUR_MS = 3600000
BAD_UPLINK = '''
import asyncio, time
from gateway.core.errors import NotConnected
from gateway.core.plugin import Uplink
MANIFEST = {"kind": "uplink", "name": "bad", "version": "1", "api": 1, "summary": "a test", "runs_on": ("cpython",), "needs": (),
            "budget": {"ms": 10, "mb": 200}, "options": {"deed": {"default": "raise", "help": "what to do"}}}
class Bad(Uplink):
    async def open(self):
        if self.options["deed"] == "away": raise NotConnected("nobody there")
    async def send(self, batch):
        if self.options["deed"] == "hang": await asyncio.sleep(3600)
        if self.options["deed"] == "block": time.sleep(3600)
        raise ValueError("boom")
PLUGIN = Bad
'''


def summary(i, cls="digest", t_ms=None):
    return Summary("bed", "minute", cls, i * 60000 if t_ms is None else t_ms, "minute %d" % i, {"i": i})


async def opened(storage=None, limits=ROOMY, **given):
    outbox = Outbox(storage or MemoryStorage(), limits, given.pop("clock", None) or FakeClock(), "gw", ["far"], **given)
    await outbox.open()
    return outbox


@pytest.mark.parametrize("deed, isolation", [("away", "inline"), ("hang", "inline"), ("raise", "inline"), ("block", "thread")])
async def test_acquisition_goes_on_whatever_the_uplink_does(tmp_path, deed, isolation):
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "bad.py").write_text(BAD_UPLINK)
    tail = '[[uplink]]\nname = "bad"\nkind = "bad"\nisolation = "%s"\noptions = { deed = "%s" }\n' % (isolation, deed)
    chosen, faults = config.check_text(SETTINGS % (tmp_path / "data", tmp_path / "plugins") + tail
                                       + SENSOR % ("bed", "ecg", "inline", "seconds = 150"), "test", [])
    assert not faults
    gateway = app.Gateway(chosen)
    running = asyncio.ensure_future(gateway.run())
    await asyncio.wait_for(gateway.supervisor.until(lambda: gateway.supervisor.children[-2].state == "done"), 30)
    await asyncio.sleep(.5)
    gateway.stop()
    await asyncio.wait_for(running, 30)
    shown = parts(tmp_path)
    assert shown["bed"]["counters"]["samples"] == 150 * 250 and shown["bed"]["counters"]["missed"] == 0
    assert gateway.outbox.marks["file"] > 2 and gateway.outbox.marks["bad"] == 0, "the other uplink is not held up"
    assert sum(gateway.outbox.quota.records.values()) == gateway.outbox.counters["accepted"], "nothing leaves before both have it"


async def test_ten_hours_without_a_line_cost_few_tries_and_no_reads():
    class Away(FakeUplink):
        tries = 0

        async def open(self):
            self.tries += 1
            raise NotConnected("nobody there")

    class Counted(MemoryStorage):
        reads = 0

        async def read(self, *given):
            self.reads += 1
            return await super().read(*given)

    clock, storage, uplink = FakeClock(), Counted(), Away()
    outbox = await opened(storage, clock=clock)
    began = clock.now
    outbox.offer([summary(i) for i in range(1000)])
    supervisor = Supervisor(clock, lambda level, words: None)
    supervisor.add("far", Sender("far", outbox, uplink).run)
    supervisor.start()
    while clock.now - began < 10 * HOUR_MS:
        await asyncio.sleep(0)
    await supervisor.stop()
    assert 100 < uplink.tries < 10 * 3600 / 30 + 20 and storage.reads == 0


class Far(FakeUplink):
    """A hub: knows records by their numbers. order: records as they came first; most: records in a batch."""

    express, most = True, 0

    def __init__(self):
        super().__init__()
        self.coverage, self.order, self.known = Coverage(), [], set()

    async def send(self, batch):
        self.coverage.add(batch)
        self.most = max(self.most, batch.count)
        self.order += [seq for seq, _ in batch.records if seq not in self.known]
        self.known.update(self.order[-batch.count:])
        await asyncio.sleep(0)
        return self.coverage.mark


async def test_four_days_of_backlog_drain_beside_live_data_in_little_memory(tmp_path):
    backlog, streams = 4 * 24 * 60 * 4, 4  # a digest a minute of four streams
    storage = SqliteStorage(str(tmp_path / "a.db"))
    outbox = await opened(storage, clock=Clock, commit_ms=0)
    for first in range(0, backlog, 5000):
        outbox.offer([summary(i // streams) for i in range(first, min(backlog, first + 5000))])
        await outbox.commit()
    uplink, waited = Far(), []
    sender = Sender("far", outbox, uplink, limit=100)
    tasks = [asyncio.ensure_future(outbox.run(lambda: None)), asyncio.ensure_future(sender.run(lambda: None))]
    tracemalloc.start()
    while not uplink.order:
        await asyncio.sleep(.001)
    for i in range(60):
        ticket = outbox.offer([summary(i, "alarm" if i % 10 == 0 else "digest")])
        await outbox.accepted(ticket)
        before = sender.counters["batches"]
        while ticket not in uplink.known:
            await asyncio.sleep(.001)
        waited.append(sender.counters["batches"] - before)
        assert outbox.marks["far"] < backlog, "the backlog must last as long as this test looks at it"
    await asyncio.wait_for(outbox.delivered(), 60)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    for task in tasks:
        task.cancel()
    await outbox.close()
    assert max(waited) <= 3, "live records wait for a batch or two of the backlog, not for all of it"
    assert sorted(uplink.order) == list(range(1, backlog + 61)) and uplink.most <= 100
    assert peak < 8 << 20, "the backlog stays on the disk"


async def test_a_store_that_was_full_takes_records_again():
    outbox = await opened(limits={"digest": (3000, "reject")})
    running = asyncio.ensure_future(outbox.run(lambda: None))
    outbox.offer([summary(i) for i in range(100)])
    await outbox.accepted(outbox.next_seq - 1)
    assert outbox.quota.counters["refused"] > 50
    uplink = FakeUplink()
    sending = asyncio.ensure_future(Sender("far", outbox, uplink).run(lambda: None))
    await asyncio.wait_for(outbox.delivered(), 5)
    refused = outbox.quota.counters["refused"]
    await outbox.accepted(outbox.offer([summary(i) for i in range(100, 110)]))
    await asyncio.wait_for(outbox.delivered(), 5)
    assert outbox.quota.counters["refused"] == refused
    gaps = [fields["data"]["records"] for _, fields in uplink.arrived if fields["kind"] == "gap"]
    arrived = {fields["data"]["i"] for _, fields in uplink.arrived if fields["kind"] == "minute"}
    assert sum(gaps) == refused and arrived >= set(range(100, 110)) and len(arrived) + refused == 110
    for task in (running, sending):
        task.cancel()


async def expired(stamps):
    """(stamps that are left, gaps) of records with a limit of six hours."""
    outbox = await opened(ages={"digest": 6 * HOUR_MS})
    for i, t_ms in enumerate(stamps):
        outbox.offer([summary(i, t_ms=t_ms)])
        await outbox.commit()
    while outbox.quota.owes():
        await outbox.commit()
    records = (await outbox.batch(0, 1000)).records
    return ([fields["t_ms"] for _, fields in records if fields["kind"] == "minute"],
            [fields["data"] for _, fields in records if fields["kind"] == "gap"])


async def test_a_buffer_may_be_sized_in_hours():
    stamps = [HOUR_MS * hour for hour in range(20)]
    left, gaps = await expired(stamps)
    assert left == stamps[-7:], "what is older than six hours goes with the next write"
    assert sum(gap["records"] for gap in gaps) == 13 and "6 hours" in gaps[0]["cause"]


async def test_a_clock_that_is_set_ages_nothing():
    stamps = [HOUR_MS, 2 * HOUR_MS, 1764000000000, 1764000060000, 3 * HOUR_MS, 4102444800000]
    assert await expired(stamps) == (stamps, [])


async def test_stamps_years_off_change_no_order_and_are_passed_on():
    outbox = await opened()
    stamps = [0, 4102444800000, -1, 1764000000000, 5]
    outbox.offer([summary(i, t_ms=t_ms) for i, t_ms in enumerate(stamps)])
    await outbox.commit()
    assert [fields["t_ms"] for _, fields in (await outbox.batch(0, 10)).records] == stamps


async def test_hours_left_follow_the_rate():
    clock = FakeClock()
    outbox = await opened(limits={"digest": (100000, "drop_oldest")}, clock=clock)
    horizon = Horizon(outbox.quota, clock.ticks_ms)
    assert horizon.hours_left()["digest"] is None
    for i in range(60):
        clock.now += 60000
        outbox.offer([summary(i)])
        await outbox.commit()
        left = horizon.hours_left()["digest"]
    size = outbox.quota.bytes["digest"] / 60
    assert left == pytest.approx((100000 - 60 * size) / size / 60, rel=.05)
    clock.now += 24 * HOUR_MS
    later = horizon.hours_left()["digest"]
    assert later is None or later > 100 * left
