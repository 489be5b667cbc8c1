"""Learning beside the flow: it remembers, rests, and a failure of its own costs nobody else."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from gateway.attention.feedback import Feedback
from gateway.attention.membership import Membership
from gateway.attention.service import Attention
from gateway.attention.settings import ATTENTION
from gateway.attention.slack import Slack
from gateway.core.compat import Clock
from gateway.core.errors import HeedError
from gateway.core.records import Features, Inference
from tests.attention.helpers import CLASSES, Twin, anchors, clouds

OPTIONS = {name: spec["default"] for name, spec in ATTENTION["options"].items()}


class Model:
    """As a PackageModel is to its learner."""

    class package:
        adaptable = staticmethod(lambda: True)
        anchors = staticmethod(anchors)

    def __init__(self):
        self.used, self.last, self.learns = {}, None, False

    def use(self, stream, parameters):
        self.used[stream] = parameters


class Door:
    offered = []

    def offer(self, summaries):
        self.offered.extend(summaries)


def seen(watch, model, hidden):
    for i, h in enumerate(hidden):
        model.last = {}, h
        watch(Features("bed", i, i, [np.zeros(2)], {}), Inference("bed", i, i, "N", [.5, .3, .2], None, "float"), None, [])


async def test_a_turn_introduces_asks_and_goes_on_after_a_failure(tmp_path):
    attention, model = Attention(Path(tmp_path), dict(OPTIONS, slack_permille=1000), Clock, "g", Door()), Model()
    calls = []
    watch = attention.beside(model, lambda package: Twin(), Door(), lambda *each: calls.append(each))
    seen(watch, model, clouds(np.random.default_rng(1), 100)[0])
    model.last = None
    watch(Features("bed", 999, 0, [], {}), Inference("bed", 999, 0, "N", [1, 0, 0], None, "tiny"), None, [])
    run = asyncio.ensure_future(attention.run(lambda: None))
    for _ in range(200):
        await asyncio.sleep(.02)
        if attention.counts().get("asked"):
            break
    assert model.learns and model.used["bed"] is not None and len(calls) == 101
    assert attention.counts()["asked"] == 1 and attention.counts()["unadapted"] == 1
    attention.learners[0].store.close()
    for _ in range(200):
        await asyncio.sleep(.02)
        if run.done() or attention.counters["learning_failures"]:
            break
    assert attention.counters["learning_failures"] and not run.done()
    run.cancel()
    await attention.close()


class Line:
    """A way down that has something to say."""

    news, counters = True, {"hub_nonsense": 0}

    async def round(self, gateway):
        self.news = False
        return {"gateway": gateway}

    async def learnt(self, after):
        return {"version": after + 1}


class Member:
    version, counters = 6, {}

    def __init__(self):
        self.seen = []

    def turn(self, seen):
        self.seen.append(seen)
        return []

    def receive(self, learnt):
        self.seen.append(learnt)


async def test_what_a_broker_tells_is_answered_at_once_and_not_again(tmp_path):
    async def apart(work, *values):
        return work(*values)
    membership = Membership(tmp_path, dict(OPTIONS, hub="mqtt", hub_poll_s=86400, line={"url": "mqtt://localhost"}), "g")
    assert type(membership.downlink).__name__ == "Subscription" and membership.downlink.mine == "heed/v1/g/round"
    membership.downlink, member = Line(), Member()
    membership.members.append(member)
    for _ in range(3):
        await membership.turn(Door(), apart)
    assert member.seen == [{"gateway": "g"}, {"version": 7}] and membership.counts() == {"hub_unreachable": 0, "hub_nonsense": 0}


def test_off_is_off(tmp_path):
    watch = object()
    attention = Attention(Path(tmp_path), dict(OPTIONS, learn="off"), Clock, "g", Door())
    assert attention.beside(Model(), lambda package: Twin(), Door(), watch) is watch and not list(tmp_path.iterdir())


def test_slack_rests_as_long_as_its_share_says():
    now, slept = [0.0], []
    slack = Slack(.005, lambda: now[0], slept.append)
    now[0] = 2.0
    slack.pause()
    assert slept == [398.0]


async def test_a_stop_does_not_wait_for_what_is_being_learnt(tmp_path):
    attention, model = Attention(Path(tmp_path), dict(OPTIONS, slack_permille=1), Clock, "g", Door()), Model()
    watch = attention.beside(model, lambda package: Twin(), Door(), None)
    hidden, labels = clouds(np.random.default_rng(1), 100)
    seen(watch, model, hidden)
    learner = attention.learners[0]
    for seq in range(20):
        learner.door.give(Feedback("bed", seq, CLASSES[int(labels[seq])]))
    attention.loop = asyncio.get_running_loop()
    work = attention.loop.run_in_executor(attention.worker, learner.learn, "bed")  # a hundred seconds at this share
    await asyncio.sleep(.2)
    assert not work.done()
    await asyncio.wait_for(attention.close(), 10)
    with pytest.raises(HeedError):
        await work
