"""States: whole, within their ranges, of their package, and never lost to a kill."""

import json

import numpy as np
import pytest

from gateway.attention.state import AttentionState, Origin, difference, state_from
from gateway.attention.store import KEEP, AttentionStore
from gateway.core.errors import ConfigError, HeedError

ORIGIN = Origin("p 1", {"bias": np.zeros((2, 2)), "head": np.ones(3)}, {"bias": (-1, 1)}, ["a", "b"])


def state(**moved):
    return AttentionState("bed", "p 1", 0, 0, 5, "why", {"confidence": .9}, dict(ORIGIN.copy(), **moved))


def test_a_state_comes_back_from_json_as_it_was():
    made = state(head=np.array([1.5, -2.25, 3], np.float32))
    back = state_from(json.loads(json.dumps(made.to_dict())))
    assert np.array_equal(back.parameters["head"], made.parameters["head"]) and back.facts == made.facts


@pytest.mark.parametrize("spoil", [lambda d: d["parameters"]["head"].__setitem__(0, 7.0), lambda d: d.pop("package"), lambda d: d.update(form=9),
                                   lambda d: d.update(parameters={"head": "x"})])
def test_a_state_that_was_changed_is_refused(spoil):
    fields = state().to_dict()
    spoil(fields)
    with pytest.raises(ConfigError):
        state_from(fields)


@pytest.mark.parametrize("moved", [{"bias": np.full((2, 2), 1.5, np.float32)}, {"head": np.ones(4, np.float32)},
                                   {"head": np.array([np.nan, 0, 0], np.float32)}])
def test_parameters_that_do_not_belong_are_refused(moved):
    with pytest.raises(ConfigError):
        ORIGIN.check(state(**moved).parameters)


def test_versions_go_on_and_the_oldest_go(tmp_path):
    store = AttentionStore(tmp_path / "a.db")
    for i in range(KEEP + 5):
        assert store.adopt(state(head=np.full(3, i, np.float32))) == i + 1
    store.use("bed", KEEP)
    assert store.current("bed")[0].parameters["head"][0] == KEEP - 1 and len(store.history("bed")) == KEEP
    with pytest.raises(HeedError):
        store.use("bed", 2)
    assert store.adopt(state()) == KEEP + 6


def test_one_process_sees_what_another_wrote(tmp_path):
    one, other = AttentionStore(tmp_path / "a.db"), AttentionStore(tmp_path / "a.db")
    one.changed()
    assert not one.changed()
    other.freeze("bed", True)
    assert one.changed() and one.current("bed") == (None, True) and not one.changed()


def test_difference():
    found = difference(state(head=np.array([1, 1, 4], np.float32)).parameters, ORIGIN.shipped)
    assert found["head"] == (3.0, 3.0) and found["bias"] == (0.0, 0.0)
