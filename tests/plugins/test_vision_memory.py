"""What was said of reports, and what the camera makes of it: the attention itself, and the plugin on frames and on the real video."""

import numpy as np
import pytest

from firmware_tools.bench import adapt_vision, adapt_vision_head, yard
from plugins.vision.memory import DENIED, TRAITS, UNIT, Memory
from plugins.vision.objects import Track
from tests.video import FRAME_MS, grey, make, push, real_frames

HERE = [10 * UNIT] * len(TRAITS)


def moved(widths, trait):
    """Traits that are so many kernel widths from HERE in one of them."""
    return [value + UNIT * widths * (i == trait) for i, value in enumerate(HERE)]


def memory(*told):
    """Memory of (traits, value) pairs."""
    return Memory([traits for traits, _ in told], [value for _, value in told])


def test_nothing_is_known_far_from_all_examples():
    told = memory((HERE, -1))
    assert told.credit(HERE) < DENIED and told.credit(moved(1, 2)) < DENIED
    assert all(abs(told.credit(moved(9, trait))) < .01 for trait in range(2, 5)), "another size, form or way is another thing, wherever"


def test_a_look_counts_less_at_the_same_place_and_a_place_less_for_the_same_look():
    told = memory((HERE, -1))
    assert told.credit(moved(4, 6)) < DENIED, "in another light, at the same place"
    assert told.credit(moved(9, 0)) < DENIED, "at another place, just like it"
    both = [max(a, b) for a, b in zip(moved(4, 6), moved(9, 0))]
    assert told.credit(both) > DENIED, "in another light at another place"


def test_saying_the_same_ten_times_does_not_widen_its_reach():
    once, often = memory((HERE, -1)), memory(*[(HERE, -1)] * 10)
    assert all(once.credit(moved(d, 2)) == pytest.approx(often.credit(moved(d, 2)), abs=.02) for d in (0, 1, 2, 3, 4))


def test_what_was_confirmed_is_reported_whatever_is_denied_around_it():
    told = memory(*[(moved(d, trait), -1) for trait in range(2, 11) for d in (-1.5, 1.5)], (HERE, 1), (moved(9, 2), -1))
    assert told.credit(HERE) > DENIED and 0 < told.overruled < 18 and told.credit(moved(9, 2)) < DENIED


def test_a_word_on_one_thing_is_kept_apart_from_the_opposite_one_on_another():
    told = memory((HERE, -1), (moved(8, 2), 1))
    assert told.credit(HERE) < DENIED and told.credit(moved(8, 2)) > .9


def path(steps):
    """A Track that went through these places (row, column)."""
    first, *rest = [(row, col, row + 4, col + 4) for row, col in steps]
    track = Track(1, first, 0)
    for i, box in enumerate(rest, 1):
        track.follow(box, i)
    track.denied.extend([True] * 12)
    return track


def test_what_travels_is_not_passed_over_and_what_sways_is():
    assert not path([(2 * i, 10) for i in range(15)]).passed_over()
    assert path([(10, 20 + 10 * (i % 2)) for i in range(40)]).passed_over()
    assert path([(2 * i, 10) for i in range(6)]).passed_over(), "not far enough to tell"


def cloth(number, side=0):
    """An empty road where a light square changes its pattern in place; nothing in the first frames."""
    planes = grey(432, 768)
    if number >= 5:
        stripes = ((np.arange(96)[:, None] // 16 + np.arange(96) // 16 + number) % 2) * 100 + 130
        planes[60:156, 400 + side:496 + side] = stripes
    return planes


def watched(frames, plugin, model, first=0):
    """Events of the plugin over frames."""
    return [s for number, planes in enumerate(frames, first) for s in push(plugin, model, number, planes) if s.kind == "event"]


def denied(events):
    """State that denies these events."""
    told = [event.data["traits"] for event in events]
    return {"examples": told, "values": [-1] * len(told)}


def test_a_denied_thing_wakes_no_tile_and_comes_back_with_a_reset():
    frames = [cloth(number) for number in range(60)]
    plugin, model, shipped = make(repeat_s=0, stopped_s=3)
    events = watched(frames, plugin, model)
    assert {event.data["event"] for event in events} == {"seen", "stopped"} and len({event.data["report"] for event in events}) == len(events)
    plugin, model, context = make(repeat_s=0, stopped_s=3)
    plugin.use("camera", denied(events))
    assert watched(frames, plugin, model) == []
    assert context.counters["looked"] < shipped.counters["looked"] / 2
    assert context.counters["passed_over_looks"] and context.counters["passed_over_stopped"] == 1
    digest = plugin.finish()[0]
    assert digest.data["passed_over"]["stopped"] == 1 and "passed over, since its like was denied" in digest.reason
    plugin.use("camera", None)
    assert {event.data["event"] for event in watched([cloth(n) for n in range(60, 120)], plugin, model, 60)} == {"seen", "stopped"}


def test_what_is_passed_over_is_asked_about_again_in_its_time():
    plugin, model, _ = make(repeat_s=0, stopped_s=0)
    state = denied(watched([cloth(number) for number in range(30)], plugin, model)[:1])
    plugin, model, context = make(repeat_s=0, stopped_s=0, recheck_s=2)
    plugin.use("camera", state)
    events = watched([cloth(number) for number in range(90)], plugin, model)
    assert len(events) == context.counters["rechecked"] == 3 and all("its like was denied" in event.reason for event in events)
    assert all(event.t_ms >= 2000 + 5 * FRAME_MS for event in events)


def test_looking_everywhere_still_reports_nothing_of_what_was_denied():
    frames = [cloth(number) for number in range(30)]
    plugin, model, _ = make(repeat_s=0)
    state = denied(watched(frames, plugin, model))
    plugin, model, context = make(repeat_s=0, threshold=0)
    plugin.use("camera", state)
    assert watched(frames, plugin, model) == [] and context.counters["passed_over_seen"]


@pytest.fixture(scope="module")
def recorded():
    """The real video and its truth."""
    from models.package import folder_of
    planes = real_frames()
    model = adapt_vision.opened(folder_of("vision"))
    return model, planes, yard.Truth(model, planes)


@pytest.mark.parametrize("kind", ["flag in the lane", "rain"])
def test_denials_halve_the_false_alarms_on_the_real_video_and_lose_nothing_true(recorded, kind):
    table = adapt_vision.scored(*recorded, kind, {"10 denied": (10, False)}, (21,))
    before, after = table["as shipped"], table["10 denied"]
    assert before["false"] >= 4 and after["false"] <= before["false"] / 2
    assert after["lost"] == 0 and after["true"] >= before["true"] and after["looks"] < before["looks"]


def test_denying_every_car_silences_no_crossing(recorded):
    harm = adapt_vision.poisoned(*recorded)
    assert harm["cars"] == 3 and harm["crossings lost"] == 0 and harm["cars reported"] == 3


def test_the_head_can_be_taught_the_same_denials_for_comparison(recorded):
    model, planes, truth = recorded
    row = adapt_vision_head.scored(model, planes, truth, "rain", (21,))
    assert row["denied"] == adapt_vision.DENIALS and row["looks"] < row["looks of all"] and row["true"]
