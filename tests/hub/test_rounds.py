"""Rounds end or are dropped cleanly, whoever is killed, late, hostile or away."""

import asyncio

import numpy as np
import pytest

from firmware_tools.bench.adapt_fleet import Hall, whole_round
from gateway import mqtt as connection
from gateway.attention.downlink import Downlink
from gateway.attention.federate import Collaborator, unflat
from gateway.attention.feedback import Feedback
from gateway.attention.privacy import SMALLEST
from gateway.attention.subscription import Subscription
from gateway.core.errors import NotConnected, Rejected
from gateway.core.options import check_options
from gateway.core.records import Summary
from gateway.forms import Message
from gateway.forms.envelope import MINE, ROUND
from gateway.hub.aggregate import sound, together
from gateway.hub.app import Hub
from gateway.hub.rounds import SETTINGS, Rounds
from tests.attention.helpers import CLASSES, clouds, learner_in, moments
from gateway.uplinks import http, mqtt
from tests.hub.test_hub import Line, uplink_of
from tests.services import mosquitto, postgres  # noqa: F401  fixtures

NAMES = ["g%02d" % i for i in range(6)]


class Gateway:
    """Stands for a gateway that has learnt a vector."""

    def __init__(self, folder, name, vector):
        (folder / name).mkdir()
        self.learner = learner_in(folder / name)
        self.collaborator = Collaborator(self.learner, name)
        self.collaborator.update = lambda clip: vector


@pytest.fixture
def fleet(tmp_path):
    rng = np.random.default_rng(1)
    vectors = {name: rng.normal(0, .05, 21) for name in NAMES}
    return vectors, {name: Gateway(tmp_path, name, vector).collaborator for name, vector in vectors.items()}


def hall_in(folder, **options):
    return Hall(folder, **dict({"package": "clouds 1", "rule": "mean"}, **options))


@pytest.mark.parametrize("masked", [False, True])
def test_the_global_state_is_the_mean_of_what_was_learnt(tmp_path, fleet, masked):
    vectors, parties = fleet
    hall = hall_in(tmp_path, masked=masked)
    whole_round(hall, parties)
    assert hall.rounds.learnt["version"] == 1
    assert np.allclose(hall.rounds.learnt["vector"], np.mean(list(vectors.values()), 0), atol=1e-4)


@pytest.mark.parametrize("step, left", [("shares", 5), ("update", 5), ("reveal", 6)])
def test_a_gateway_killed_in_any_step_of_a_masked_round_is_left_out(tmp_path, fleet, step, left):
    vectors, parties = fleet
    hall = hall_in(tmp_path, masked=True)
    order = ("keys", "shares", "update", "reveal")
    whole_round(hall, parties, lambda now, name: name == "g00" and order.index(now) >= order.index(step))
    kept = [v for name, v in vectors.items() if name != "g00" or left == 6]
    assert hall.rounds.learnt["facts"]["gateways"] == left
    assert np.allclose(hall.rounds.learnt["vector"], np.mean(kept, 0), atol=1e-4)


def test_a_round_that_too_many_leave_is_dropped_and_the_next_one_works(tmp_path, fleet):
    _, parties = fleet
    hall = hall_in(tmp_path, masked=True)
    whole_round(hall, parties, lambda step, name: step == "update" and name > "g01")
    assert hall.rounds.counters["dropped"] == 1 and hall.rounds.learnt["version"] == 0 and "needed" in hall.rounds.learnt["facts"]["dropped"]
    whole_round(hall, parties)
    assert hall.rounds.learnt["version"] == 1


@pytest.mark.parametrize("masked", [False, True])
def test_a_hub_killed_in_every_step_goes_on(tmp_path, fleet, masked):
    vectors, parties = fleet
    hall = hall_in(tmp_path, masked=masked)
    hall.turn()
    while hall.rounds.round is not None:
        for name, party in parties.items():
            hall.deliver(name, party.turn(hall.rounds.seen_by(name)))
        again = Rounds(hall.rounds.options, hall.rounds.clock)  # what a new process makes of the same database
        again.attach(hall)
        again.open()
        hall.rounds = again
        hall.turn()
    assert np.allclose(hall.rounds.learnt["vector"], np.mean(list(vectors.values()), 0), atol=1e-4)
    assert hall.rounds.counters["late"] == 0


@pytest.mark.parametrize("masked", [False, True])
def test_a_hub_killed_when_it_has_published_does_not_publish_again(tmp_path, fleet, masked):
    class Killed(Exception):
        pass

    def killed(how):
        raise Killed()

    vectors, parties = fleet
    hall = hall_in(tmp_path, masked=masked)
    hall.rounds._over = killed
    with pytest.raises(Killed):
        whole_round(hall, parties)
    again = Rounds(hall.rounds.options, hall.rounds.clock)
    again.attach(hall)
    again.open()
    assert again.round is None and again.learnt["version"] == 1
    again.turn()
    assert again.round["base"] == 1 and np.allclose(again.learnt["vector"], np.mean(list(vectors.values()), 0), atol=1e-4)


def test_late_and_malformed_parts_are_counted_and_dropped(tmp_path, fleet):
    _, parties = fleet
    hall = hall_in(tmp_path)
    hall.turn()
    for name in NAMES[:4]:
        hall.deliver(name, parties[name].turn(hall.rounds.seen_by(name)))
    stale = Summary("* clouds 1", "attention_update", "event", 1, "", {"round": "gone", "step": "update", "body": [1.0]})
    junk = Summary("* clouds 1", "attention_update", "event", 1, "", {"round": hall.rounds.round["id"], "step": "update", "body": ["x"]})
    hall.deliver("g04", [stale])
    hall.deliver("g05", [junk])
    hall.turn()
    hall.turn(61000)
    assert hall.rounds.learnt["facts"]["gateways"] == 4
    assert hall.rounds.counters["late"] == 1 and hall.rounds.counters["malformed"] == 1


def test_one_hostile_gateway_of_twenty_does_little():
    rng = np.random.default_rng(2)
    honest = {"g%d" % i: rng.normal(.1, .02, 50) for i in range(19)}
    clean = together(list(sound(honest, 2.0).values()), "trimmed")
    for vector in ([-1e9] * 50, [float("nan")] * 50, [0.0] * 7):
        kept = sound(dict(honest, bad=vector), 2.0)
        assert np.abs(together(list(kept.values()), "trimmed") - clean).max() < .01


def test_rounds_end_at_the_privacy_budget_and_a_small_cohort_is_not_called_private(tmp_path, fleet):
    _, parties = fleet
    hall = hall_in(tmp_path, noise=2.0, budget=4.0)
    while hall.rounds.learnt["version"] < 10:
        before = hall.rounds.learnt["version"]
        whole_round(hall, parties)
        if hall.rounds.learnt["version"] == before:
            break
    facts = hall.rounds.learnt["facts"]
    assert 0 < hall.rounds.learnt["version"] < 10 and 0 < facts["epsilon"] <= 4
    assert facts["private"] is False and len(NAMES) < SMALLEST


def test_the_guard_of_a_gateway_refuses_a_global_state_that_would_unlearn(tmp_path):
    learner = learner_in(tmp_path)
    hidden, _ = clouds(np.random.default_rng(3), 100)
    for moment in moments(hidden):
        learner.observe(moment)
    member = Collaborator(learner, "g")
    bad, good = np.zeros(21), np.zeros(21)
    bad[-3:], good[-3:] = [8, -8, -8], [.02, -.01, 0]
    learnt = {"package": "clouds 1", "facts": {"gateways": 3}}
    assert not member.receive(dict(learnt, version=1, vector=bad.tolist()))
    assert member.receive(dict(learnt, version=2, vector=good.tolist()))
    assert not member.receive(dict(learnt, version=3, vector=[0.0] * 5))
    assert member.counters == {"globals_refused": 2, "globals_taken": 1}
    assert np.allclose(learner.base()["head_b"], unflat(learner.origin, good)["head_b"], atol=1e-5)
    with pytest.raises(Rejected):
        unflat(learner.origin, [float("nan")] * 21)


async def test_over_http_and_the_outbox(tmp_path, fleet):
    await over_http(tmp_path, fleet, str(tmp_path / "hub.db"))


async def test_on_postgresql(tmp_path, fleet, postgres):  # noqa: F811
    await over_http(tmp_path, fleet, postgres.url)


async def over_http(tmp_path, fleet, database):
    """A masked round of three gateways with their own outboxes, over a real hub."""
    _, parties = fleet
    rounds = Rounds(check_options(SETTINGS, {"package": "clouds 1", "every_s": 0, "step_s": 3, "masked": True, "rule": "mean"})[0])
    hub = Hub(database, ("127.0.0.1", 0), rounds=rounds)
    await hub.start()
    url = "http://127.0.0.1:%d" % hub.port
    (tmp_path / "boxes").mkdir()
    lines = {name: Line(tmp_path / "boxes", uplink_of(http, tmp_path, name, url=url + "/v1/batches"), name) for name in NAMES[:3]}
    down = Downlink(url, {"ca_file": "", "cert_file": "", "key_file": ""})
    for line in lines.values():
        await line.__aenter__()
    try:
        for _ in range(400):
            for name, line in lines.items():
                seen = (await down.get("/v1/rounds", gateway=name))["round"]
                line.outbox.offer(parties[name].turn(seen))
            learnt = await down.get("/v1/attention", after=0)
            if learnt["version"]:
                break
            await asyncio.sleep(.1)
        assert learnt["facts"]["gateways"] == 3 and len(learnt["vector"]) == 21 and "spent" not in learnt
    finally:
        await down.close()
        for line in lines.values():
            await line.__aexit__()
        await hub.stop()


def test_what_a_gateway_sends_is_a_clipped_difference_and_nothing_else(tmp_path):
    hidden, labels = clouds(np.random.default_rng(1), 300, shift=.9)
    learner = learner_in(tmp_path)
    for moment in moments(hidden[:200]):
        learner.observe(moment)
    for seq in range(40):
        learner.door.give(Feedback("bed", seq, CLASSES[int(labels[seq])]))
    learner.work()
    member = Collaborator(learner, "g")
    (summary,) = member.turn({"id": "r", "package": "clouds 1", "step": "update", "base": 0, "masked": False, "clip": .1, "closes_ms": 0})
    assert set(summary.data) == {"round", "step", "body"} and np.linalg.norm(summary.data["body"]) <= .1001
    assert member.turn({"id": "r", "package": "clouds 1", "step": "update", "base": 0, "masked": False, "clip": .1, "closes_ms": 0}) == []


async def test_over_a_broker_both_ways(tmp_path, fleet, mosquitto):  # noqa: F811
    """A masked round of three gateways that reach the hub by MQTT alone; the hub is killed in its midst, the line of one is cut."""
    _, parties = fleet
    options = {"package": "clouds 1", "every_s": 0, "step_s": 20, "masked": True, "rule": "mean"}
    line = {"url": mosquitto.url, "user": "", "password_env": "NONE", "ca_file": "", "cert_file": "", "key_file": "", "timeout_s": 5}

    def hub_of():
        return Hub(str(tmp_path / "hub.db"), None, line, rounds=Rounds(check_options(SETTINGS, options)[0]))
    hub = hub_of()
    await hub.start()
    (tmp_path / "boxes").mkdir()
    lines = {name: Line(tmp_path / "boxes", uplink_of(mqtt, tmp_path, name, url=mosquitto.url), name) for name in NAMES[:3]}
    downs = {name: Subscription(line, name) for name in lines}
    for each in lines.values():
        await each.__aenter__()
    try:
        killed, steps, learnt = False, [], {"version": 0}
        for _ in range(900):
            for name, each in lines.items():
                seen = await downs[name].round(name)
                steps.append(seen and seen["step"])
                each.outbox.offer(parties[name].turn(seen))
            learnt = await downs[NAMES[0]].learnt(0)
            if learnt["version"]:
                break
            if "shares" in steps and not killed:
                killed = True
                await hub.stop()
                await downs[NAMES[1]].close()
                hub = hub_of()
                await hub.start()
            await asyncio.sleep(.05)
        assert killed and {"keys", "shares", "update", "reveal"} <= set(steps)
        assert learnt["facts"]["gateways"] == 3 and len(learnt["vector"]) == 21 and "spent" not in learnt
    finally:
        for down in downs.values():
            await down.close()
        for each in lines.values():
            await each.__aexit__()
        await hub.stop()


async def test_what_a_killed_hub_left_at_the_broker_is_cleared(tmp_path, mosquitto):  # noqa: F811
    line = {"url": mosquitto.url, "user": "", "password_env": "NONE", "ca_file": "", "cert_file": "", "key_file": "", "timeout_s": 5}
    client, _ = await connection.connect(line, "former-hub")
    for topic in (ROUND, MINE % "g00"):
        await connection.publish(client, Message(topic, b'{"id": "gone", "masked": false, "step": "update"}', True))
    await connection.disconnect(client)
    down = Subscription(line, "g00")
    await down.round("g00")
    hub = Hub(str(tmp_path / "hub.db"), None, line, rounds=Rounds(check_options(SETTINGS, {"package": "clouds 1", "every_s": 9999})[0]))
    await hub.start()
    try:
        for _ in range(200):
            await asyncio.sleep(.05)
            if down.held.get(MINE % "g00", {}) is None:
                break
        assert down.held[MINE % "g00"] is None and (await down.round("g00"))["id"] == hub.rounds.round["id"]
    finally:
        await down.close()
        await hub.stop()


async def test_a_broker_that_is_away_is_said_and_met_again(mosquitto):  # noqa: F811
    down = Subscription({"url": "mqtt://127.0.0.1:1", "user": "", "password_env": "NONE", "ca_file": "", "cert_file": "", "key_file": "",
                         "timeout_s": 1}, "g00")
    with pytest.raises(NotConnected):
        await down.round("g00")
    down.options = dict(down.options, url=mosquitto.url)
    assert await down.round("g00") is None and await down.learnt(0) == {"version": 0}
    await down._take(ROUND, b"{")
    assert down.counters == {"hub_nonsense": 1}
    await down.close()
