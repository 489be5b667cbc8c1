"""The core's promises, on every interpreter."""

import asyncio
import json

from gateway.core.channel import Channel
from gateway.core.codec import Decoder, decode_block, encode_block, encode_frame
from gateway.core.compat import Clock
from gateway.core.errors import ConfigError, EndOfStream, NotConnected, PluginError, Rejected
from gateway.core.memory import MemoryStorage
from gateway.core.options import check_options, nearest
from gateway.core.outbox import Outbox
from gateway.core.pace import DAY_MS, Pace
from gateway.core.records import Block, Signal, Summary, summary_from
from gateway.core.sender import Sender
from gateway.core.supervisor import Supervisor
from gateway.core.window import Window
from gateway.testing import FakeClock, FakeUplink, LossyUplink, RefusingUplink, SlowUplink

MANIFEST = {"options": {"speed": {"default": 1, "type": "float", "min": 0, "help": "how fast"},
                        "record": {"required": True, "type": "str", "help": "name a record"},
                        "loop": {"default": False, "type": "bool", "help": "again and again"}}}


def summary(i, cls="event", kind="event"):
    return Summary("s", kind, cls, i, "record %d" % i, {"i": i})


def log(level, message):
    pass


def test_options_report_every_fault_with_a_remedy():
    values, faults = check_options(MANIFEST, {"sped": 2, "speed": -1, "loop": 1})
    assert [f[0] for f in faults] == ["sped", "loop", "record", "speed"], faults
    assert "speed" in faults[0][2] and values["loop"] == 1
    assert check_options(MANIFEST, {"record": "100"})[1] == []
    assert nearest("simulted", ["simulated", "replay"]) == "simulated"
    assert nearest("xyzzy", ["simulated", "replay"]) is None


def test_window_keeps_the_latest_in_order():
    window = Window(5)
    window.push([1, 2, 3])
    window.push([4, 5, 6, 7])
    assert list(window.latest(5)) == [3, 4, 5, 6, 7]
    assert list(window.span(3, 5)) == [4, 5]
    for span in ((1, 3), (5, 8)):
        try:
            window.span(*span)
            assert False, "a span outside of the window must be refused"
        except IndexError:
            pass


def test_records_survive_json():
    before = summary(7)
    assert summary_from(json.loads(json.dumps(before.to_dict()))) == before


async def test_live_channel_drops_the_oldest_and_counts():
    channel = Channel(2)
    for i in range(5):
        await channel.put(i)
    assert (channel.dropped, await channel.get(), await channel.get()) == (3, 3, 4)


async def test_lossless_channel_waits_and_ends():
    channel, got = Channel(2, lossless=True), []

    async def take():
        try:
            while True:
                got.append(await channel.get())
        except EndOfStream:
            got.append("end")
    task = asyncio.create_task(take())
    for i in range(9):
        await channel.put(i)
    channel.close()
    await task
    assert got == list(range(9)) + ["end"] and channel.dropped == 0 and channel.peak <= 2


def test_frames_survive_noise_and_any_cut():
    frames = [(1, b"abc"), (2, bytes(range(256))), (3, b"")]
    wire = b"\x00\xa5\x01" + b"\xa5noise".join([encode_frame(kind, payload) for kind, payload in frames])
    for step in (1, 3, 7, len(wire)):
        decoder, out = Decoder(), []
        for at in range(0, len(wire) + 5000, step):
            out += decoder.feed(wire[at:at + step] if at < len(wire) else b"\x00" * step)
        assert out == frames, (step, out)
        assert decoder.skipped >= 15


def test_blocks_survive_the_wire():
    signal = Signal("bed-1", "MLII", "mV", 360, 200, 1024)
    block = Block(signal, 3600, 1700000000123, [1024, 900, -5, 2047, 2047])
    back = decode_block(signal, encode_block(block))
    assert (back.seq, back.t_ms, back.values) == (block.seq, block.t_ms, block.values)
    assert block.time_of(3600 + 360) == block.t_ms + 1000
    for cut in range(len(encode_block(block))):
        try:
            decode_block(signal, encode_block(block)[:cut])
            assert False, "a cut payload must be refused"
        except ValueError:
            pass


async def opened(limits, storage=None, uplinks=("far",), clock=None):
    outbox = Outbox(storage or MemoryStorage(), limits, clock or FakeClock(), "gw", uplinks)
    await outbox.open()
    return outbox


async def stored(outbox):
    batch = await outbox.batch(0, 100000)
    return batch.records if batch else []


async def test_limits_end_in_gap_records():
    outbox = await opened({"event": (1000, "drop_oldest"), "alarm": (300, "reject")})
    for i in range(40):
        outbox.offer([summary(i), summary(i, "alarm")])
        await outbox.commit()
    while outbox.quota.owes():
        await outbox.commit()
    records = await stored(outbox)
    kept = [fields for _, fields in records if fields["kind"] != "gap"]
    gaps = [fields["data"] for _, fields in records if fields["kind"] == "gap"]
    assert sum([gap["records"] for gap in gaps]) + len(kept) == 80
    assert sorted([gap["class"] for gap in gaps]) == ["alarm", "event"]
    assert [f["data"]["i"] for f in kept if f["cls"] == "event"][-1] == 39, "the newest events stay"
    assert [f["data"]["i"] for f in kept if f["cls"] == "alarm"][0] == 0, "the first alarms stay"
    assert outbox.quota.bytes["event"] <= 1000


class FullStorage(MemoryStorage):
    """Refuses while `full`."""

    full = True

    async def commit(self, rows, drop):
        if self.full:
            raise Rejected("disk full")
        return await super().commit(rows, drop)


async def test_a_full_disk_loses_nothing_that_was_accepted():
    storage = FullStorage()
    outbox = Outbox(storage, {"event": (1 << 20, "reject")}, FakeClock(), uplinks=("far",), commit_records=5)
    await outbox.open()
    running = asyncio.create_task(outbox.run(lambda: None))
    for i in range(100):
        outbox.offer([summary(i)])
        await outbox.room()
        await asyncio.sleep(0)
    assert outbox.accepted_seq == 0 and outbox.fault and outbox.counters["failed_commits"] > 0
    storage.full = False
    await outbox.accepted(outbox.next_seq - 1)
    while outbox.quota.owes():
        await asyncio.sleep(0)
    await outbox.accepted(outbox.next_seq - 1)
    running.cancel()
    records = await stored(outbox)
    lost = sum([f["data"]["records"] for _, f in records if f["kind"] == "gap"])
    assert len([1 for _, f in records if f["kind"] == "event"]) + lost == 100
    assert outbox.quota.counters["refused"] == lost > 0 and not outbox.fault


async def deliver(uplink, n=25, bad=()):
    """Send n records through an uplink under a supervisor; gives (outbox, sender, supervisor)."""
    outbox = await opened({"event": (1 << 20, "reject")})
    for i in range(n):
        outbox.offer([summary(i, kind="bad" if i in bad else "event")])
    await outbox.commit()
    sender = Sender("far", outbox, uplink, limit=4)
    supervisor = Supervisor(FakeClock(), log)
    supervisor.add("outbox", outbox.run)
    supervisor.add("far", sender.run)
    supervisor.start()
    await asyncio.wait_for(outbox.delivered(), 5)
    await supervisor.stop()
    return outbox, sender, supervisor


async def test_each_hostile_uplink_gets_every_record_in_order():
    for make in (FakeUplink, LossyUplink, SlowUplink):
        uplink = make()
        outbox, _, supervisor = await deliver(uplink)
        seqs = [seq for seq, _ in uplink.arrived]
        assert sorted(set(seqs)) == list(range(1, 26)), (make.__name__, seqs)
        assert await stored(outbox) == [] and supervisor.children[1].restarts == 0


async def test_a_refused_record_becomes_a_gap_and_holds_nobody_up():
    uplink = RefusingUplink()
    outbox, sender, _ = await deliver(uplink, bad=(7, 13))
    numbers = [fields["data"]["i"] for _, fields in uplink.arrived if fields["kind"] == "event"]
    assert numbers == [i for i in range(25) if i not in (7, 13)]
    assert sender.counters["refused"] == 2
    gaps = [fields["data"] for _, fields in uplink.arrived if fields["kind"] == "gap"]
    assert sum([gap["records"] for gap in gaps]) == 2


class TwiceUplink(FakeUplink):
    """Takes records out of turn, and knows them by their numbers."""

    express = True

    async def send(self, batch):
        await super().send(batch)
        return 0 if batch.express else batch.last_seq


async def test_alarms_pass_a_backlog_and_the_backlog_still_arrives():
    outbox = await opened({"event": (1 << 20, "reject"), "alarm": (1 << 20, "reject")})
    outbox.offer([summary(i, cls="alarm" if i == 30 else "event") for i in range(40)])
    await outbox.commit()
    uplink = TwiceUplink()
    sender = Sender("far", outbox, uplink, limit=4)
    running = asyncio.create_task(sender.run(lambda: None))
    await asyncio.wait_for(outbox.delivered(), 5)
    running.cancel()
    order = [fields["data"]["i"] for _, fields in uplink.arrived]
    assert order[0] == 30 and sorted(set(order)) == list(range(40)) and sender.counters["express"] == 1


async def test_a_closed_line_lets_alarms_pass_and_loses_nothing():
    clock = FakeClock(DAY_MS * 20000 + 23 * 3600000)
    outbox = await opened({"event": (1 << 20, "reject"), "alarm": (1 << 20, "reject")}, clock=clock)
    outbox.offer([summary(0), summary(1, cls="alarm")])
    await outbox.commit()
    uplink = TwiceUplink()
    sender = Sender("far", outbox, uplink, pace=Pace(clock.wall_ms, quiet="22:00-06:00"))
    running = asyncio.create_task(sender.run(lambda: None))
    for _ in range(40):
        await asyncio.sleep(0)
    assert [fields["data"]["i"] for _, fields in uplink.arrived] == [1] and sender.counters["held"] > 1
    clock.now += 8 * 3600000
    await asyncio.wait_for(outbox.delivered(), 5)
    running.cancel()
    assert [fields["data"]["i"] for _, fields in uplink.arrived] == [1, 0, 1]


async def test_a_line_that_is_held_is_not_even_opened():
    clock, held = FakeClock(), ["the radio is off"]
    outbox = await opened({"alarm": (1 << 20, "reject")}, clock=clock)
    outbox.offer([summary(1, cls="alarm")])
    await outbox.commit()
    uplink, pace = TwiceUplink(), Pace(clock.wall_ms)
    pace.hold = lambda: held[0]
    opens = []

    async def open():
        opens.append(held[0])
    uplink.open = open
    sender = Sender("far", outbox, uplink, pace=pace)
    running = asyncio.create_task(sender.run(lambda: None))
    for _ in range(20):
        await asyncio.sleep(0)
    assert opens == [] and uplink.arrived == [] and sender.note == "the radio is off" and sender.counters["held"] > 1
    held[0] = ""
    await asyncio.wait_for(outbox.delivered(), 5)
    running.cancel()
    assert opens == [""] and sender.note == ""


def test_a_day_has_its_bytes():
    clock = FakeClock(DAY_MS * 20000)
    pace = Pace(clock.wall_ms, daily=1000, rate=50)
    pace.spend(999)
    assert pace.closed() == "" and pace.rest_ms(100) == 2000
    pace.spend(1)
    assert "used up" in pace.closed()
    clock.now += DAY_MS
    assert pace.closed() == ""


async def test_a_record_damaged_on_disk_is_told_and_holds_nobody_up():
    outbox = await opened({"event": (1 << 20, "reject")})
    outbox.offer([summary(0), summary(1)])
    await outbox.commit()
    outbox.storage.rows[0] = outbox.storage.rows[0][:3] + ('{"stream": "b',)
    records = await stored(outbox)
    assert [fields["kind"] for _, fields in records] == ["damaged", "event"] and outbox.counters["damaged"] == 1


async def supervised(run, essential=False, turns=400):
    supervisor = Supervisor(FakeClock(), log)
    supervisor.add("part", run, essential)
    supervisor.start()
    for _ in range(turns):
        await asyncio.sleep(0)
    await supervisor.stop()
    return supervisor.children[0], supervisor


async def test_supervisor_restarts_then_parks():
    async def fails(up):
        up()
        raise PluginError("boom")
    child, supervisor = await supervised(fails, turns=10)
    assert child.restarts > 1 and child.state == "resting"
    child, supervisor = await supervised(fails, essential=True)
    assert child.state == "parked" and child.restarts == 6 and supervisor.fatal is child
    try:
        await supervisor.until(lambda: False)
        assert False, "a parked essential child must be fatal"
    except PluginError as error:
        assert "part" in error.message and error.hint


async def test_supervisor_waits_out_a_lost_line_and_never_retries_settings():
    tries = []

    async def away(up):
        tries.append(1)
        if len(tries) < 30:
            raise NotConnected("no answer")
        up()
        raise EndOfStream("over")
    child, _ = await supervised(away)
    assert len(tries) == 30 and child.state == "done" and child.restarts == 0

    async def wrong(up):
        raise ConfigError("no such port")
    child, _ = await supervised(wrong)
    assert child.state == "parked" and "no such port" in child.reason


async def test_real_clock_sleeps():
    before = Clock.ticks_ms()
    await Clock.sleep_ms(20)
    assert 15 <= Clock.ticks_ms() - before < 2000 and Clock.wall_ms() > 1600000000000


async def test_a_child_that_swallows_a_cancellation_is_stopped_all_the_same():
    seen = []

    async def stubborn(up):
        up()
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            seen.append("swallowed")
        await asyncio.sleep(3600)
    child, _ = await asyncio.wait_for(supervised(stubborn, turns=1), 10)
    assert seen == ["swallowed"] and child.task.done()
