"""The prox in a diagonal metric where psi has none in closed form: its certificate is true, and it is the minimiser."""

import numpy as np
import pytest

from rmda_ref import L1, MCP, RAMDA, Block, Blocks, GroupLasso, Nuclear, ProxAdam, ProxGen, Rows, Slope
from rmda_ref.algorithms import diagonal_prox as module
from rmda_ref.algorithms.diagonal_prox import diagonal_prox

RNG = np.random.default_rng(0)
CENTRE, METRIC = RNG.standard_normal((3, 4)), 10 ** RNG.uniform(-1, 1, (3, 4))
CASES = [
    pytest.param(Nuclear(lam=0.7), id="nuclear"),
    pytest.param(Slope(1.0, (0.9, 0.5, 0.2, 0.1), layout=Rows(-1)), id="slope"),
]


def objective(psi, x, step=0.8):
    return step * psi.value(x) + (METRIC * (x - CENTRE) ** 2).sum() / 2


@pytest.mark.parametrize("psi", CASES)
@pytest.mark.parametrize("tolerance", [1e-2, 1e-5, 1e-9])
def test_some_subgradient_is_within_the_tolerance(psi, tolerance):
    """Asked of the regularizer itself, for which step d psi(x) is what its `subdiff_distance` knows."""
    x = diagonal_prox(psi, CENTRE, 0.8, METRIC, np.zeros_like(CENTRE), tolerance)
    residual = 0.8 * psi.subdiff_distance(x, -METRIC * (x - CENTRE) / 0.8)
    assert residual <= tolerance + 1e-13  # rounding of terms of size 10
    assert objective(psi, x) <= objective(psi, np.zeros_like(CENTRE))


@pytest.mark.parametrize("psi", CASES)
def test_no_point_near_or_far_is_better(psi):
    x = diagonal_prox(psi, CENTRE, 0.8, METRIC, CENTRE, 1e-9)
    for size in (1e-4, 1e-2, 1.0):
        for _ in range(20):
            assert objective(psi, x + size * RNG.standard_normal(x.shape)) > objective(psi, x)


def test_a_prox_without_the_metric_is_not_the_minimiser():
    """What the tests above would reject: the euclidean prox in its place."""
    psi = Nuclear(lam=0.7)
    wrong = psi.prox(CENTRE, 0.8)
    assert psi.subdiff_distance(wrong, -METRIC * (wrong - CENTRE) / 0.8) > 0.1
    assert objective(psi, wrong) > objective(psi, diagonal_prox(psi, CENTRE, 0.8, METRIC, CENTRE, 1e-9)) + 0.01


def test_a_constant_metric_is_a_shorter_step():
    psi = Nuclear(lam=0.7)
    x = diagonal_prox(psi, CENTRE, 0.8, np.full_like(CENTRE, 4.0), np.zeros_like(CENTRE), 1e-9)
    np.testing.assert_allclose(x, psi.prox(CENTRE, 0.2), atol=1e-14)  # two roundings


def test_an_exact_prox_is_used_where_there_is_one():
    psi = GroupLasso(0.3, axis=0)
    np.testing.assert_array_equal(diagonal_prox(psi, CENTRE, 0.8, METRIC, CENTRE, 1.0), psi.prox(CENTRE, 0.8, METRIC))


def test_blocks_are_solved_block_by_block():
    psi = Blocks((Block("low", (3, 4), Nuclear(0.7)), Block("sparse", (3, 4), L1(0.3)), Block("bias", (2,))))
    flat = np.concatenate([CENTRE.ravel(), CENTRE.ravel(), np.ones(2)])
    metric = np.concatenate([METRIC.ravel(), METRIC.ravel(), np.ones(2)])
    x = diagonal_prox(psi, flat, 0.8, metric, np.zeros_like(flat), 1e-9)
    low, sparse, bias = psi.split(x).values()
    np.testing.assert_array_equal(low, diagonal_prox(Nuclear(0.7), CENTRE, 0.8, METRIC, np.zeros((3, 4)), 1e-9))
    np.testing.assert_array_equal(sparse, L1(0.3).prox(CENTRE, 0.8, METRIC))
    np.testing.assert_array_equal(bias, np.ones(2))


def test_a_tolerance_out_of_reach_is_an_error(monkeypatch):
    monkeypatch.setattr(module, "MAX_ITERATIONS", 3)
    with pytest.raises(ArithmeticError, match=r"the prox of Nuclear .* above the tolerance 1e-09; raise tolerance"):
        diagonal_prox(Nuclear(0.7), CENTRE, 0.8, METRIC, CENTRE, 1e-9)


@pytest.mark.parametrize("kind", [RAMDA, ProxAdam, ProxGen])
def test_what_proves_nothing_is_refused(kind):
    psi = Blocks((Block("rows", (3, 4), MCP(lam=1.0, gamma=2.0, layout=Rows(0))),))
    with pytest.raises(TypeError, match=f"{kind.__name__} steps in a diagonal metric; MCP has no exact prox in one"):
        kind(psi, 0.1)


@pytest.mark.parametrize("kind", [RAMDA, ProxAdam, ProxGen])
def test_a_step_that_is_not_solved_changes_nothing(kind, monkeypatch):
    algorithm = kind(Nuclear(0.7), 0.1)
    state = algorithm.step(algorithm.init(CENTRE), METRIC)
    before = {name: np.copy(value) for name, value in vars(state).items()}
    monkeypatch.setattr(module, "MAX_ITERATIONS", 0)
    with pytest.raises(ArithmeticError):
        algorithm.step(state, METRIC)
    for name, value in before.items():
        np.testing.assert_array_equal(getattr(state, name), value)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_start_at_the_minimiser_is_no_obstacle(dtype):
    """Its value of Q may lie below that of every other point by a rounding."""
    psi, centre, metric = Nuclear(lam=0.7), CENTRE.astype(dtype), METRIC.astype(dtype)
    x = centre
    for _ in range(5):
        x = diagonal_prox(psi, centre, 0.8, metric, x, 1e-4)
    assert x.dtype == dtype


def test_a_tolerance_below_rounding_is_taken_for_rounding():
    """In float32 a residual of 1e-12 cannot be seen: the point is as good as the dtype allows, judged in float64."""
    psi, centre, metric = Nuclear(lam=0.7), CENTRE.astype(np.float32), METRIC.astype(np.float32)
    x = diagonal_prox(psi, centre, 0.8, metric, centre, 1e-12).astype(float)
    exact = diagonal_prox(psi, CENTRE, 0.8, METRIC, CENTRE, 1e-12)
    floor = 8 * np.finfo(np.float32).eps * METRIC.max() * np.linalg.norm(x)
    assert np.linalg.norm(x - exact) <= 2 * floor / METRIC.min()  # residual over the modulus; and rounded data
