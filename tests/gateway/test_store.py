"""The durable outbox: what was accepted is there after a kill, a full disk, a damaged file."""

import asyncio
import os
import sqlite3
import threading
import time

import pytest

from firmware_tools.bench.kill import kill_runs
from gateway.core.compat import Clock
from gateway.core.errors import Rejected
from gateway.core.memory import MemoryStorage
from gateway.core.outbox import Outbox
from gateway.core.records import Summary
from gateway.store import SqliteStorage


def rows(first, n, cls="event", size=100):
    return [(seq, cls, seq * 10, "x" * size) for seq in range(first, first + n)]


async def exercise(storage):
    """What an outbox asks of a storage; gives all answers."""
    told = [await storage.open()]
    told.append(await storage.commit(rows(1, 6) + rows(7, 2, "alarm"), []))
    told.append(await storage.commit(rows(9, 1), [2, 3]))
    told.append(await storage.read(0, 4))
    told.append(await storage.read(6, 100))
    told.append(await storage.oldest("event", 150, 1))
    told.append(await storage.acknowledge("a", 4, 0))
    told.append(await storage.acknowledge("b", 5, 4))
    told.append(await storage.read(0, 100))
    await storage.close()
    told[0].pop("epoch")
    return told


async def test_sqlite_and_memory_keep_the_same_promises(tmp_path):
    assert await exercise(SqliteStorage(str(tmp_path / "a.db"))) == await exercise(MemoryStorage())


async def test_numbers_and_epoch_go_on_after_a_restart(tmp_path):
    path = str(tmp_path / "a.db")
    storage = SqliteStorage(path)
    first = await storage.open()
    await storage.commit(rows(1, 5), [])
    await storage.acknowledge("up", 5, 5)
    await storage.close()
    storage = SqliteStorage(path)
    second = await storage.open()
    await storage.close()
    assert second["epoch"] == first["epoch"] and second["next_seq"] == 6 and second["marks"] == {"up": 5}


async def test_a_full_disk_refuses_whole_and_recovers(tmp_path):
    storage = SqliteStorage(str(tmp_path / "a.db"), max_bytes=200000)
    await storage.open()
    await storage.commit(rows(1, 10), [])
    with pytest.raises(Rejected) as caught:
        await storage.commit(rows(11, 50, size=10000), [1])
    assert "full" in caught.value.message
    assert [row[0] for row in await storage.read(0, 100)] == list(range(1, 11)), "neither stored nor deleted in part"
    await storage.commit(rows(11, 2), [])
    await storage.close()


async def damaged(path, n, damage, size=100):
    """A file of n rows, the first 20 acknowledged, then bent. Gives (epoch, state after it was opened again, rows in it)."""
    storage = SqliteStorage(str(path))
    epoch = (await storage.open())["epoch"]
    await storage.commit(rows(1, n, size=size), [])
    await storage.acknowledge("up", 20, 20)
    await storage.close()
    path.write_bytes(damage(path.read_bytes()))
    storage = SqliteStorage(str(path))
    state = await storage.open()
    found = await storage.read(0, n)
    await storage.close()
    assert list(path.parent.glob("a.db.damaged-*")) and "damaged" in state["fault"] and state["missing"] > 0
    storage = SqliteStorage(str(path))
    again = await storage.open()
    assert await storage.read(0, n) == found and (again["epoch"], again["next_seq"], again["fault"]) == (state["epoch"], state["next_seq"], "")
    await storage.close()
    return epoch, state, found


@pytest.mark.parametrize("size", [100, 9000])
@pytest.mark.parametrize("page", range(1, 7))
async def test_a_damaged_file_gives_what_is_whole_in_it(tmp_path, page, size):
    def wiped(data):
        return data[:4096 * page] + b"\0" * 4096 + data[4096 * (page + 1):]
    epoch, state, found = await damaged(tmp_path / "a.db", 200, wiped, size)
    assert len(found) >= 180 - 40 and [row[0] for row in found] == sorted({row[0] for row in found})
    assert all(row[0] > 20 and row[2] == "x" * size for row in found), "nothing that was acknowledged, nothing bent"
    assert state["epoch"] == epoch or len(state["epoch"]) == 16
    assert state["next_seq"] > 200 + 1000, "no number that a lost record may have had is given again"


async def test_a_file_that_is_none_begins_anew(tmp_path):
    epoch, state, found = await damaged(tmp_path / "a.db", 200, lambda data: b"not a database" * 1000)
    assert found == [] and state["epoch"] != epoch and len(state["epoch"]) == 16


async def test_a_header_that_is_gone_costs_nothing_but_itself(tmp_path):
    epoch, state, found = await damaged(tmp_path / "a.db", 200, lambda data: b"\0" * 100 + data[100:])
    assert [row[0] for row in found] == list(range(21, 201)) and state["epoch"] == epoch and state["marks"] == {"up": 20}


async def test_a_bit_that_flips_in_a_record_is_seen(tmp_path):
    storage = SqliteStorage(str(tmp_path / "a.db"))
    await storage.open()
    await storage.commit(rows(1, 3), [])
    await storage.close()
    data = bytearray((tmp_path / "a.db").read_bytes())
    data[data.find(b"xxxxx")] ^= 1
    (tmp_path / "a.db").write_bytes(data)
    storage = SqliteStorage(str(tmp_path / "a.db"))
    assert (await storage.open())["fault"] == ""
    assert sorted(row[2] for row in await storage.read(0, 9)) == ["", "x" * 100, "x" * 100]
    await storage.close()


async def test_a_power_cut_while_a_damaged_file_is_restored_loses_nothing(tmp_path, monkeypatch):
    path, moves = tmp_path / "a.db", []

    def cut(source, target):
        if len(moves) == 1:
            raise SystemExit
        moves.append(source)
        replace(source, target)
    replace = os.replace
    monkeypatch.setattr("gateway.store.os.replace", cut)
    with pytest.raises(SystemExit):
        await damaged(path, 200, lambda data: b"\0" * 100 + data[100:])
    monkeypatch.setattr("gateway.store.os.replace", replace)
    storage = SqliteStorage(str(path))
    await storage.open()
    assert [row[0] for row in await storage.read(0, 999)] == list(range(21, 201))
    await storage.close()


async def test_a_stop_in_the_middle_of_a_commit_keeps_each_record_once(tmp_path):
    storage, written = SqliteStorage(str(tmp_path / "outbox.db")), threading.Event()
    outbox = Outbox(storage, {"event": (1 << 20, "reject")}, Clock)
    await outbox.open()
    write = storage._write

    def slow(*given):
        result = write(*given)
        written.set()
        time.sleep(0.1)
        return result
    storage._write = slow
    outbox.offer([Summary("s", "event", "event", i, "", {}) for i in range(5)])
    commit = asyncio.ensure_future(outbox.commit())
    await asyncio.to_thread(written.wait)
    commit.cancel()  # as the supervisor does when the gateway stops; the disk is at work
    await asyncio.gather(commit, return_exceptions=True)
    await outbox.close()
    storage = SqliteStorage(str(tmp_path / "outbox.db"))
    await storage.open()
    assert [row[0] for row in await storage.read(0, 100)] == [1, 2, 3, 4, 5]
    await storage.close()


async def test_every_commit_is_flushed(tmp_path):
    storage = SqliteStorage(str(tmp_path / "a.db"))
    await storage.open()
    settings = [(await storage._run(storage.db.execute, "PRAGMA " + name)).fetchone()[0] for name in ("journal_mode", "synchronous")]
    await storage.close()
    assert settings == ["wal", 2]


def test_twenty_kills_lose_nothing():
    found = kill_runs(20)
    assert found["kill_lost"] == 0 and found["accepted"] > 100


async def test_offers_share_commits(tmp_path):
    outbox = Outbox(SqliteStorage(str(tmp_path / "a.db")), {"event": (1 << 20, "reject")}, Clock)
    await outbox.open()
    running = asyncio.ensure_future(outbox.run(lambda: None))
    tickets = [outbox.offer([Summary("s", "event", "event", i, "r", {})]) for i in range(300)]
    await outbox.accepted(tickets[-1])
    assert outbox.counters["commits"] <= 2 and outbox.counters["accepted"] == 300
    running.cancel()
    await outbox.close()
    assert sqlite3.connect(tmp_path / "a.db").execute("SELECT COUNT(*) FROM record").fetchone() == (300,)
