"""Words out of sound: a second at a time, as ten mel-cepstral coefficients of 49 frames, to an imported model.

The features are those of the keyword benchmark of MLPerf Tiny (Banbury and others, 2021), whose reference model it can run:
heed model import kws_ref_model.tflite --real --labels words.txt
"""

import numpy as np

from gateway.core.errors import ConfigError
from gateway.core.plugin import Model, Plugin
from gateway.core.records import Decision, Features, Inference, Summary

MANIFEST = {
    "kind": "plugin", "name": "keyword", "version": "0.1.0", "api": 1,
    "summary": "hears single words in sound of 16 kHz",
    "runs_on": ("cpython",), "needs": ("numpy",), "permissions": (), "budget": {"ms": 20, "mb": 32},
    "leaves": {"event": {"event": "word", "word": "which", "share": "what it had, per mille", "model": "what answered"},
               "minute": {"heard": "times that each watched word was heard", "seconds": "of sound"}},
    "options": {
        "classes": {"default": ("down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes", "silence", "unknown"),
                    "type": "list", "help": "names of the model's classes, in its order"},
        "watch": {"default": ("left", "right", "stop", "go"), "type": "list", "help": "words to report"},
        "share": {"default": 70, "type": "int", "min": 1, "max": 100, "help": "percent that a word must have"},
        "repeats": {"default": 2, "type": "int", "min": 1, "max": 8, "help": "looks in a row that must agree"},
        "hop_ms": {"default": 125, "type": "int", "min": 20, "max": 1000, "help": "from one look to the next"},
        "again_ms": {"default": 1000, "type": "int", "min": 0, "help": "how long the same word is not reported again"},
        "quiet": {"default": 500, "type": "int", "min": 0, "max": 32767, "help": "a second that is never louder is not listened to"},
    },
}
RATE, WINDOW, STEP, FFT, BINS, KEPT = 16000, 480, 320, 512, 40, 10


def mel_bins():
    """(257, 40) triangles, even in mels from 20 to 4000 Hz (as in HTK)."""
    mel = lambda hz: 1127 * np.log1p(np.asarray(hz) / 700)
    edges, bins = np.linspace(mel(20), mel(4000), BINS + 2), mel(np.arange(FFT // 2 + 1) * RATE / FFT)[:, None]
    rise, fall = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2]), (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    found = np.maximum(0, np.minimum(rise, fall))
    found[0] = 0
    return found


HANN = .5 - .5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
MELS = mel_bins()
COSINES = np.cos(np.pi * np.outer(np.arange(BINS) + .5, np.arange(KEPT)) / BINS) * (2 / BINS) ** .5  # DCT-II


def cepstra(sound):
    """(49, 10) of 16,000 samples; scaled to their peak first, as the model was trained."""
    sound = sound / max(1, sound.max())
    frames = np.lib.stride_tricks.sliding_window_view(sound, WINDOW)[::STEP] * HANN
    return np.log(np.abs(np.fft.rfft(frames, FFT)) @ MELS + 1e-6) @ COSINES


class Loud(Model):
    """The rule beside any model: what is loud is not silence; which word, it cannot know."""

    def infer(self, features):
        """Inference for `unknown`."""
        classes = self.options["classes"]
        scores = [float(name == classes[-1]) for name in classes]
        return Inference(features.stream, features.seq, features.t_ms, classes[-1], scores, None, "baseline")


class Stream:
    """What is kept of one microphone."""

    def __init__(self, block):
        self.sound, self.due, self.next = np.zeros(RATE, np.int16), block.seq + RATE, block.seq
        self.word, self.run, self.looked, self.heard, self.seconds = "", 0, 0, {}, 0.0
        self.said, self.from_ms, self.last_ms = ("", 0), block.t_ms, block.t_ms


class Keyword(Plugin):
    """Any number of microphones; listens only where it is not quiet."""

    baseline = Loud

    def __init__(self, options, context):
        super().__init__(options, context)
        unknown = [word for word in options["watch"] if word not in options["classes"]]
        if unknown:
            raise ConfigError("watch: no class is called %s" % ", ".join(unknown), "classes: " + ", ".join(options["classes"]))
        self.streams = {}

    def push(self, block):
        """Features of each look that is due, and the minute's digest."""
        if block.signal.rate_hz != RATE:
            raise ConfigError("%s has %s samples a second" % (block.stream, block.signal.rate_hz), "give the sensor rate_hz = %d" % RATE)
        stream = self.streams.get(block.stream)
        if stream is None or block.seq != stream.next:
            self.context.count("signal_gaps", int(stream is not None))
            stream = self.streams[block.stream] = Stream(block)
        sound = np.concatenate([stream.sound, np.asarray(block.values, np.int16)])
        stream.next, stream.last_ms = block.seq + len(block.values), block.t_ms
        out = []
        while stream.due <= stream.next:
            ends = len(sound) - (stream.next - stream.due)
            out += self._look(block, stream, sound[ends - RATE:ends])
            stream.due += RATE * self.options["hop_ms"] // 1000
        stream.sound = sound[-RATE:]
        stream.seconds += len(block.values) / RATE
        return out + (self._digest(block.stream, stream) if block.t_ms - stream.from_ms >= 60000 else [])

    def _look(self, block, stream, sound):
        """Features of one second, unless it is quiet."""
        if np.abs(sound.astype(np.int32)).max() <= self.options["quiet"]:
            self.context.count("quiet")
            return []
        return [Features(block.stream, stream.due, block.time_of(stream.due), [cepstra(sound.astype(np.float32)).ravel()], {})]

    def decide(self, features, inference):
        """Report a watched word that has held."""
        stream = self.streams[features.stream]
        word = inference.label if 100 * max(inference.scores) >= self.options["share"] else ""
        joins = word == stream.word and features.seq - stream.looked == RATE * self.options["hop_ms"] // 1000
        stream.run = stream.run + 1 if joins else 1
        stream.word, stream.looked = word, features.seq
        held = word in self.options["watch"] and stream.run == self.options["repeats"]
        said = held and (word != stream.said[0] or features.t_ms - stream.said[1] > self.options["again_ms"])
        if held:
            stream.said = word, features.t_ms
        if said:
            stream.heard[word] = stream.heard.get(word, 0) + 1
        return Decision(said, False, 0, 'heard "%s"' % word if said else "nothing watched for")

    def summarise(self, features, inference, decision):
        """The word."""
        if not decision.report:
            return []
        data = {"word": inference.label, "share": int(1000 * max(inference.scores)), "model": inference.variant, "event": "word"}
        return [Summary(features.stream, "event", "event", features.t_ms, decision.reason, data)]

    def _digest(self, name, stream):
        heard, stream.heard, stream.from_ms = stream.heard, {}, stream.last_ms
        seconds, stream.seconds = round(stream.seconds), 0.0
        words = ", ".join("%s %d times" % (word, n) for word, n in sorted(heard.items())) or "no word"
        return [Summary(name, "minute", "digest", stream.last_ms, "%d s of sound: %s" % (seconds, words),
                        {"heard": heard, "seconds": seconds})]

    def finish(self):
        """The minutes that have begun."""
        return [summary for name, stream in sorted(self.streams.items()) for summary in self._digest(name, stream)]


PLUGIN = Keyword
