"""The mark moves over what has arrived, in whatever order, and over nothing else."""

import random

import pytest

from gateway.core.batch import Batch
from gateway.core.errors import Rejected
from gateway.hub.coverage import MAX_AHEAD, Coverage


def batch(after, last, base=0, express=False):
    made = Batch("gw", "e", [(last, {})], after, base)
    made.express = express
    return made


@pytest.mark.parametrize("seed", range(30))
def test_any_order_with_repeats_ends_at_the_last_number(seed):
    chance = random.Random(seed)
    cuts = sorted(chance.sample(range(1, 500), 20)) + [500]
    spans = list(zip([0] + cuts, cuts))
    chance.shuffle(spans)
    state, seen = Coverage(), set()
    for after, last in spans + spans[:7]:
        state.add(batch(after, last))
        seen.update(range(after + 1, last + 1))
        first_missing = next(n for n in range(1, 502) if n not in seen)
        assert state.mark == first_missing - 1
    assert state.mark == 500 and state.ahead == [] and state.missing == 0


def test_what_others_acknowledged_is_missing_here_and_holds_nobody_up():
    state = Coverage()
    state.add(batch(120, 130, base=100))
    assert (state.mark, state.missing) == (100, 100)
    state.add(batch(100, 120, base=100))
    assert (state.mark, state.missing) == (130, 100)


def test_express_records_move_nothing():
    state = Coverage()
    state.add(batch(40, 41, express=True))
    assert state.mark == 0 and state.ahead == []


def test_too_many_holes_are_refused():
    state = Coverage()
    with pytest.raises(Rejected):
        for n in range(1, 3 * MAX_AHEAD, 2):
            state.add(batch(n, n + 1))
