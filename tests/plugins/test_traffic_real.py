"""Real roads through plugin and packaged nets: each beats the rule and the ridge that it has to beat."""

import numpy as np
import pytest

from firmware_tools import incidents, rivals_traffic
from firmware_tools.evaluate import ready
from firmware_tools.recordings import pems08, series_of
from firmware_tools.verify_traffic import coverage, errors, played
from plugins.traffic.lags import AHEAD, offsets
from sensors.series_file import read

WINDOWS = 288


@pytest.fixture(scope="module")
def day():
    """PEMS08 and the first day of its test part."""
    series = pems08()
    return series, series.parts()[2][:WINDOWS]


@pytest.fixture(scope="module")
def network(day):
    return played(ready("traffic", "float"), *day)


def test_the_network_beats_the_ridge_and_the_single_net_the_rule(traffic, day, network):
    rivals = rivals_traffic.measure(*day)
    ours = errors(network["values"], *day)
    single = errors(played(ready("traffic_single", "float"), *day)["values"], *day)
    by_rule = errors(played(ready("traffic", "baseline"), *day)["values"], *day)
    assert ours["mae_real"] < rivals["ridge60"]["mae_real"] and ours["mae_real"] < rivals["ridge60_online"]["mae_real"]
    assert ours["mae_all"] < rivals["ridge60_copies"]["mae_all"]
    assert single["mae_real"] < by_rule["mae_real"] < rivals["last_value"]["mae_real"]


def test_the_band_holds_what_it_says(traffic, day, network):
    assert .7 < coverage(network, *day)["band_holds"] < .9


def test_a_copied_week_is_known_and_told(traffic, day, network):
    series, now = day
    told = {s.stream for s in network["summaries"] if s.data.get("event") == "sensor_imputed"}
    copied = {name for n, name in enumerate(series.names) if series.copied()[now, n].mean() > .9}
    assert copied <= told and errors(network["values"], *day)["mae_copied"] < 2
    assert all(s.reason for s in network["summaries"])


def test_the_plugin_sees_what_the_recipe_sees(traffic, day):
    """The lags that the gateway keeps slot by slot are those that the net was trained on."""
    from models.traffic.recipe.data import filled
    series, now = day
    values, plugin = filled(series), played(ready("traffic", "baseline"), series, now[:3])["plugin"]
    for n in (0, 33, 77, 169):
        lags = plugin.stations[series.names[n]].track.lags()
        assert lags == [int(values[now[2] + offset, n]) for offset in offsets(series.per_day)]


def test_incidents_are_found_by_a_threshold_from_elsewhere(traffic):
    ours, plain = incidents.measure(ready("traffic", "baseline"))
    assert ours["incident_windows"] == 14 and ours["incident_windows_found"] >= 13 and ours["incident_false_per_day"] <= .15
    assert plain["incident_windows_found"] < ours["incident_windows_found"]


def test_a_speed_file_with_holes_goes_through_whole(traffic):
    series = series_of(read(traffic / "nab-realtraffic" / "speed_t4013.csv", step_s=300))
    now = np.arange(len(series.values) - AHEAD - 500, len(series.values) - AHEAD)
    found = played(ready("traffic_single", "float"), series, now)
    came = ~np.isnan(series.values[now, 0])
    assert 0 < came.mean() < 1 and (np.isfinite(found["values"][:, 0, 0]) == came).all(), "a forecast in each slot that anything came in"
    assert found["plugin"].context.counters["slots_filled"] > 0
