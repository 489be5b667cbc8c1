"""A node with the gateway's own flow, over a wire that loses its line; and what comes out at the other end."""

import asyncio
import json

from gateway.core.compat import Clock
from gateway.core.context import Context
from gateway.core.errors import ConfigError, NotConnected
from gateway.core.link import ACKNOWLEDGE, LinkReceiver, LinkUplink
from gateway.core.node import Node
from gateway.core.batch import Batch
from gateway.testing import FakeClock
from plugins.ecg import plugin
from plugins.ecg.baseline import Rules
from sensors import simulated

SETTINGS = {"name": "node-1", "sensor": {"seconds": 70, "ectopic": 10, "rate_hz": 128}, "plugin": {}, "model": {}}


class RulesModule:
    """Stands in for a model's module."""

    MANIFEST = {"options": {}}
    PLUGIN = Rules


class Line:
    """Both directions of a wire with the gateway's end on it. The first `lost` times the node reads, the line is dead."""

    def __init__(self, lost=0):
        self.receiver = LinkReceiver(self)
        self.records, self.forth, self.back, self.lost = [], [], b"", lost

    def write(self, data):
        """Acknowledgements go back to the node; the rest goes forth."""
        if data[1] == ACKNOWLEDGE:
            self.back += data
        else:
            self.forth.append(data)

    async def drain(self):
        while self.forth:
            for epoch, seq, fields in self.receiver.feed(self.forth.pop(0)):
                self.records.append((seq, fields))

    async def read(self, n):
        if self.lost:
            self.lost -= 1
            return b""
        for epoch in sorted(self.receiver.marks):
            await self.receiver.acknowledge(epoch, self.receiver.marks[epoch])
        data, self.back = self.back[:n], self.back[n:]
        return data


def node(line, **settings):
    modules = {"sensor": simulated, "plugin": plugin, "model": RulesModule}
    clock = FakeClock()
    uplink = LinkUplink({"timeout_s": 5}, Context("link", clock), (line, line))
    return Node(json.dumps(dict(SETTINGS, **settings)), modules, uplink, clock)


async def test_every_summary_crosses_once_although_the_line_drops():
    line = Line(lost=2)
    made = node(line)
    await asyncio.wait_for(made.run(), 60)
    seqs = [seq for seq, _ in line.records]
    assert seqs == list(range(1, len(seqs) + 1)) and len(seqs) >= 2
    assert [fields["kind"] for _, fields in line.records].count("minute") == 2
    assert line.receiver.duplicates > 0, "what was sent again had no effect"
    assert made.reader.counters["samples"] == 70 * 128


def test_wrong_settings_are_told_together():
    messages = []
    for text in ("nonsense", json.dumps({"name": "", "sensor": {"sed": 1}, "plugin": {"pause_ms": 1}})):
        try:
            Node(text, {"sensor": simulated, "plugin": plugin, "model": RulesModule}, None)
            assert False, "wrong settings must be refused"
        except ConfigError as error:
            messages.append(error.message)
    for words in ("no JSON", "sed", "pause_ms", "name is missing"):
        assert words in "; ".join(messages), messages


async def test_a_dead_line_is_not_an_acknowledgement():
    line = Line(lost=1000)
    uplink = LinkUplink({}, Context("link", Clock), (line, line))
    try:
        await uplink.send(Batch("n", "0" * 16, [(1, {"kind": "x"})]))
        assert False, "a closed line must raise"
    except NotConnected:
        pass
