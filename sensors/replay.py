"""Plays a recorded WFDB signal as if it came from a monitor: in real time, faster, or as fast as it goes."""

from gateway.core.errors import ConfigError, EndOfStream
from gateway.core.plugin import Sensor
from gateway.core.records import Block, Signal
from sensors.wfdb_record import WfdbRecord

MANIFEST = {
    "kind": "sensor", "name": "replay", "version": "0.1.0", "api": 1,
    "summary": "plays WFDB records, in real time or faster",
    "runs_on": ("cpython",), "needs": ("numpy",), "permissions": ("files",), "budget": {"ms": 50, "mb": 32},
    "channels": ("the lead's name",), "live": False,
    "options": {
        "record": {"required": True, "type": "str", "help": "path without extension, or a name such as ecg/mitdb/232"},
        "lead": {"default": "", "type": "str", "help": "name or number; empty: MLII, else the first"},
        "speed": {"default": 1.0, "type": "float", "min": 0, "max": 100000, "help": "times real time; 0 = as fast as it goes"},
        "loop": {"default": False, "type": "bool", "help": "begin again at the end"},
        "block_ms": {"default": 500, "type": "int", "min": 20, "max": 60000, "help": "length of a block"},
        "start_s": {"default": 0.0, "type": "float", "min": 0, "help": "where to begin"},
        "duration_s": {"default": 0.0, "type": "float", "min": 0, "help": "how much to play; 0 = to the end"},
    },
}


class Replay(Sensor):
    """Blocks of one lead. Wall time is that of opening plus samples over rate, so it does not drift."""

    async def open(self):
        """Find and check the record."""
        options = self.options
        found = self.context.find(options["record"]) or options["record"]
        self.record = record = WfdbRecord(found)
        self.index = record.lead(options["lead"])
        lead = record.leads[self.index]
        self.signal = Signal(self.context.name, lead.name, lead.unit, record.rate_hz, lead.gain, lead.zero)
        self.first = self.at = int(options["start_s"] * record.rate_hz)
        self.end = record.length
        if options["duration_s"]:
            self.end = min(self.end, self.first + int(options["duration_s"] * record.rate_hz))
        if self.first >= self.end:
            raise ConfigError("start_s %s is behind the end of %s" % (options["start_s"], found),
                              "it lasts %d s" % (record.length / record.rate_hz))
        self.size = max(1, int(options["block_ms"] * record.rate_hz / 1000))
        self.given = 0
        self.began_ticks, self.began_ms = self.context.clock.ticks_ms(), self.context.clock.wall_ms()

    async def read(self):
        """The next block, when its last sample would have come."""
        if self.at >= self.end:
            if not self.options["loop"]:
                raise EndOfStream("the record is over")
            self.at = self.first
        n = min(self.size, self.end - self.at)
        values = self.record.read(self.at, n)[:, self.index]
        block = Block(self.signal, self.given, self.began_ms + self.given * 1000 // self.record.rate_hz, values)
        self.at += n
        self.given += n
        if self.options["speed"]:
            due = self.given * 1000 / self.record.rate_hz / self.options["speed"]
            await self.context.clock.sleep_ms(max(0, due - (self.context.clock.ticks_ms() - self.began_ticks)))
        return block

    async def close(self):
        """Nothing is held open between reads."""


PLUGIN = Replay
