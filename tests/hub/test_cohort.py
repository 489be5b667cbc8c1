"""Hubs among hubs, without Flower: every movement counts once, whoever is killed between an answer and the state that holds it."""

import asyncio

import numpy as np
import pytest

from firmware_tools.bench.adapt_fleet import Hall, whole_round
from gateway.attention.downlink import Downlink
from gateway.core.errors import ConfigError, Rejected
from gateway.hub.app import Hub
from gateway.hub.cohort import Cohort, known_as
from gateway.hub.federation import Federation
from gateway.hub.rounds import Rounds
from gateway.hub.store import SqliteStore
from tests.hub.test_rounds import Gateway

PACKAGE = "clouds 1"


class Site:
    """A hub with `count` gateways that have learnt `level` in each of 21 numbers; its own file, its own rounds."""

    def __init__(self, folder, count, level):
        folder.mkdir()
        self.hall = Hall(folder, package=PACKAGE, rule="mean", least=1)
        self.parties = {"g%d" % i: Gateway(folder, "g%d" % i, np.full(21, level)).collaborator for i in range(count)}

    def round(self):
        for party in self.parties.values():
            party.answered = None
        whole_round(self.hall, self.parties)

    @property
    def cohort(self):
        return Cohort(self.hall.store, PACKAGE, least=3)

    def answer(self, federation, clip=10.0):
        cohort = self.cohort
        cohort.take(federation.state)
        return cohort.answer(federation.state, clip)

    def deliver(self, federation):
        taken = self.cohort.take(federation.state)
        self.hall.rounds.options = dict(self.hall.rounds.options, every_s=1000)
        self.hall.turn()
        self.hall.rounds.options = dict(self.hall.rounds.options, every_s=0)
        return taken

    @property
    def vector(self):
        return np.array(self.hall.rounds.learnt["vector"])


def moved(federation, answers):
    """One round of a coordinator over answers of Cohort.answer, by gateways."""
    weights = [gateways for *_, gateways in answers]
    federation.move(np.average([vector for _, _, vector, _ in answers], axis=0, weights=weights),
                    {hub: (number, gateways) for hub, number, _, gateways in answers})


@pytest.fixture
def sites(tmp_path):
    found = Site(tmp_path / "a", 3, .1), Site(tmp_path / "b", 6, .4)
    for site in found:
        site.round()
    return found


@pytest.fixture
def federation(tmp_path):
    return Federation(tmp_path / "federation.json", PACKAGE)


def test_both_hubs_hold_the_mean_by_gateways_and_offer_it_to_theirs(sites, federation):
    moved(federation, [site.answer(federation) for site in sites])
    for site in sites:
        version = site.hall.rounds.learnt["version"]
        assert site.deliver(federation) and not site.deliver(federation)
        assert np.allclose(site.vector, (3 * .1 + 6 * .4) / 9, atol=1e-5)
        assert site.hall.rounds.learnt["version"] == version + 1
        assert site.hall.rounds.learnt["federation"]["hubs"] == 2 and site.hall.rounds.counters["federated"] == 1
    assert (sites[0].vector == sites[1].vector).all()


def test_nothing_new_is_no_answer_and_rounds_after_it_are_what_the_next_one_holds(sites, federation):
    moved(federation, [site.answer(federation) for site in sites])
    for site in sites:
        site.deliver(federation)
        with pytest.raises(Rejected):
            site.answer(federation)
    before = sites[0].vector
    sites[0].round()
    assert np.allclose(sites[0].vector, before + .1, atol=1e-5)
    assert np.allclose(sites[0].answer(federation)[2], .1, atol=1e-5)


def test_a_hub_killed_after_its_answer_counts_once(sites, federation):
    """It misses what came of the round, goes on with rounds of its own, and hears of it a round later."""
    a, b = sites
    moved(federation, [site.answer(federation) for site in sites])
    b.deliver(federation)
    again = Rounds(a.hall.rounds.options, a.hall.rounds.clock)
    again.attach(a.hall)
    again.open()
    a.hall.rounds = again
    a.round()
    late = a.answer(federation)
    assert np.allclose(late[2], .1, atol=1e-5), "the first round is in the state already"
    moved(federation, [late])
    for site in sites:
        site.deliver(federation)
        assert np.allclose(site.vector, .3 + .1, atol=1e-5)


def test_an_answer_that_came_too_late_is_given_again(sites, federation):
    a, b = sites
    a.answer(federation)
    moved(federation, [b.answer(federation)])
    for site in sites:
        site.deliver(federation)
    assert np.allclose(a.vector, .4 + .1, atol=1e-5), "its own round is kept on top of what came"
    moved(federation, [a.answer(federation)])
    for site in sites:
        site.deliver(federation)
        assert np.allclose(site.vector, .5, atol=1e-5)


def test_a_round_between_answer_and_state_is_not_lost(sites, federation):
    answers = [site.answer(federation) for site in sites]
    sites[0].round()
    moved(federation, answers)
    sites[0].deliver(federation)
    assert np.allclose(sites[0].vector, .3 + .1, atol=1e-5)


def test_a_hub_that_joins_late_and_has_learnt_nothing_gets_the_state(tmp_path, sites, federation):
    moved(federation, [site.answer(federation) for site in sites])
    late = Site(tmp_path / "late", 3, .2)
    with pytest.raises(Rejected):
        late.answer(federation)
    late.deliver(federation)
    assert np.allclose(late.vector, .3, atol=1e-5)
    late.round()
    assert np.allclose(late.answer(federation)[2], .2, atol=1e-5)


def test_a_coordinator_that_lost_its_file_begins_anew_with_all_that_hubs_have_learnt(tmp_path, sites, federation):
    moved(federation, [site.answer(federation) for site in sites])
    for site in sites:
        site.deliver(federation)
    anew = Federation(tmp_path / "other.json", PACKAGE)
    moved(anew, [site.answer(anew) for site in sites])
    for site in sites:
        site.deliver(anew)
        assert np.allclose(site.vector, .3, atol=1e-5)


def test_too_few_gateways_give_nothing_and_what_leaves_is_clipped(tmp_path, sites, federation):
    few = Site(tmp_path / "few", 2, .1)
    few.round()
    with pytest.raises(Rejected, match="2 gateways"):
        few.answer(federation)
    assert np.linalg.norm(sites[1].answer(federation, clip=.5)[2]) == pytest.approx(.5)


@pytest.mark.parametrize("vector", [[0.1] * 20, [], [float("nan")] * 21])
def test_what_is_no_state_of_this_package_is_refused(sites, federation, vector):
    federation.state.update(version=1, vector=vector)
    with pytest.raises(Rejected):
        sites[0].cohort.take(federation.state)
    assert np.allclose(sites[0].vector, .1, atol=1e-5)


def test_the_file_of_a_federation_goes_on_and_says_what_is_wrong_with_it(tmp_path, federation):
    federation.move(np.ones(3), {"h": (1, 5)})
    federation.move(np.ones(3), {"i": (4, 7)})
    again = Federation(federation.path, PACKAGE)
    assert again.state == federation.state
    assert again.state["version"] == 2 and again.state["vector"] == [2, 2, 2] and again.state["taken"] == {known_as("h"): 1, known_as("i"): 4}
    with pytest.raises(ConfigError, match="not of other 1"):
        Federation(federation.path, "other 1")
    federation.path.write_text('{"version": 1}')
    with pytest.raises(ConfigError, match="no state"):
        Federation(federation.path, PACKAGE)


async def test_gateways_hear_neither_what_their_hub_alone_moved_nor_what_is_spent(tmp_path, sites, federation):
    moved(federation, [site.answer(federation) for site in sites])
    sites[0].hall.store.close()
    cohort_of_a_hub_that_is_not_running(tmp_path / "a" / "hub.db").take(federation.state)
    hub = Hub(str(tmp_path / "a" / "hub.db"), ("127.0.0.1", 0), rounds=Rounds(dict(sites[0].hall.rounds.options, every_s=1000)))
    await hub.start()
    down = Downlink("http://127.0.0.1:%d" % hub.port, {"ca_file": "", "cert_file": "", "key_file": ""})
    try:
        async with asyncio.timeout(20):
            while "federation" not in (learnt := await down.get("/v1/attention", after=0)):
                await asyncio.sleep(.1)
        assert not {"own", "spent"} & set(learnt) and np.allclose(learnt["vector"], .3, atol=1e-5)
    finally:
        await down.close()
        await hub.stop()


def cohort_of_a_hub_that_is_not_running(path):
    store = SqliteStore(str(path))
    store.open()
    return Cohort(store, PACKAGE)
