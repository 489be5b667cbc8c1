"""A live camera: an RTSP or HTTP stream, a V4L2 device, or anything else that FFmpeg opens."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from gateway.core.plugin import Sensor
from gateway.core.records import Sample
from sensors.media import Media, planes

MANIFEST = {
    "kind": "sensor", "name": "camera", "version": "0.1.0", "api": 1,
    "summary": "a live camera: rtsp://, http:// or /dev/video0",
    "runs_on": ("cpython",), "needs": ("av",), "permissions": ("network", "devices"), "budget": {"ms": 10000, "mb": 128},
    "channels": ("planes",), "live": True, "ahead": 4, "rest_ms": 1000,
    "options": {
        "source": {"required": True, "type": "str", "help": "address of the stream, or path of the device"},
        "form": {"default": "", "type": "str", "help": "FFmpeg's name of the format where it cannot tell, such as v4l2"},
        "fps": {"default": 0.0, "type": "float", "min": 0, "max": 1000, "help": "at most so many frames a second; 0 = all"},
        "timeout_s": {"default": 10, "type": "int", "min": 1, "max": 600, "help": "silence after which the camera counts as away"},
        "widest": {"default": 960, "type": "int", "min": 32, "max": 7680, "help": "wider pictures are made as wide as this"},
    },
}


class Camera(Sensor):
    """Samples with one value, the planes of a frame (see sensors.media.planes). Waits in a thread of its own: FFmpeg blocks."""

    media, given = None, 0

    async def open(self):
        """Connect, or raise NotConnected."""
        options = self.options
        self.worker = ThreadPoolExecutor(1)
        self.media = await self._aside(lambda: Media(options["source"], "video", True, options["timeout_s"], options["form"] or None))
        self.last_s = None

    def _aside(self, work):
        return asyncio.get_running_loop().run_in_executor(self.worker, work)

    def _next(self):
        """The next frame that is due; those between are counted as thinned."""
        while True:
            frame = self.media.frame()
            at_s = frame.time or 0.0
            if not self.options["fps"] or self.last_s is None or not 0 <= at_s - self.last_s < .99 / self.options["fps"]:
                self.last_s = at_s
                return frame
            self.context.count("thinned")

    async def read(self):
        """The next frame. Raises NotConnected when the camera stops."""
        frame = await self._aside(self._next)
        sample = Sample(self.context.name, self.given, self.context.clock.wall_ms(), (planes(frame, self.options["widest"]),))
        self.given += 1
        return sample

    async def rest(self, ms):
        """Pass over the frames of the next `ms`; counted as thinned. Those that no other needs are not even decoded."""
        self.context.count("thinned", await self._aside(lambda: self.media.skip(ms)))

    async def close(self):
        """Let go of the camera."""
        if self.media:
            self.context.count("undecodable", self.media.undecodable)
            self.worker.shutdown(wait=True)
            self.media.close()
            self.media = None


PLUGIN = Camera
