"""Plays a sound file as if it came from a microphone: in real time, faster, or as fast as it goes."""

import numpy as np

from gateway.core.errors import EndOfStream
from gateway.core.plugin import Sensor
from gateway.core.records import Block, Signal
from sensors.media import Media, to_pcm

MANIFEST = {
    "kind": "sensor", "name": "audio", "version": "0.1.0", "api": 1,
    "summary": "plays a sound file, one channel at any rate",
    "runs_on": ("cpython",), "needs": ("av",), "permissions": ("files",), "budget": {"ms": 50, "mb": 64},
    "channels": ("sound",), "live": False,
    "options": {
        "file": {"required": True, "type": "str", "help": "path, or a name in the data folder"},
        "rate_hz": {"default": 16000, "type": "int", "min": 4000, "max": 48000, "help": "samples per second that are given"},
        "block_ms": {"default": 250, "type": "int", "min": 20, "max": 10000, "help": "length of a block"},
        "speed": {"default": 1.0, "type": "float", "min": 0, "max": 100000, "help": "times real time; 0 = as fast as it goes"},
    },
}


class Audio(Sensor):
    """Blocks of int16 samples. Wall time is that of opening plus samples over rate, so it does not drift."""

    media = None

    async def open(self):
        """Find and open the file."""
        rate = self.options["rate_hz"]
        self.media = Media(self.context.find(self.options["file"]) or self.options["file"], "audio", False)
        self.signal = Signal(self.context.name, "sound", "full scale", rate, 32768, 0)
        self.convert, self.size = to_pcm(rate), rate * self.options["block_ms"] // 1000
        self.rest, self.given, self.over = np.zeros(0, np.int16), 0, False
        self.began_ticks, self.began_ms = self.context.clock.ticks_ms(), self.context.clock.wall_ms()

    def _fill(self):
        """Read until there is a whole block, or the file is over."""
        while len(self.rest) < self.size and not self.over:
            try:
                more = self.convert(self.media.frame())
            except EndOfStream:
                self.over, more = True, self.convert(None)
            self.rest = np.concatenate([self.rest, more])

    async def read(self):
        """The next block, when its last sample would have come."""
        self._fill()
        if not len(self.rest):
            raise EndOfStream("the sound is over")
        values, self.rest = self.rest[:self.size], self.rest[self.size:]
        block = Block(self.signal, self.given, self.began_ms + self.given * 1000 // self.options["rate_hz"], values)
        self.given += len(values)
        if self.options["speed"]:
            due = self.given * 1000 / self.options["rate_hz"] / self.options["speed"]
            await self.context.clock.sleep_ms(max(0, int(due - (self.context.clock.ticks_ms() - self.began_ticks))))
        return block

    async def close(self):
        """Close the file."""
        if self.media:
            self.media.close()
            self.media = None


PLUGIN = Audio
