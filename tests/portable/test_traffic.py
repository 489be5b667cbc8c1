"""Traffic on every interpreter: what is kept of a sensor, how its faults are told, what a forecast becomes."""

from gateway.core.records import Block, Features, Forecast, Signal, Summary
from gateway.testing import FakeContext, check_manifest, check_model, check_plugin, run_flow
from plugins.traffic.band import Band
from plugins.traffic.baseline import Rules, rule
from plugins.traffic.incident import Watch
from plugins.traffic.lags import AHEAD, LAGS, RECENT, offsets, span
from plugins.traffic.looked import looked
from plugins.traffic.plugin import MANIFEST, TrafficPlugin
from plugins.traffic.track import Track

HOUR = 3600000
DAY = 24
START = 17000 * DAY  # a slot of an hour that begins a day; a Thursday and some
SHAPE = (20, 15, 12, 10, 15, 40, 90, 180, 240, 220, 200, 190, 190, 195, 200, 220, 260, 280, 230, 170, 120, 90, 60, 35)


def value_at(slot):
    """Traffic of a road that is busy by day; it differs from week to week."""
    return SHAPE[slot % DAY] + slot * 7 % 13 + slot // (7 * DAY) * 5 % 9


def signal(name="road/1"):
    return Signal(name, name, "veh", 1000 / HOUR, 1, 0)


def plugin_of(**given):
    options = {name: spec.get("default") for name, spec in MANIFEST["options"].items()}
    options.update(step_s=3600, dead_min=180, stuck_min=360, digest_min=1440)
    options.update(given)
    return TrafficPlugin(options, FakeContext("traffic"))


def block(slot, value, name="road/1"):
    return Block(signal(name), slot - START, slot * HOUR, [value])


def played(plugin, slots, value=value_at, names=("road/1",)):
    """Summaries of slots played one by one, forecast by the rule; value(slot) None: nothing comes."""
    rules, out = Rules({}, None), []
    for slot in slots:
        for name in names:
            if value(slot) is None:
                continue
            for item in plugin.push(block(slot, value(slot), name)):
                if isinstance(item, Summary):
                    out.append(item)
                    continue
                answer = rules.infer(item)
                out += plugin.summarise(item, answer, plugin.decide(item, answer))
    return out


def reasons(summaries, event):
    return [s.reason for s in summaries if s.data.get("event") == event]


def test_lags_are_the_slots_that_they_name():
    track, last = Track(DAY, START), START + 9 * DAY
    for slot in range(START, last + 1):
        track.file(slot, value_at(slot))
    assert track.lags() == [value_at(last + offset) for offset in offsets(DAY)]
    assert len(track.lags()) == LAGS and min(offsets(DAY)) == 1 - span(DAY)


def test_a_young_track_makes_do_with_what_it_has():
    track = Track(DAY, START)
    track.file(START, 50)
    assert track.lags() == [50] * LAGS
    for slot in range(START + 1, START + 2 * DAY):
        track.file(slot, value_at(slot))
    day = track.lags()[RECENT:RECENT + RECENT + AHEAD]
    assert track.lags()[-len(day):] == day and day[RECENT - 1] == value_at(START + 2 * DAY - 1 - DAY)


def test_holes_are_filled_from_the_week_before():
    track = Track(DAY, START)
    for slot in range(START, START + 8 * DAY):
        track.file(slot, value_at(slot))
    filled = track.file(START + 8 * DAY + 3, 1)
    assert filled == 3
    assert list(track.window.latest(4)) == [value_at(START + DAY + i) for i in range(3)] + [1]
    assert track.file(START + 100 * DAY, 1) <= track.window.size + 1, "a hole of months costs no more than a week"


def test_a_reading_belongs_to_one_slot_and_slots_move_forward():
    plugin = plugin_of()
    played(plugin, [START, START + 1])
    for late in (START + 1, START, START - 5):
        assert plugin.push(block(late, 99)) == []
    assert plugin.context.counters["readings_extra"] == 3
    assert plugin.stations["road/1"].track.value == value_at(START + 1)


def test_a_week_from_the_past_is_taken_in_at_once():
    history, end = plugin_of(), START + 8 * DAY
    out = history.push(Block(signal(), 0, START * HOUR, [value_at(slot) for slot in range(START, end)]))
    assert len(out) == 1 and out[0].seq == end - 1, "only the newest slot is forecast"
    slow = plugin_of()
    played(slow, range(START, end))
    assert slow.stations["road/1"].track.lags() == history.stations["road/1"].track.lags()


def test_a_sensor_that_dies_and_one_that_comes_back():
    plugin, gone = plugin_of(), range(START + 9 * DAY + 8, START + 9 * DAY + 16)
    played(plugin, range(START, START + 8 * DAY), names=("road/1", "road/2"))
    out = []
    for slot in range(START + 8 * DAY, START + 10 * DAY):
        out += played(plugin, [slot], names=("road/1",) if slot in gone else ("road/1", "road/2"))
    assert reasons(out, "sensor_dead") == ["no reading for 180 min"]
    assert len(reasons(out, "sensor_good")) == 1 and "without a reading" in reasons(out, "sensor_good")[0]
    assert all([s.stream == "road/2" for s in out if s.data.get("event") == "sensor_dead"])
    # nobody waits for a sensor that has been silent: its first reading comes when the slot is closed already
    assert plugin.context.counters["slots_filled"] == len(gone) + 1 and plugin.context.counters["readings_extra"] == 1


def test_zeros_are_no_readings_unless_they_are_said_to_be():
    dark = lambda slot: 0 if slot >= START + 9 * DAY else value_at(slot)
    plugin = plugin_of()
    assert reasons(played(plugin, range(START, START + 10 * DAY), dark), "sensor_dead")
    assert plugin.context.counters["zeros"] == DAY
    assert not reasons(played(plugin_of(zeros=True), range(START, START + 10 * DAY), dark), "sensor_dead")


def test_a_stuck_sensor_and_one_that_is_filled_in():
    stuck = lambda slot: 150 if slot >= START + 9 * DAY + 8 else value_at(slot)
    out = played(plugin_of(), range(START, START + 10 * DAY), stuck)
    assert reasons(out, "sensor_stuck") == ["has read 150 veh for 420 min: stuck"]
    copy = lambda slot: value_at(slot - 7 * DAY) if slot >= START + 9 * DAY else value_at(slot)
    plugin = plugin_of()
    out = played(plugin, range(START, START + 10 * DAY), copy)
    assert len(reasons(out, "sensor_imputed")) == 1
    station = plugin.stations["road/1"]
    assert station.values == [copy(START + 10 * DAY + h - 7 * DAY) for h in range(AHEAD)], "a copied week is continued"


def test_an_incident_begins_and_ends():
    crash = range(START + 12 * DAY + 8, START + 12 * DAY + 14)
    jam = lambda slot: value_at(slot) // 5 if slot in crash else value_at(slot)
    out = played(plugin_of(learn_h=120, incident=250), range(START, START + 14 * DAY), jam)
    alarms = [s for s in out if s.cls == "alarm"]
    assert len(alarms) == 1 and "an incident?" in alarms[0].reason and alarms[0].t_ms // HOUR - 1 in crash
    assert reasons(out, "incident_ends") == ["back to what was expected"]


def test_the_threshold_and_the_calm_make_the_incident():
    watch = Watch(200, 3, 2)
    assert [watch.turn(score) for score in (900, 900, 250, -300, 0, 0, 0, 0)] == ["", "", "begins", "", "", "", "ends", ""]


def test_congestion_is_told_once_before_it_comes():
    busy = lambda slot: 300 + value_at(slot) if slot >= START + 9 * DAY + 6 and slot < START + 9 * DAY + 20 else value_at(slot)
    out = played(plugin_of(limit=400.0), range(START, START + 10 * DAY + 12), busy)
    told = [s for s in out if s.data.get("event") == "congestion_ahead"]
    assert len(told) == 1 and "its limit is 400;" in told[0].reason and "by rule from last week" in told[0].reason
    assert len(reasons(out, "congestion_ends")) == 1


def test_slow_speeds_are_the_bad_side_of_a_speed():
    slow = lambda slot: 20 if START + 9 * DAY + 6 <= slot < START + 9 * DAY + 9 else 60 + slot % 3
    out = played(plugin_of(bad="low", congested=60), range(START, START + 10 * DAY), slow)
    assert len(reasons(out, "congestion_ahead")) == 1


def test_the_band_learns_how_far_off_forecasts_are():
    band, noise = Band(80), 1
    for _ in range(3000):
        noise = noise * 1103515245 + 12345 & 0x7FFFFFFF
        band.judge(400 + noise // 65536 % 101 - 50)
        band.expect([400] * AHEAD)
    band.clear()
    for _ in range(1000):
        noise = noise * 1103515245 + 12345 & 0x7FFFFFFF
        band.judge(400 + noise // 65536 % 101 - 50)
        band.expect([400] * AHEAD)
    assert 75 <= 100 * band.inside // band.judged <= 85, 100 * band.inside // band.judged
    assert 30 <= band.half(0, 400) <= 50


def test_a_whole_network_falls_silent():
    plugin = plugin_of()
    played(plugin, range(START, START + 8 * DAY))
    out = played(plugin, range(START + 8 * DAY + 5, START + 8 * DAY + 12))
    assert plugin.context.counters["slots_missed"] == 5 and plugin.context.counters["slots_filled"] == 5
    assert not reasons(out, "incident_begins")


def test_one_wrong_clock_does_not_stop_the_others():
    plugin = plugin_of()
    played(plugin, range(START, START + 2 * DAY), names=("road/1", "road/2"))
    assert plugin.push(block(START + 4000 * DAY, 50, "road/2")) == []
    played(plugin, range(START + 2 * DAY, START + 2 * DAY + 5), names=("road/1", "road/2"))
    assert plugin.context.counters["jumps_doubted"] == 1 and plugin.closed == START + 2 * DAY + 4
    played(plugin, range(START + 300 * DAY, START + 300 * DAY + 5))
    assert plugin.context.counters["jumps_doubted"] == 2 and plugin.closed == START + 300 * DAY + 4, "a long silence is believed"


def test_negative_counts_are_no_readings():
    plugin = plugin_of()
    played(plugin, range(START, START + 30), lambda slot: -5 if slot == START + 26 else value_at(slot))
    assert plugin.context.counters["readings_negative"] == 1
    assert list(plugin.stations["road/1"].track.window.latest(4))[0] == value_at(START + 2), "the day before stands in for it"


def test_a_forecast_that_does_not_know_a_sensor_leaves_it_to_the_rule():
    plugin = plugin_of()
    features = plugin.push(Block(signal(), 0, START * HOUR, [value_at(slot) for slot in range(START, START + 8 * DAY)]))[0]
    plugin.decide(features, Forecast("traffic", features.seq, features.t_ms, [None], None, "x"))
    station = plugin.stations["road/1"]
    assert station.values == rule(station.track.lags()) and min(station.values) >= 0


def test_what_was_attended_to_is_told_in_words():
    maps = {"lags": [[[.6, .1, .3], [.4, .1, .5]]] * 3, "neighbours": [[.5, .2, .3]] * 3}
    text = looked(maps, 0, ["a", "b", "c"])
    assert text == "looked at the last hour 50 %, yesterday 10 %, last week 40 % and at c 30 %, b 20 %"


def test_contracts():
    check_manifest(MANIFEST)
    blocks = [block(slot, value_at(slot), name) for slot in range(START, START + 30) for name in ("a", "b")]
    check_plugin(plugin_of, blocks, Rules({}, None).infer)
    check_model(lambda: Rules({}, None), Features("s", 0, 0, [[[5] * LAGS] * 2, [0, 0]], {"streams": ["a", "b"]}))


async def test_the_flow_reads_well():
    blocks = [block(slot, value_at(slot), name) for slot in range(START, START + 3 * DAY) for name in ("a", "b")]
    summaries = await run_flow(blocks, plugin_of(digest_min=720), Rules({}, None))
    digests = [s for s in summaries if s["kind"] == "hour"]
    assert len(digests) >= 5 and digests[-1]["reason"].startswith("2 sensors; forecasts off by ")
    ahead = [s for s in summaries if s["kind"] == "forecast"]
    assert {s["stream"] for s in ahead} == {"a", "b"} and " now, " in ahead[0]["reason"] and len(ahead[0]["data"]["ahead"]) == 3


def test_nothing_leaves_that_is_not_stated():
    plugin = plugin_of(limit=200.0, learn_h=24, incident=100)
    dark = lambda slot: None if slot % 200 > 190 else value_at(slot) * (1 + slot % 50 // 45)
    for summary in played(plugin, range(START, START + 12 * DAY), dark) + plugin.finish():
        assert set(summary.data) <= set(MANIFEST["leaves"][summary.kind]), summary


def test_what_was_learnt_online_is_said():
    maps = {"lags": [[[.5, .25, .25]], [[.5, .25, .25]]], "experts": [[.4, .6], [1.0, 0.0]], "moved": [-120, 30]}
    assert looked(maps, 0, ["a", "b"]).endswith("last week 25 %; 60 % of it from what was learnt online, its day 120 min late")
    assert looked(maps, 1, ["a", "b"]).endswith("last week 25 %")


def test_the_model_is_told_what_was_measured():
    plugin = plugin_of()
    plugin.push(block(START, 50))
    plugin.push(block(START, 60, "road/2"))
    made = plugin.push(block(START + 1, 0)) + plugin.push(block(START + 1, 70, "road/2"))
    assert [dict(zip(item.facts["streams"], item.facts["measured"])) for item in made] == [{"road/1": 0, "road/2": 1}]
