"""The vision plugin on a real recording, against counts made by eye; and on frames that are not as they should be."""

import numpy as np
import pytest

from gateway.core.errors import ConfigError
from gateway.core.records import Sample
from gateway.testing import FakeContext, check_manifest, check_plugin
from plugins.vision.objects import blobs
from plugins.vision.plugin import MANIFEST, VisionPlugin
from plugins.vision.retina import close, coarse
from plugins.vision.saliency import Gate, Tiles
from tests.video import CARS, CROSSINGS, FRAME_MS, grey, make, options, push, real_frames


def test_cars_are_counted_as_an_eye_counts_them():
    plugin, model, context = make()
    crossed, held = [], {}
    for number, planes in enumerate(real_frames()):
        crossed += [(number, s.data["way"]) for s in push(plugin, model, number, planes) if s.data.get("event") == "crossed"]
        held[number] = len([t for t in plugin.scenes["camera"].tracker.tracks if t.seen_ms == number * FRAME_MS])
    assert {number: held[number] for number in CARS} == CARS
    assert [way for _, way in crossed] == [way for _, way in CROSSINGS]
    assert all(first <= number <= last for (number, _), ((first, last), _) in zip(crossed, CROSSINGS))
    assert 0 < context.counters["looked"] < .15 * context.counters["tiles"]
    words = plugin.finish()[0].reason
    assert "up 2 " in words and "down " in words and "377 frames" in words


def stood(frames, at, noise, places):
    """Frames `noise` of an empty road with the places (rows, columns) of frame `at` put in, as light as the road is there."""
    h, w = frames[0].shape[0] * 2 // 3, frames[0].shape[1]
    for planes in noise:
        planes = planes.copy()
        lighter = int(np.median(planes[:h])) - int(np.median(frames[at][:h, 520:]))  # right of the cars
        for rows, cols in places:
            planes[:h][rows, cols] = np.clip(frames[at][:h][rows, cols].astype(int) + lighter, 0, 255)
            halves = slice(rows.start // 2, rows.stop // 2), slice(cols.start // 2, cols.stop // 2)
            for theirs, ours in zip(frames[at][h:].reshape(2, h // 2, w // 2), planes[h:].reshape(2, h // 2, w // 2)):
                ours[halves] = theirs[halves]
        yield planes


def test_a_car_that_stops_is_not_forgotten():
    """The blue and the red car of frame 204 stand in the noise of an empty road for 100 s, then all goes on as it was."""
    frames = real_frames()
    road = frames[242:308]
    places = [(slice(20, 360), slice(80, 272)), (slice(160, 432), slice(296, 500))]  # around both cars, in pixels
    plugin, model, context = make(repeat_s=0)
    summaries, found = [], []
    standing = list(stood(frames, 204, [road[i % len(road)] for i in range(1250)], places))
    for number, planes in enumerate(frames[:205] + standing + frames[205:]):
        summaries += push(plugin, model, number, planes)
        if 210 < number < 1450:
            found.append(len(plugin.scenes["camera"].tracker.tracks))
    assert set(found) == {2}, "both cars are there for as long as they stand"
    assert len([s for s in summaries if s.data.get("event") == "stopped"]) == 2
    assert [s.data["way"] for s in summaries if s.data.get("event") == "crossed"] == [way for _, way in CROSSINGS]
    assert context.counters["looked"] < .1 * context.counters["tiles"], "and the model hardly looks at them"


def test_the_hole_that_a_parked_car_leaves_is_no_object_for_long():
    plugin, model, context = make()
    for number, planes in enumerate(real_frames()[84:312]):  # the white car stands in the first frame
        push(plugin, model, number, planes)
    assert plugin.scenes["camera"].tracker.tracks == [] and context.counters["holes_filled"]


def test_the_gate_looks_where_something_moves_and_not_at_light():
    tiles, busy = Tiles(3, 6), np.ones((54, 96), bool)
    gate, road = Gate(tiles, 20, 0, 30), grey(432, 768)
    assert len(gate.choose(coarse(road), busy)[0]) == 18, "all at first"
    brighter = road.copy()
    brighter[:432] += 30
    assert [len(found) for found in gate.choose(coarse(brighter), busy)] == [0, 0], "the light went up"
    brighter[200:240, 300:340] = 250
    assert gate.choose(coarse(brighter), busy)[0].tolist() == [8], "row 1, column 2"
    looked, emptied = gate.choose(coarse(road), ~busy)
    assert len(looked) == 0 and len(emptied) == 18, "what was there has gone: it takes no look to know"
    assert len(Gate(tiles, 0, 0, 30).choose(coarse(road), ~busy)[0]) == 18
    turns = Gate(tiles, 20, 6, 30)
    assert sorted(np.concatenate([turns.choose(coarse(road), busy)[0] for _ in range(7)][1:]).tolist()) == list(range(18))


def test_parts_that_touch_are_one_and_corners_touch():
    mask = np.zeros((54, 96), bool)
    mask[2:10, 3:9] = mask[10:14, 9:15] = True  # by a corner
    mask[30:40, 20:22] = mask[30:40, 30:32] = mask[40, 20:32] = True  # a U
    mask[50, 50] = True
    assert sorted(blobs(mask, 5)) == [(2, 3, 14, 15), (30, 20, 41, 32)]
    assert blobs(np.zeros((54, 96), bool), 1) == []


def test_colours_are_those_of_the_frame():
    planes = grey(96, 128, 100)
    planes[:96] = 81
    planes[96:].reshape(2, 48, 64)[:] = np.array([90, 240])[:, None, None]  # BT.601 of pure red
    assert np.abs(close(planes, (.2, .2, .8, .8), 8, 8) - [255, 0, 0]).max() <= 3


def test_the_contract():
    check_manifest(MANIFEST)
    plugin, model, _ = make()
    blocks = [Sample("camera", i, i * FRAME_MS, (grey(48, 96, 60 + 5 * i),)) for i in range(12)]
    check_plugin(lambda: VisionPlugin(options(), FakeContext()), blocks, model.infer)


@pytest.mark.parametrize("planes", [np.zeros((10, 8), np.uint8), np.zeros((12, 7), np.uint8), np.zeros((12, 8)), np.zeros(12, np.uint8),
                                    None])
def test_what_is_no_frame_is_counted(planes):
    plugin, model, context = make()
    push(plugin, model, 0, grey(48, 96))
    assert push(plugin, model, 1, planes) == [] and context.counters["bad_frames"] == 1
    assert plugin.finish()[0].data["bad_frames"] == 1


@pytest.mark.parametrize("wrong, words", [({"watch": ["lorry"]}, "no class is called lorry"), ({"input": [32]}, "rows, columns"),
                                          ({"classes": ["automobile", "other"], "watch": ["automobile"]}, "10 classes apart, `classes` names 2")])
def test_wrong_settings_are_said(wrong, words):
    _, model, _ = make()
    with pytest.raises(ConfigError, match=words):
        plugin, _, _ = make(**wrong)
        push(plugin, model, 0, grey(48, 96))


def test_black_frames_and_a_picture_that_stands_still_are_said_once_and_when_they_are_over():
    plugin, model, context = make(still_s=2)
    black = np.full((72, 96), 128, np.uint8)
    black[:48] = 16
    stood = grey(48, 96)
    said = []
    for number in range(200):
        planes = black if 20 <= number < 80 else stood if 100 <= number < 160 else grey(48, 96, 100 + number % 7)
        said += [s.data["event"] for s in push(plugin, model, number, planes) if s.data.get("event", "seen") not in ("seen", "crossed")]
    assert said == ["dark", "dark_over", "still", "still_over"] and context.counters["dark_frames"] == 60


def test_frames_that_change_size_and_a_camera_that_was_away_begin_anew():
    plugin, model, context = make()
    for number in range(30):
        push(plugin, model, number, grey(48 if number < 10 else 72, 96))
    push(plugin, model, 30, grey(72, 96), t_ms=60000)
    push(plugin, model, 31, grey(72, 96), t_ms=1000)  # the clock went back
    assert context.counters["size_changes"] == 1 and context.counters["frame_gaps"] == 2
    assert plugin.scenes["camera"].tracker.made == 0, "a new size is no object"
