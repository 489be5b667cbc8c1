"""Words: the features are those that the model was trained on, and a model of others hears real words."""

import math
from pathlib import Path

import numpy as np
import pytest

from gateway import data
from gateway.context import GatewayContext
from gateway.core.errors import ConfigError, EndOfStream
from gateway.core.records import Block, Signal
from gateway.testing import FakeContext, check_manifest, check_plugin
from models.attention import PackageModel
from models.importer import import_tflite
from plugins import keyword
from sensors import audio

SPOKEN = Path("/usr/share/sounds/alsa")  # of Debian's alsa-utils: a voice that says where the loudspeaker stands


def options(module, **changed):
    return dict({name: spec.get("default") for name, spec in module.MANIFEST["options"].items()}, **changed)


def blocks(sound, rate_hz=16000, n=4000):
    signal = Signal("mic", "sound", "full scale", rate_hz, 32768, 0)
    return [Block(signal, at, at * 1000 // rate_hz, sound[at:at + n]) for at in range(0, len(sound), n)]


def test_a_tone_lights_the_mel_bin_that_holds_it():
    spectrum = np.abs(np.fft.rfft(np.sin(2 * np.pi * 1000 * np.arange(480) / 16000) * keyword.HANN, 512)) @ keyword.MELS
    edges = np.linspace(1127 * math.log1p(20 / 700), 1127 * math.log1p(4000 / 700), 42)
    at = int(spectrum.argmax())
    assert edges[at] < 1127 * math.log1p(1000 / 700) < edges[at + 2]
    assert np.allclose(keyword.COSINES.T @ keyword.COSINES, np.diag([2] + [1] * 9)), "a DCT, orthogonal, not normalised in its first row"


def test_the_contract_and_what_is_quiet_is_not_listened_to():
    check_manifest(keyword.MANIFEST)
    rng, context = np.random.default_rng(1), FakeContext()
    sound = np.concatenate([np.zeros(32000, np.int16), rng.integers(-9000, 9000, 32000).astype(np.int16)])
    plugin = keyword.Keyword(options(keyword), context)
    looks = sum(len(plugin.push(block)) for block in blocks(sound))
    assert context.counters["quiet"] == 9 and looks == 16
    rules = keyword.Keyword.baseline(options(keyword), FakeContext())
    check_plugin(lambda: keyword.Keyword(options(keyword), FakeContext()), blocks(sound), rules.infer)
    with pytest.raises(ConfigError, match="8000 samples"):
        plugin.push(blocks(sound, 8000)[0])
    with pytest.raises(ConfigError, match="no class is called halt"):
        keyword.Keyword(options(keyword, watch=["halt"]), FakeContext())


def test_a_word_is_said_once_for_as_long_as_it_holds():
    plugin = keyword.Keyword(options(keyword), FakeContext())
    rules, said = keyword.Keyword.baseline(options(keyword), FakeContext()), []
    for block in blocks(np.random.default_rng(1).integers(-9000, 9000, 64000).astype(np.int16)):
        for features in plugin.push(block):
            inference = rules.infer(features)
            inference.label, inference.scores = "left", [0.0] * 11 + [1.0]
            said += plugin.summarise(features, inference, plugin.decide(features, inference))
    assert [s.reason for s in said] == ['heard "left"']
    assert plugin.finish()[0].reason == "4 s of sound: left 1 times"


async def test_real_words_are_heard_by_the_reference_model_of_others(tmp_path):
    file = data.find("vision/models/kws_ref_model.tflite")
    if not file or not SPOKEN.is_dir():
        pytest.skip("needs vision/models in HEED_DATA, and the recordings of Debian's alsa-utils")
    package = import_tflite(file, "kws", tmp_path, list(keyword.MANIFEST["options"]["classes"]["default"]), real=True)
    model = PackageModel({"package": str(package)}, GatewayContext("kws", tmp_path))
    model.load()
    for name in ("Front_Left", "Side_Left", "Rear_Right", "Front_Right", "Side_Right", "Front_Center", "Rear_Center", "Noise"):
        sensor = audio.PLUGIN(options(audio, file=str(SPOKEN / (name + ".wav")), speed=0), FakeContext())
        plugin, heard = keyword.Keyword(options(keyword), FakeContext()), []
        await sensor.open()
        sound = []
        try:
            while True:
                sound.append((await sensor.read()).values)
        except EndOfStream:
            await sensor.close()
        for block in blocks(np.concatenate(sound + [np.zeros(16000, np.int16)])):
            for features in plugin.push(block):
                inference = model.infer(features)
                heard += plugin.summarise(features, inference, plugin.decide(features, inference))
        words = {s.data["word"] for s in heard}
        assert words == ({name.split("_")[-1].lower()} & {"left", "right"}), name
