"""The recipe's numpy half: what counts, what is split where, what the ridge learns."""

import numpy as np
import pytest

from gateway.core.errors import HeedError
from models.traffic.recipe import ground
from models.traffic.recipe.data import Series, filled, lags, targets
from models.traffic.recipe.sample import BATCH, Sampler
from plugins.traffic.lags import AHEAD, LAGS, RECENT, offsets, span
from plugins.traffic.track import Track

HOURS = 24


def series_of(weeks=6, sensors=3, seed=1):
    """Hourly traffic with a shape of the day, another on Sundays, and noise."""
    rng, t = np.random.default_rng(seed), np.arange(weeks * 7 * HOURS)
    shape = 200 + 150 * np.sin(t * 2 * np.pi / HOURS) - 80 * (t // HOURS % 7 == 6)
    values = shape[:, None] * (1 + np.arange(sensors)) + rng.normal(0, 10, (len(t), sensors))
    return Series(np.round(values), ["%d" % i for i in range(sensors)], 60, 0)


def test_lags_and_targets_are_the_slots_around_now():
    series = series_of()
    now = series.windows()[:5]
    x, y = lags(series.values, now, HOURS), targets(series.values, now)
    assert x.shape == (5, 3, LAGS) and y.shape == (5, 3, AHEAD)
    assert (x[2, 1] == series.values[now[2] + np.array(offsets(HOURS)), 1]).all() and x[2, 1, RECENT - 1] == series.values[now[2], 1]
    assert (y[2, 1] == series.values[now[2] + 1:now[2] + 1 + AHEAD, 1]).all() and now[0] == span(HOURS) - 1


def test_the_parts_follow_one_another_and_do_not_overlap():
    train, validation, test = series_of().parts()
    assert train[-1] + 1 == validation[0] and validation[-1] + 1 == test[0]
    assert len(test) == len(validation) or abs(len(test) - len(validation)) == 1
    with pytest.raises(HeedError) as caught:
        series_of(weeks=1).parts()
    assert "a week and a day" in caught.value.hint


def test_a_copied_week_is_seen_and_a_like_one_is_not():
    series = series_of()
    week = 7 * HOURS
    series.values[4 * week:4 * week + 30, 1] = series.values[3 * week:3 * week + 30, 1]
    copied = series.copied()
    assert copied[4 * week + 4:4 * week + 26, 1].all() and not copied[:, 0].any() and not copied[:4 * week - 8, 1].any()


def test_the_recipe_fills_holes_as_the_plugin_does():
    series = series_of()
    rng = np.random.default_rng(2)
    series.values[rng.random(series.values.shape) < .1] = np.nan
    values, last = filled(series), 5 * 7 * HOURS
    track = Track(HOURS, 0)
    for slot in range(last + 1):
        value = series.values[slot, 2]
        track.file(slot, None if np.isnan(value) else int(value))
    assert track.lags() == [int(values[last + offset, 2]) for offset in offsets(HOURS)]


def test_the_ridge_beats_what_it_is_made_from():
    series = series_of()
    train, _, test = series.parts()
    mean, deviation = ground.scale_of(series.values, train[-1] + 1)
    z = (series.values - mean) / deviation
    ours = ground.applied(ground.ridge(z, train, HOURS), z, test, HOURS)
    off = np.abs(ours - targets(z, test)).mean()
    assert off < np.abs(targets(z, test - 7 * HOURS) - targets(z, test)).mean()
    pooled = ground.pooled(series.values, train, HOURS, np.ones((len(train), 3), bool))
    assert pooled.shape == (LAGS + 1, AHEAD)


def test_training_windows_are_made_harder_but_not_changed_in_truth():
    series = series_of(sensors=20)
    train = series.parts()[0]
    sampler = Sampler(series.values, series.values.std(0), np.ones(series.values.shape, bool), train, series, 1, 13)
    x, y, counts, quarter, weekday, chosen = sampler.batch()
    assert x.shape == (BATCH, 13, LAGS) and y.shape == counts.shape == (BATCH, 13, AHEAD) and len(set(chosen)) == 13
    assert quarter.max() < 96 and weekday.max() < 7 and x.dtype == np.float32
    again = Sampler(series.values, series.values.std(0), np.ones(series.values.shape, bool), train, series, 1, 13).batch()
    assert (again[0] == x).all(), "the same seed draws the same"
    seen = {tuple(row) for row in targets(series.values, train).reshape(-1, AHEAD)}
    assert all(tuple(row) in seen for row in y.reshape(-1, AHEAD))
