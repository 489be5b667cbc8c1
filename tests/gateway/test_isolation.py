"""The same verbs inline, in a thread and in a process; what a bad part does is a PluginError and a counter."""

import asyncio
import time

import pytest

from gateway.context import GatewayContext
from gateway.core.errors import NotConnected, PluginError
from gateway.core.flow import settled
from gateway.core.records import Block, Signal
from gateway.discover import discover, load
from gateway.isolation import isolate

PART = '''
import os, sys, time
from gateway.core.errors import NotConnected
from gateway.core.plugin import Plugin
from gateway.core.records import Features
MANIFEST = {"kind": "plugin", "name": "odd", "version": "1", "api": 1, "summary": "a test", "runs_on": ("cpython",), "needs": (),
            "budget": {"ms": 10, "mb": 300}, "options": {"deed": {"default": "", "help": "what to do"}}}
class Odd(Plugin):
    def push(self, block):
        deed = self.options["deed"]
        self.context.count("pushed")
        print("noise on the console")
        if deed == "raise": raise ValueError("boom")
        if deed == "away": raise NotConnected("gone", "wait")
        if deed == "hang": time.sleep(60)
        if deed == "exit": os._exit(3)
        if deed == "eat": self.eaten = bytearray(4000000000)
        if deed == "babble": os.write(1, b"{}\\n"); os.write(2, b"babble")
        return [Features(block.stream, block.seq, block.t_ms, [list(block.values)], {"n": len(block.values)})]
    def finish(self):
        return []
PLUGIN = Odd
'''
BLOCK = Block(Signal("s", "II", "mV", 250, 200, 0), 7, 1000, [1, -2, 3])


def part(folder, mode, deed=""):
    (folder / "odd.py").write_text(PART)
    found = discover(folder)[0]["plugin", "odd"]
    context = GatewayContext("odd", folder)
    return isolate(mode, found, {"deed": deed}, context, lambda: load(found)({"deed": deed}, context)), context


@pytest.mark.parametrize("mode", ["inline", "thread", "process"])
async def test_the_same_verbs_and_answers(tmp_path, mode):
    made, context = part(tmp_path, mode)
    features = (await settled(made.push(BLOCK)))[0]
    assert (features.stream, features.seq, features.values, features.facts) == ("s", 7, [[1, -2, 3]], {"n": 3})
    assert await settled(made.finish()) == []
    assert sum(n for name, n in context.counters.items() if name.endswith("pushed")) == 1


@pytest.mark.parametrize("mode, deed, error, words", [
    ("thread", "raise", ValueError, "boom"), ("process", "raise", PluginError, "boom"), ("process", "away", NotConnected, "gone"),
    ("thread", "hang", PluginError, "did not answer"), ("process", "hang", PluginError, "did not answer"),
    ("process", "exit", PluginError, "exited"), ("process", "eat", PluginError, "MemoryError")])
async def test_bad_parts_are_held(tmp_path, mode, deed, error, words):
    made, context = part(tmp_path, mode, deed)
    ticks = []

    async def tick():
        while True:
            ticks.append(time.monotonic())
            await asyncio.sleep(.02)
    ticking = asyncio.ensure_future(tick())
    with pytest.raises(error) as caught:
        await settled(made.push(BLOCK))
    ticking.cancel()
    assert words in str(caught.value)
    if deed == "hang":
        assert len(ticks) > 20, "the loop lives on while a part hangs"
        assert context.counters["hung_calls"] == 1
    if deed == "exit":
        assert context.counters["processes_died"] == 1
        made.options = {"deed": ""}
        assert await settled(made.push(BLOCK)), "it starts anew"
        await settled(made.finish())


async def test_nothing_the_part_prints_reaches_the_wire(tmp_path):
    made, _ = part(tmp_path, "process", "babble")
    for _ in range(3):
        assert await made.push(BLOCK)
    await made.finish()
