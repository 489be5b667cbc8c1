"""A made-up ECG, seeded, with faults on demand: for tests, and for trying settings without hardware.

Integers only, so that every interpreter gives the same samples. It is no recording, and says so in its name.
"""
# runs on CPython and MicroPython

from array import array

from gateway.core.errors import EndOfStream, NotConnected
from gateway.core.plugin import Sensor
from gateway.core.records import Block, Signal

MANIFEST = {
    "kind": "sensor", "name": "simulated", "version": "0.1.0", "api": 1,
    "summary": "a made-up ECG with ectopic beats and faults on demand",
    "runs_on": ("cpython", "micropython"), "needs": (), "permissions": (), "budget": {"ms": 50, "mb": 8},
    "channels": ("simulated",), "live": False,
    "options": {
        "seed": {"default": 1, "type": "int", "min": 1, "help": "the same seed gives the same signal"},
        "rate_hz": {"default": 250, "type": "int", "min": 100, "max": 1000, "help": "samples per second"},
        "bpm": {"default": 72, "type": "int", "min": 30, "max": 200, "help": "heart rate"},
        "ectopic": {"default": 0, "type": "int", "min": 0, "max": 100, "help": "percent of beats that are ventricular"},
        "noise": {"default": 4, "type": "int", "min": 0, "max": 500, "help": "largest noise, in counts of 5 uV"},
        "speed": {"default": 0, "type": "float", "min": 0, "help": "times real time; 0 = as fast as it goes"},
        "seconds": {"default": 0, "type": "int", "min": 0, "help": "length; 0 = endless"},
        "flat_s": {"default": 0, "type": "int", "min": 0, "help": "from this second on the line is flat; 0 = never"},
        "lost_s": {"default": 0, "type": "int", "min": 0, "help": "the line drops each so many seconds; 0 = never"},
        "skip": {"default": 0, "type": "int", "min": 0, "help": "each so many blocks one is missing; 0 = none"},
        "raise_s": {"default": 0, "type": "int", "min": 0, "help": "at this second the sensor breaks; 0 = never"},
        "hang_s": {"default": 0, "type": "int", "min": 0, "help": "at this second it hangs for good; 0 = never"},
    },
}
# Corners of a beat: thousandths of a second from R, counts. P, Q, R, S, T; the ventricular one is wide and late.
SINUS = ((-220, 0), (-170, 24), (-120, 0), (-40, 0), (-25, -20), (0, 240), (25, -50), (45, 0), (160, 0), (250, 60), (330, 0))
WIDE = ((-80, 0), (0, 200), (70, -180), (130, -20), (260, -80), (380, 0))


class Xorshift:
    """Marsaglia's 32-bit xorshift (2003)."""

    def __init__(self, seed):
        self.state = seed & 0xFFFFFFFF or 1

    def below(self, n):
        """Integer from 0 to n - 1."""
        x = self.state
        x ^= x << 13 & 0xFFFFFFFF
        x ^= x >> 17
        x ^= x << 5 & 0xFFFFFFFF
        self.state = x
        return x % n


def height(corners, at):
    """Counts at `at` thousandths of a second from R: straight lines between the corners."""
    for i in range(len(corners) - 1):
        (a, low), (b, high) = corners[i], corners[i + 1]
        if a <= at < b:
            return low + (high - low) * (at - a) // (b - a)
    return 0


class Simulated(Sensor):
    """Blocks of a second. beats: sample numbers of all R waves so far."""

    async def open(self):
        """Begin, or go on after a lost line."""
        if not hasattr(self, "given"):
            self.given = 0
            self.random = Xorshift(self.options["seed"])
            self.beats, self.shapes = [self.options["rate_hz"] // 2], [SINUS]
            self.signal = Signal(self.context.name, "simulated", "mV", self.options["rate_hz"], 200, 0)
            self.began_ms, self.began_ticks = self.context.clock.wall_ms(), self.context.clock.ticks_ms()
        self.opened = self.given // self.options["rate_hz"]

    async def read(self):
        """The next second of signal, or the fault that is due."""
        options, second = self.options, self.given // self.options["rate_hz"]
        await self._fault(second)
        rate = options["rate_hz"]
        values = array("h", [self._sample(self.given + i) for i in range(rate)])
        block = Block(self.signal, self.given, self.began_ms + second * 1000, values)
        self.given += rate
        if options["skip"] and (second + 1) % options["skip"] == 0:
            return await self.read_after_gap()
        if options["speed"]:
            due = (second + 1) * 1000 / options["speed"]
            await self.context.clock.sleep_ms(max(0, due - (self.context.clock.ticks_ms() - self.began_ticks)))
        return block

    async def read_after_gap(self):
        """The block after one that got lost."""
        rate = self.options["rate_hz"]
        values = array("h", [self._sample(self.given + i) for i in range(rate)])
        self.given += rate
        return Block(self.signal, self.given - rate, self.began_ms + (self.given - rate) * 1000 // rate, values)

    async def _fault(self, second):
        options = self.options
        if options["seconds"] and second >= options["seconds"]:
            raise EndOfStream("the simulation is over")
        if options["lost_s"] and second - self.opened >= options["lost_s"]:
            raise NotConnected("the simulated line is lost", "it comes back by itself")
        if options["raise_s"] and second == options["raise_s"]:
            self.given += options["rate_hz"]
            raise ValueError("the simulated sensor broke")
        if options["hang_s"] and second >= options["hang_s"]:
            await self.context.clock.sleep_ms(1 << 30)

    def _sample(self, n):
        if self.options["flat_s"] and n >= self.options["flat_s"] * self.options["rate_hz"]:
            return 0
        rate = self.options["rate_hz"]
        if n > self.beats[-1] + rate * 400 // 1000:
            self._next_beat()
        value = 0
        for beat, shape in zip(self.beats[-2:], self.shapes[-2:]):
            value += height(shape, (n - beat) * 1000 // rate)
        noise = self.options["noise"]
        return value + (self.random.below(2 * noise + 1) - noise if noise else 0)

    def _next_beat(self):
        """Place the next beat; a ventricular one comes early and the one after it late."""
        interval = self.options["rate_hz"] * 60 // self.options["bpm"]
        ectopic = self.random.below(100) < self.options["ectopic"]
        share = 70 if ectopic else 130 if self.shapes[-1] is WIDE else 98 + self.random.below(5)
        self.beats.append(self.beats[-1] + interval * share // 100)
        self.shapes.append(WIDE if ectopic else SINUS)


PLUGIN = Simulated
