"""The durable outbox: what was accepted is there after a kill, a full disk, a damaged file."""

import asyncio
import sqlite3

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


@pytest.mark.parametrize("damage", [lambda data: b"not a database" * 1000, lambda data: data[:4096] + b"\0" * 4096 + data[8192:]])
async def test_a_damaged_file_is_kept_aside_and_said(tmp_path, damage):
    path = tmp_path / "a.db"
    storage = SqliteStorage(str(path))
    epoch = (await storage.open())["epoch"]
    await storage.commit(rows(1, 200), [])
    await storage.close()
    path.write_bytes(damage(path.read_bytes()))
    storage = SqliteStorage(str(path))
    state = await storage.open()
    await storage.close()
    assert state["fault"] and state["epoch"] != epoch and state["next_seq"] == 1
    assert list(tmp_path.glob("a.db.damaged-*"))


async def test_every_commit_is_flushed(tmp_path):
    storage = SqliteStorage(str(tmp_path / "a.db"))
    await storage.open()
    settings = [(await storage._run(storage._all, "PRAGMA " + name, ()))[0][0] for name in ("journal_mode", "synchronous")]
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
