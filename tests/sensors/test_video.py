"""Videos and cameras: real time, loops, what cannot be read, what stops, what floods."""

import asyncio

import av
import numpy as np
import pytest

from gateway.core.channel import Channel
from gateway.core.errors import ConfigError, EndOfStream, NotConnected
from gateway.core.flow import Reader
from gateway.testing import FakeContext, check_manifest, check_sensor
from sensors import audio, camera, video
from tests.video import write


def opened(module, **changed):
    options = dict({name: spec.get("default") for name, spec in module.MANIFEST["options"].items()}, **changed)
    return module.PLUGIN(options, FakeContext())


async def all_of(sensor):
    out = []
    await sensor.open()
    try:
        while True:
            out.append(await sensor.read())
    except EndOfStream:
        await sensor.close()
        return out


async def test_frames_come_at_the_pace_of_the_file(tmp_path):
    path = write(tmp_path / "a.mp4", [(48, 64, 100)] * 20)
    check_manifest(video.MANIFEST)
    await check_sensor(lambda: opened(video, file=str(path)))
    samples = await all_of(opened(video, file=str(path), start_s=.5, duration_s=1))
    assert [s.seq for s in samples] == list(range(10)) and samples[0].values[0].shape == (72, 64)
    assert {b.t_ms - a.t_ms for a, b in zip(samples, samples[1:])} == {100}
    sensor = opened(video, file=str(path), speed=2.0)
    await all_of(sensor)
    assert 900 <= sensor.context.clock.now - 1700000000000 <= 1000, "1.9 s at twice the speed"


async def test_a_loop_goes_on_counting(tmp_path):
    sensor = opened(video, file=str(write(tmp_path / "a.mp4", [(48, 64, 100)] * 5)), loop=True, speed=0)
    await sensor.open()
    samples = [await sensor.read() for _ in range(12)]
    assert [s.seq for s in samples] == list(range(12)) and all(a.t_ms < b.t_ms for a, b in zip(samples, samples[1:]))
    await sensor.close()


async def test_wide_and_odd_pictures_are_made_to_fit(tmp_path):
    sample = (await all_of(opened(video, file=str(write(tmp_path / "a.mp4", [(98, 202, 90)] * 2)), widest=101)))[0]
    assert sample.values[0].shape[1] == 100 and sample.values[0].shape[0] % 3 == 0


async def test_what_cannot_be_read_is_said_at_once(tmp_path):
    junk = tmp_path / "junk.mp4"
    junk.write_bytes(np.random.default_rng(1).bytes(4000))
    for path in (junk, tmp_path / "none.mp4"):
        with pytest.raises(ConfigError) as caught:
            await opened(video, file=str(path)).open()
        assert caught.value.hint and "\n" not in caught.value.message
    with pytest.raises(ConfigError, match="holds no audio"):
        await opened(audio, file=str(write(tmp_path / "mute.mp4", [(48, 64, 1)]))).open()


async def test_a_damaged_file_gives_what_is_whole_and_counts_the_rest(tmp_path):
    path = write(tmp_path / "a.mp4", [(48, 64, 40 * (i % 5) + 20) for i in range(60)])
    whole = path.read_bytes()
    path.write_bytes(whole[:3000] + bytes(600) + whole[3600:])
    sensor = opened(video, file=str(path), speed=0)
    got = await all_of(sensor)
    assert 0 < len(got) <= 60


async def test_a_camera_that_stops_is_waited_for(tmp_path):
    path = write(tmp_path / "a.mp4", [(48, 64, 100)] * 3)
    check_manifest(camera.MANIFEST)
    sensor = opened(camera, source=str(path))
    await sensor.open()
    for _ in range(3):
        await sensor.read()
    with pytest.raises(NotConnected) as caught:
        await sensor.read()
    assert caught.value.hint
    await sensor.close()
    with pytest.raises(NotConnected):
        await opened(camera, source=str(tmp_path / "none")).open()
    await sensor.open()
    assert (await sensor.read()).seq == 3, "and numbers its frames onward"
    await sensor.close()


async def test_a_camera_that_floods_is_thinned_and_the_rest_is_counted(tmp_path):
    path = write(tmp_path / "a.mp4", [(48, 64, 100)] * 40, rate=40)
    sensor = opened(camera, source=str(path), fps=10.0)
    channel = Channel(2)
    reader = Reader(sensor, channel, sensor.context.clock, {})
    with pytest.raises(NotConnected):
        await asyncio.wait_for(reader.run(lambda: None), 20)
    assert 8 <= reader.counters["samples"] <= 12 and sensor.context.counters["thinned"] >= 28
    assert channel.dropped == reader.counters["samples"] - 2, "what nobody takes is dropped, and counted"


async def test_a_video_that_rests_passes_over_what_a_camera_would_have_given(tmp_path):
    path = write(tmp_path / "a.mp4", [(48, 64, 100)] * 40)
    sensor = opened(video, file=str(path))
    await sensor.open()
    first = [await sensor.read() for _ in range(3)]
    began = sensor.context.clock.now
    await sensor.rest(1000)
    after = await sensor.read()
    assert sensor.context.counters["thinned"] == 9 and after.t_ms - first[-1].t_ms == 1000 and after.seq == 3
    assert 1000 <= sensor.context.clock.now - began <= 1100, "no frame is caught up with"
    await sensor.close()
    short = opened(video, file=str(path), duration_s=.4, loop=True, speed=50.0)
    await short.open()
    await short.read()
    await short.rest(1000)  # over and over
    assert (await short.read()).seq == 1 and short.context.counters["thinned"] > 400
    await short.close()
    fast = opened(video, file=str(path), speed=0)
    await fast.open()
    await fast.rest(1000)
    assert (await fast.read()).seq == 0 and "thinned" not in fast.context.counters
    await fast.close()


@pytest.mark.parametrize("name, codec", [("a.mp4", "mpeg4"), ("a.avi", "mjpeg")])
async def test_a_camera_that_rests_gives_what_is_there_then(tmp_path, name, codec):
    path = write(tmp_path / name, [(48, 64, 100)] * 1500, codec=codec)
    sensor = opened(camera, source=str(path))
    await sensor.open()
    await sensor.read()
    await sensor.rest(3)
    assert sensor.context.counters["thinned"] > 0 and sensor.media.skipping is False
    after = await sensor.read()
    assert after.seq == 1 and after.values[0].shape == (72, 64)
    await sensor.close()


async def test_sound_comes_at_the_rate_that_was_asked_for(tmp_path):
    with av.open(str(tmp_path / "tone.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=48000, layout="mono")
        tone = (8000 * np.sin(2 * np.pi * 440 * np.arange(48000) / 48000)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(tone[None], "s16", "mono")
        frame.rate = 48000
        for packet in [*stream.encode(frame), *stream.encode()]:
            container.mux(packet)
    await check_sensor(lambda: opened(audio, file=str(tmp_path / "tone.wav")))
    blocks = await all_of(opened(audio, file=str(tmp_path / "tone.wav"), speed=0))
    sound = np.concatenate([block.values for block in blocks])
    assert abs(len(sound) - 16000) < 40 and abs(np.abs(np.fft.rfft(sound[:16000 - 40])).argmax() - 439) <= 2
