"""The real recording, what is in it, and small videos made for a test."""

import av
import numpy as np
import pytest

from firmware_tools.judge_video import frames
from gateway import data
from gateway.core.records import Sample
from gateway.testing import FakeContext
from plugins.vision.plugin import MANIFEST, VisionPlugin

FILE = "vision/video/car-detection.mp4"
FRAME_MS = 80
# Counted by eye on these frames: cars of which a third or more can be seen.
CARS = {20: 0, 72: 1, 84: 1, 96: 1, 140: 0, 186: 1, 196: 2, 204: 2, 212: 2, 220: 2, 226: 2, 270: 0, 324: 1, 336: 1, 360: 0}
# By eye: the frames between which a car is partly on each side of the middle of the picture, and where it drives.
CROSSINGS = [((68, 90), "up"), ((197, 217), "down"), ((200, 221), "up"), ((325, 341), "down")]


def recording():
    """Path of the recording, or a skip that says how to get it."""
    found = data.find(FILE)
    if not found:
        pytest.skip("no %s here: set HEED_DATA" % FILE)
    return found


def options(**changed):
    """Options of the plugin."""
    return dict({name: spec["default"] for name, spec in MANIFEST["options"].items()}, **changed)


def make(**changed):
    """A plugin with its rules, and the context that counts."""
    context = FakeContext()
    plugin = VisionPlugin(options(**changed), context)
    return plugin, VisionPlugin.baseline(plugin.options, context), context


def push(plugin, model, number, planes, t_ms=None):
    """One frame through plugin and model; gives the summaries."""
    out = []
    for item in plugin.push(Sample("camera", number, FRAME_MS * number if t_ms is None else t_ms, (planes,))):
        if not hasattr(item, "facts"):
            out.append(item)
            continue
        inference = model.infer(item)
        out += plugin.summarise(item, inference, plugin.decide(item, inference))
    return out


def real_frames():
    """Planes of all frames of the recording."""
    return list(frames(recording()))


def grey(h, w, value=110):
    """Planes of an even frame with a little noise."""
    planes = np.full((h * 3 // 2, w), 128, np.uint8)
    planes[:h] = value + np.random.default_rng(h * w + value).integers(-3, 4, (h, w))
    return planes


def write(path, sizes, rate=10, codec="mpeg4"):
    """A video file whose frames have these (h, w, value)."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.height, stream.width, stream.pix_fmt = sizes[0][0], sizes[0][1], "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for h, w, value in sizes:
            for packet in stream.encode(av.VideoFrame.from_ndarray(grey(h, w, value), "yuv420p")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path
