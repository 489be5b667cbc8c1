"""Plays a recorded video as if it came from a camera: in real time, faster, or as fast as it goes."""

from gateway.core.errors import EndOfStream
from gateway.core.plugin import Sensor
from gateway.core.records import Sample
from sensors.media import Media, planes

MANIFEST = {
    "kind": "sensor", "name": "video", "version": "0.1.0", "api": 1,
    "summary": "plays a video file, in real time or faster",
    "runs_on": ("cpython",), "needs": ("av",), "permissions": ("files",), "budget": {"ms": 50, "mb": 128},
    "channels": ("planes",), "live": False, "ahead": 4, "rest_ms": 1000,
    "options": {
        "file": {"required": True, "type": "str", "help": "path, or a name such as vision/video/car-detection.mp4"},
        "speed": {"default": 1.0, "type": "float", "min": 0, "max": 100000, "help": "times real time; 0 = as fast as it goes"},
        "loop": {"default": False, "type": "bool", "help": "begin again at the end"},
        "start_s": {"default": 0.0, "type": "float", "min": 0, "help": "where to begin"},
        "duration_s": {"default": 0.0, "type": "float", "min": 0, "help": "how much to play; 0 = to the end"},
        "widest": {"default": 960, "type": "int", "min": 32, "max": 7680, "help": "wider pictures are made as wide as this"},
    },
}


class Video(Sensor):
    """Samples with one value, the planes of a frame (see sensors.media.planes). Time is that of the file's own clock."""

    media = None

    async def open(self):
        """Find and open the file."""
        self.given, self.base_s, self.last_s, self.held = 0, 0.0, 0.0, None
        self._begin()
        self.began_ticks, self.began_ms = self.context.clock.ticks_ms(), self.context.clock.wall_ms()

    def _begin(self):
        """Open the file at its beginning."""
        self.media = Media(self.context.find(self.options["file"]) or self.options["file"], "video", False)

    def _next(self):
        """(seconds into the part that is played, frame); over and over with `loop`."""
        while True:
            try:
                frame = self.media.frame()
                at_s = (frame.time or 0.0) - self.options["start_s"]
                if 0 < self.options["duration_s"] <= at_s:
                    raise EndOfStream("what was asked for is played")
                if at_s >= 0:
                    return self.base_s + at_s, frame
            except EndOfStream:
                self.context.counters["undecodable"] = self.context.counters.get("undecodable", 0) + self.media.undecodable
                if not self.options["loop"] or not self.given:
                    raise
                self.media.close()
                self.base_s = self.last_s + .04
                self._begin()

    async def read(self):
        """The next frame, when it would have come."""
        at_s, frame = self.held or self._next()
        self.last_s, self.held = at_s, None
        sample = Sample(self.context.name, self.given, self.began_ms + round(at_s * 1000), (planes(frame, self.options["widest"]),))
        self.given += 1
        if self.options["speed"]:
            due = at_s * 1000 / self.options["speed"]
            await self.context.clock.sleep_ms(max(0, int(due - (self.context.clock.ticks_ms() - self.began_ticks))))
        return sample

    async def rest(self, ms):
        """What a camera would have given meanwhile is passed over, and counted as thinned; nothing is at speed 0."""
        await super().rest(ms)
        until_s = self.last_s + ms * self.options["speed"] / 1000
        while self.options["speed"]:
            self.held = self.held or self._next()
            if self.held[0] >= until_s:
                return
            self.last_s, self.held = self.held[0], None
            self.context.count("thinned")
            await self.context.clock.sleep_ms(0)

    async def close(self):
        """Close the file."""
        if self.media:
            self.media.close()
            self.media = None


PLUGIN = Video
