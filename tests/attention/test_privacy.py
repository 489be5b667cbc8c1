"""The accountant agrees with dp-accounting, which lives in an environment of its own."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from gateway.attention.privacy import Accountant

CASES = [(1.1, 1.0, 1), (1.1, 1.0, 10), (4.0, 1.0, 50), (0.8, 0.1, 20), (1.0, 0.01, 500), (2.0, 0.3, 100)]
DELTAS = (1e-5, 1e-6)
PEER = """
import json, sys
from dp_accounting import dp_event
from dp_accounting.rdp import rdp_privacy_accountant as rdp
cases, deltas, orders = json.loads(sys.argv[1])
out = []
for noise, rate, rounds in cases:
    accountant = rdp.RdpAccountant(orders)
    event = dp_event.GaussianDpEvent(noise)
    accountant.compose(event if rate == 1 else dp_event.PoissonSampledDpEvent(rate, event), rounds)
    out.append([accountant.get_epsilon(delta) for delta in deltas])
print(json.dumps(out))
"""


def epsilons(noise, rate, rounds):
    accountant = Accountant()
    for _ in range(rounds):
        accountant.add(noise, rate)
    return [accountant.epsilon(delta) for delta in DELTAS]


def test_as_dp_accounting_says():
    python = Path(os.environ.get("HEED_DP_ACCOUNTING", ".cache/dp-accounting")) / "bin" / "python"
    if not python.exists():
        pytest.skip("no dp-accounting here: python -m venv .cache/dp-accounting && .cache/dp-accounting/bin/pip install dp-accounting")
    orders = list(Accountant().spent)
    found = subprocess.run([str(python), "-c", PEER, json.dumps([CASES, DELTAS, orders])], capture_output=True, text=True, check=True)
    for case, theirs in zip(CASES, json.loads(found.stdout)):
        assert epsilons(*case) == pytest.approx(theirs, rel=1e-6), case


def test_more_rounds_and_less_noise_cost_more():
    assert epsilons(1.1, 1.0, 2)[0] > epsilons(1.1, 1.0, 1)[0] > epsilons(2.0, 1.0, 1)[0] > 0
    assert epsilons(1.1, .1, 5)[0] < epsilons(1.1, 1.0, 5)[0]


def test_what_is_spent_is_kept():
    accountant = Accountant()
    accountant.add(1.5)
    again = Accountant(json.loads(json.dumps(accountant.to_dict())))
    assert again.epsilon(1e-5) == accountant.epsilon(1e-5) and accountant.after(1.5, 1e-5) > accountant.epsilon(1e-5)
    assert Accountant().epsilon(1e-5) == 0 and Accountant().after(0, 1e-5) == float("inf")
