"""Pictures and sound out of files, cameras and streams: the only file that imports PyAV, which is FFmpeg."""

import time

import numpy as np

from gateway.core.errors import ConfigError, EndOfStream, NotConnected

try:
    import av
    av.logging.set_level(av.logging.PANIC)  # what matters comes as an error, once
except ImportError:  # the extra is not installed: said when a source is opened
    av = None


class Media:
    """One source. kind: "video" or "audio"; live: a camera that may come back, not a file. Raises ConfigError or NotConnected."""

    def __init__(self, source, kind, live, timeout_s=10, form=None):
        if av is None:
            raise ConfigError("PyAV is not here", "pip install 'heed-gateway[vision]'")
        self.source, self.live = source, live
        try:
            self.container = av.open(source, format=form, timeout=timeout_s)
        except av.error.InvalidDataError as error:
            raise ConfigError("%s holds no pictures or sound that can be read: %s" % (source, error.strerror),
                              "play it with another program: is it whole?")
        except (av.error.FFmpegError, OSError) as error:
            raise self._away("cannot be opened: %s" % error.strerror)
        streams = getattr(self.container.streams, kind)
        if not streams:
            raise ConfigError("%s holds no %s" % (source, kind), "name another source")
        self.stream = streams[0]
        self.stream.codec_context.thread_count = 1
        self.undecodable = 0
        self.skipping = False
        self.packets = self._packets()

    def _away(self, words):
        """What the loss of this source is: to be waited out, or a wrong setting."""
        if self.live:
            return NotConnected("%s %s" % (self.source, words), "is it powered and in reach?")
        return ConfigError("%s %s" % (self.source, words), "give the path of a recording, or a name in the data folder")

    def _packets(self):
        """Frames in order; packets that cannot be decoded are counted and left out."""
        for packet in self.container.demux(self.stream):
            if self.skipping and self.stream.codec_context.codec.intra_only:
                yield None
                continue
            try:
                yield from packet.decode()
            except av.error.InvalidDataError:
                self.undecodable += 1

    def frame(self):
        """The next frame of PyAV. Raises EndOfStream, or NotConnected where a camera stops."""
        try:
            return next(self.packets)
        except StopIteration:
            pass
        except (av.error.FFmpegError, OSError) as error:
            if not self.live:
                raise EndOfStream("%s breaks off: %s" % (self.source, error.strerror))
            raise self._away("stopped: %s" % error.strerror)
        if self.live:
            raise self._away("ended")
        raise EndOfStream("%s is over" % self.source)

    def skip(self, ms):
        """Pass over what comes within `ms`; gives how many frames. Pictures that stand alone, as MJPEG's, are not even decoded."""
        until, n, self.skipping = time.monotonic() + ms / 1000, 0, True
        try:
            while time.monotonic() < until:
                self.frame()
                n += 1
        finally:
            self.skipping = False
        return n

    def close(self):
        """Let go of the source."""
        self.container.close()


def planes(frame, widest):
    """(3 h / 2, w) uint8: luma and colours (I420) of a video frame, h and w even, w at most `widest`."""
    w, h = frame.width, frame.height
    if w > widest:
        w, h = widest, h * widest // w
    w, h = max(2, w & ~1), max(2, h & ~1)
    if (w, h) != (frame.width, frame.height) or frame.format.name not in ("yuv420p", "yuvj420p"):
        frame = frame.reformat(width=w, height=h, format="yuv420p")
    return frame.to_ndarray()


def to_pcm(rate_hz):
    """A function from audio frames to int16 samples of one channel at rate_hz; of None to what is left."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=rate_hz)
    return lambda frame: np.concatenate([part.to_ndarray()[0] for part in resampler.resample(frame)] or [np.zeros(0, np.int16)])
