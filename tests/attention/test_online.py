"""Forecasts that learn from what comes: they recover from a change, harm nobody in calm, and outlive a power cut."""

import json
import sqlite3
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

from firmware_tools.cli import main
from gateway.attention.experts import SHIPPED
from gateway.attention.keeper import DAY_MS, Keeper
from gateway.attention.kept import back, versions
from gateway.attention.online import MAX_SENSORS, OnlineForecasts
from gateway.attention.service import Attention
from gateway.attention.settings import ATTENTION
from gateway.attention.store import FILE, AttentionStore
from gateway.core.compat import Clock
from gateway.core.errors import ConfigError
from gateway.core.records import Features, Forecast
from gateway.testing import FakeContext

DAY, RECENT, AHEAD, LAGS = 24, 12, 12, 60
WEEK, AROUND = 7 * DAY, np.arange(1 - RECENT, AHEAD + 1)
NAMES = ["a", "b", "c", "d"]


class Form:
    """As models.forecast.Forecasts of a net that knows any sensor, in slots of an hour."""

    names, shape, ahead, step_min = None, (1, 1, LAGS), AHEAD, 60


class LastWeek:
    """A model that says that the next hours will be those of a week before."""

    forecasts, options = Form, {}

    def __init__(self):
        self.context, self.asked = FakeContext(), []

    def infer(self, features):
        self.asked.append(features)
        values = [None if row is None else [int(v) for v in row[-AHEAD:]] for row in features.values[0]]
        return Forecast(features.stream, features.seq, features.t_ms, values, None, "week")


class Road:
    """Sensors with a busy day; each week differs by noise. From slot `since` on `change(values, slots)` is what is read."""

    def __init__(self, slots, change=None, since=None, n=len(NAMES), seed=3):
        rng = np.random.default_rng(seed)
        shape = 150 + 120 * np.sin(2 * np.pi * (np.arange(DAY) - 8) / DAY) + 60 * np.sin(4 * np.pi * np.arange(DAY) / DAY)
        self.values = np.round(shape[np.arange(slots) % DAY][:, None] * (1 + np.arange(n) / n) + rng.normal(0, 8, (slots, n)))
        self.values = np.maximum(self.values, 1)
        if change:
            self.values[since:] = change(self.values, np.arange(since, slots))

    def features(self, slot, names=NAMES, measured=None):
        at = np.concatenate([slot + np.arange(1 - RECENT, 1), slot - DAY + AROUND, slot - WEEK + AROUND])
        rows = self.values[at].T.astype(int).tolist()
        facts = {"streams": list(names), "step_min": 60, "measured": measured or [1] * len(names)}
        return Features("roads", slot, slot * 3600000, [rows, [slot % DAY * 4, slot // DAY % 7]], facts)

    def errors(self, forecasts):
        """(mean error of {slot: values}) against what came."""
        return float(np.mean([np.abs(np.array(values).T - self.values[slot + 1:slot + 1 + AHEAD]).mean() for slot, values in forecasts.items()]))


def played(road, online, first, last, **how):
    """{slot: what was given out}, {slot: what was shipped}."""
    given, shipped = {}, {}
    for slot in range(first, last):
        features = road.features(slot, **how)
        given[slot] = online.infer(features).values
        shipped[slot] = LastWeek().infer(features).values
    return given, shipped


START, CHANGED, END = 2 * WEEK, 5 * WEEK, 6 * WEEK - 20


def test_it_recovers_from_a_change_of_level():
    road = Road(END + AHEAD + 1, lambda values, slots: np.round(values[slots] * .6), CHANGED)
    online = OnlineForecasts(LastWeek())
    played(road, online, START, CHANGED)
    given, shipped = played(road, online, CHANGED + 12, CHANGED + 4 * DAY)
    assert road.errors(given) < .5 * road.errors(shipped)
    assert online.experts.trusted().all()


def test_it_finds_out_that_the_day_comes_later():
    road = Road(END + AHEAD + 1, lambda values, slots: values[slots - 2], CHANGED)
    model = LastWeek()
    online = OnlineForecasts(model)
    played(road, online, START, CHANGED)
    given, shipped = played(road, online, CHANGED + 2 * DAY, CHANGED + 5 * DAY)
    assert road.errors(given) < .6 * road.errors(shipped)
    answer = online.infer(road.features(CHANGED + 5 * DAY))
    assert (answer.maps["moved"] == -120).all() and np.allclose(answer.maps["experts"].sum(1), 1)
    quarter, weekday = model.asked[-1].values[1]
    slot = CHANGED + 5 * DAY - 2
    assert (quarter, weekday) == (slot % DAY * 4, slot // DAY % 7), "the model is asked at the hour that it is there"


def test_calm_time_is_not_worse():
    road, online = Road(END + AHEAD + 1), OnlineForecasts(LastWeek())
    given, shipped = played(road, online, START, END)
    assert road.errors(given) <= 1.005 * road.errors(shipped)


def test_truth_counts_only_once_it_is_there_and_only_where_it_was_measured():
    road, online = Road(END + AHEAD + 1), OnlineForecasts(LastWeek())
    played(road, online, START, START + 1)
    assert online.context.counters["online_verified"] == 0, "nothing was forecast of the first slot"
    played(road, online, START + 1, START + 2)
    assert online.context.counters["online_verified"] == len(NAMES)
    before = online.experts.losses.copy()
    played(road, online, START + 2, START + 3, measured=[1, 0, 1, 1])
    assert (online.experts.losses[1] == before[1]).all() and (online.experts.losses[0] != before[0]).any()
    assert online.context.counters["online_unmeasured"] == 1


def test_nothing_of_the_future_is_used():
    a, b = Road(END + AHEAD + 1), Road(END + AHEAD + 1)
    b.values[START + WEEK + 1:] = 7
    one, two = OnlineForecasts(LastWeek()), OnlineForecasts(LastWeek())
    assert played(a, one, START, START + WEEK + 1)[0] == played(b, two, START, START + WEEK + 1)[0]


def test_an_expert_that_is_wrong_is_not_listened_to():
    road, online = Road(END + AHEAD + 1), OnlineForecasts(LastWeek())
    played(road, online, START, START + WEEK)
    online.experts.proof[:] = -.01
    given, shipped = played(road, online, START + WEEK, START + WEEK + 1)
    assert online.experts.trusted().all() or given == shipped
    answer = online.infer(road.features(START + WEEK + 1))
    untrusted = ~online.experts.trusted()
    assert (answer.maps["experts"][untrusted, SHIPPED] == 1).all()


def test_gaps_and_time_that_is_turned_back_are_counted():
    road, online = Road(END + AHEAD + 1), OnlineForecasts(LastWeek())
    played(road, online, START, START + 30)
    played(road, online, START + 50, START + 60)
    learnt = online.corrections[0].rls.coefficients.copy()
    played(road, online, START + 10, START + 11)
    counters = online.context.counters
    assert counters["online_gaps"] == 1 and counters["online_turned_back"] == 1
    assert np.allclose(learnt, online.corrections[0].rls.coefficients)


def test_sensors_come_go_and_are_bounded():
    road, online = Road(END + AHEAD + 1), OnlineForecasts(LastWeek())
    played(road, online, START, START + 5)
    road.values = road.values[:, :3]
    played(road, online, START + 5, START + 10, names=["b", "a", "e"])
    assert list(online.places) == NAMES + ["e"]
    crowd = Road(3 * WEEK, n=MAX_SENSORS + 2)
    many = OnlineForecasts(LastWeek())
    answer = many.infer(crowd.features(START, names=["s%d" % i for i in range(MAX_SENSORS + 2)]))
    assert many.context.counters["online_refused"] == 2 and all(answer.values)


def kept(folder, package="week 1"):
    online = OnlineForecasts(LastWeek())
    return online, Keeper(AttentionStore(folder / FILE), "traffic", package, online)


def test_what_was_learnt_outlives_a_power_cut(tmp_path):
    road = Road(END + AHEAD + 1, lambda values, slots: np.round(values[slots] * .6), START + WEEK)
    online, keeper = kept(tmp_path)
    played(road, online, START, START + 2 * WEEK)
    keeper.work()
    assert versions(keeper.store)[0][3]["shown"]["a"]["judged"] > 0
    again, _ = kept(tmp_path)  # the first one was never closed
    behind = online.weeks.last - again.weeks.last
    assert 0 <= behind < 6 and list(again.places) == NAMES
    assert np.allclose(again.corrections[0].rls.coefficients, online.corrections[0].rls.coefficients, atol=.05)
    given, shipped = played(road, again, START + 2 * WEEK, START + 2 * WEEK + 12)
    assert np.isfinite(np.array(list(given.values()), float)).all()


def test_a_damaged_state_is_counted_and_begins_anew(tmp_path):
    online, keeper = kept(tmp_path)
    played(Road(END + AHEAD + 1), online, START, START + 30)
    keeper.close()
    db = sqlite3.connect(tmp_path / FILE)
    data = bytearray(db.execute("SELECT data FROM online").fetchone()[0])
    data[1000] ^= 1
    db.execute("UPDATE online SET data = ?", (bytes(data),))
    db.commit()
    again, keeper = kept(tmp_path)
    assert again.context.counters["online_damaged"] == 1 and not (again.experts.errors > 0).any()
    keeper.close()
    other, _ = kept(tmp_path, "week 2")
    assert other.context.counters["online_foreign"] == 1 and not other.places


def test_freeze_reset_and_rollback_of_one_sensor(tmp_path):
    road, (online, keeper) = Road(END + AHEAD + 1), kept(tmp_path)
    played(road, online, START, START + 60)
    keeper.write(online.state())
    keeper.t_ms -= 2 * DAY_MS  # what is written from now on is of another day
    first = online.corrections[0].rls.coefficients.copy()
    person = AttentionStore(tmp_path / FILE)
    person.freeze("a", True)
    keeper.work()
    played(road, online, START + 60, START + 70)
    moved = np.abs(online.corrections[0].rls.coefficients - first).max((1, 2)) > 0
    assert list(moved) == [False, True, True, True]
    back(person, "b", 0)
    back(person, "c", 1)
    keeper.work()
    played(road, online, START + 70, START + 71)
    now = online.corrections[0].rls.coefficients
    assert (now[1, :, 0] == 1).all() and (now[1, :, 1:] == 0).all()
    assert np.allclose(now[2], first[2], atol=1e-6) and not np.allclose(now[3], first[3], atol=1e-6)
    keeper.work()
    assert not keeper.store.rows("SELECT * FROM recall")
    person.write(("INSERT INTO recall VALUES('d', 77)", ()))
    keeper.work()
    keeper.work()
    assert online.context.counters["online_recalls_refused"] == 1 and not keeper.store.rows("SELECT * FROM recall")
    with pytest.raises(ConfigError, match="no version 9"):
        back(person, "c", 9)


async def test_the_service_puts_it_around_what_forecasts_and_nothing_else(tmp_path):
    options = {name: spec["default"] for name, spec in ATTENTION["options"].items()}
    attention, model = Attention(Path(tmp_path), options, Clock, "g", None), LastWeek()
    model.package = SimpleNamespace(name="week", manifest={"version": "1"})
    online = attention.around("traffic", model)
    assert isinstance(online, OnlineForecasts) and attention.around("ecg", SimpleNamespace(forecasts=None)).forecasts is None
    played(Road(END + AHEAD + 1), online, START, START + 10)
    await attention.close()
    assert len(versions(AttentionStore(tmp_path / FILE))) == 1
    off = Attention(Path(tmp_path), dict(options, learn="off"), Clock, "g", None)
    assert off.around("traffic", model) is model


def test_a_person_sees_it_and_takes_it_back(tmp_path):
    def run(*words, fails=0):
        found = CliRunner().invoke(main, [*words, "--data", str(tmp_path)])
        assert found.exit_code == fails, (found.output, found.exception)
        return found.output
    road, (online, keeper) = Road(END + AHEAD + 1), kept(tmp_path)
    played(road, online, START, START + 60)
    keeper.close()
    rows = json.loads(run("attention", "show", "--json"))["forecasts"]
    assert [row["stream"] for row in rows] == NAMES and all(row["judged"] and abs(sum(row["shares"]) - 1) < .01 for row in rows)
    assert "4 sensors" in run("attention", "show")
    assert json.loads(run("attention", "history", "a", "--json"))["versions"][0]["version"] == 1
    assert "a uses version 0" in run("attention", "rollback", "a")
    run("attention", "reset", "b")
    assert "no version 5" in run("attention", "rollback", "a", "--to", "5", fails=2)
    assert "carried" in run("attention", "export", "a", fails=2)
    again, _ = kept(tmp_path)
    played(road, again, START + 60, START + 61)
    assert again.context.counters["online_reset"] == 2
