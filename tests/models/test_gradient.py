"""The gradient graph agrees with finite differences of its own loss, and with the streaming step."""

import numpy as np
import pytest

from models.package import Package, folder_of
from models.runtimes.litert import LiteRt


@pytest.fixture(scope="module")
def graph():
    package = Package(folder_of("ecg"))
    return LiteRt(package.gradient().data(), "grad.tflite"), package


def inputs_of(package, seed=1):
    """A batch as it comes in use: tokens, half-filled caches, shipped parameters, labels."""
    rng, facts = np.random.default_rng(seed), package.manifest["grad"]
    weights = np.load(package.folder / "weights.npz")
    values = {name: rng.normal(0, .5, shape) for name, shape in facts["inputs"].items()}
    values.update({name: np.array(c["default"]) for name, c in package.manifest["controls"].items()})
    values.update(head=weights["head"], head_b=weights["head_b"], target=np.eye(4)[rng.integers(0, 4, facts["batch"])])
    values["k"][:, :, :, :10] = values["v"][:, :, :, :10] = 0
    return {name: np.asarray(value, np.float32) for name, value in values.items()}


@pytest.mark.parametrize("name", ["bias", "temperature", "head", "head_b"])
def test_gradients_agree_with_finite_differences(graph, name):
    runtime, package = graph
    values = inputs_of(package)
    found = runtime.run(values)["d_" + name]
    rng = np.random.default_rng(2)
    for _ in range(6):
        direction = rng.normal(0, 1, values[name].shape).astype(np.float32)
        direction /= np.linalg.norm(direction)
        step = 1e-2
        up, down = (runtime.run(dict(values, **{name: values[name] + sign * step * direction}))["loss"][0] for sign in (1, -1))
        numeric, analytic = (up - down) / (2 * step), float((found * direction).sum())
        assert abs(numeric - analytic) < .02 * max(1, abs(analytic)), (numeric, analytic)


def test_a_step_against_the_gradient_lowers_the_loss(graph):
    runtime, package = graph
    values = inputs_of(package, 5)
    first = runtime.run(values)
    moved = dict(values, **{name: values[name] - .01 * first["d_" + name] for name in ("bias", "head", "head_b")})
    assert runtime.run(moved)["loss"][0] < first["loss"][0]


def test_a_row_without_a_label_counts_nothing(graph):
    runtime, package = graph
    values = inputs_of(package)
    values["target"][4:] = 0
    first = runtime.run(values)
    values["beat"][4:] += 1
    again = runtime.run(values)
    assert np.allclose(first["d_head"], again["d_head"], atol=1e-4) and np.allclose(first["loss"], again["loss"], atol=1e-4)
