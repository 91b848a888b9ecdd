"""The oracles of the optimizers against arithmetic, optimality conditions, the usual recurrences and special cases.

Numbers by hand are dyadic where they can be: they are then exact, else equal up to the rounding of a few operations.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize

from validation.oracles import optimizers as oracles
from validation.oracles.optimizers import AbsoluteValues, ColumnNorms, Nothing

T, SHAPE = 30, (3, 4)
CLOSE = {"rtol": 0, "atol": 1e-12}  # 30 steps, 30 terms each, at sizes up to 10, of 1.1e-16 each: at most 1e-12


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def run(rng):
    """A start, gradients, steps, and weights of the new value."""
    return rng.normal(size=SHAPE), rng.normal(size=(T, *SHAPE)), rng.uniform(0.05, 0.2, T), rng.uniform(0.1, 0.9, T)


def numbers(*values):
    """One point of one number, or a sequence of them, as (T, 1)."""
    return np.array(values, dtype=np.float64)[:, None]


def stationarity(x, pull, level):
    """How far the pull, minus the gradient of the smooth part, is from the subdifferential of level sum_j |x_:j|."""
    norms = np.linalg.norm(x, axis=0)
    at_zero = np.maximum(np.linalg.norm(pull, axis=0) - level, 0)
    elsewhere = np.linalg.norm(pull - level * x / np.where(norms > 0, norms, 1), axis=0)
    return np.where(norms > 0, elsewhere, at_zero).max()


class TestPenalties:
    def test_absolute_values_by_hand(self):
        x = AbsoluteValues(0.5).minimise(np.array([3.0, -3.0, 0.25, 1.0]), 2.0, np.array([2.0, 1.0, 1.0, 1.0]))
        assert_array_equal(x, [2.5, -2.0, 0.0, 0.0])

    def test_column_norms_by_hand(self):
        """Four rows weigh 2: at level 5 the column (3, 4, 0, 0) just becomes 0, at 2.5 it is halved."""
        centre = np.array([[3.0, 4.0, 0.0, 0.0], [6.0, 8.0, 0.0, 0.0]]).T
        psi, metric = ColumnNorms(0.5), np.ones((4, 2))
        assert_array_equal(psi.minimise(centre, 5.0, metric)[:, 0], 0)
        assert_allclose(psi.minimise(centre, 5.0, metric)[:, 1], [3, 4, 0, 0], rtol=1e-15)
        assert_allclose(psi.minimise(centre, 2.5, metric)[:, 0], [1.5, 2, 0, 0], rtol=1e-15)

    @pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
    def test_optimality_in_a_metric(self, rng, scale):
        """To rounding relative to the largest pull; the minimiser in the unit metric is far off."""
        for _ in range(20):
            centre, metric = scale * rng.normal(size=SHAPE), rng.uniform(0.1, 10, SHAPE)
            level, rounding = 0.7 * scale, 1e-14 * np.abs(metric * centre).max()
            for lam, psi in ((level / 3**0.5, ColumnNorms(1.0)), (level, AbsoluteValues(1.0))):
                groups = SHAPE if isinstance(psi, ColumnNorms) else (1, 12)
                right, wrong = psi.minimise(centre, lam, metric), psi.minimise(centre, lam, np.ones(SHAPE))
                miss = [
                    stationarity(x.reshape(groups), (metric * (centre - x)).reshape(groups), level)
                    for x in (right, wrong)
                ]
                assert miss[0] <= rounding
                assert miss[1] > 1e3 * rounding

    def test_no_point_of_an_optimizer_is_better(self, rng):
        """scipy's BFGS, which takes the norms for smooth, from a start without zeros: its objective to 1e-8."""
        centre, metric, psi = rng.normal(size=SHAPE), rng.uniform(0.5, 3, SHAPE), ColumnNorms(0.3)

        def objective(x):
            x = x.reshape(SHAPE)
            return 0.3 * 3**0.5 * np.linalg.norm(x, axis=0).sum() + np.sum(metric * (x - centre) ** 2) / 2

        x = psi.minimise(centre, 1.0, metric)
        assert objective(x) <= minimize(objective, centre.ravel(), method="BFGS").fun + 1e-12
        assert np.linalg.norm(x, axis=0).min() > 0  # so that BFGS can be held to the same
        assert minimize(objective, centre.ravel(), method="BFGS").fun <= objective(x) + 1e-8

    def test_limits(self, rng):
        centre, metric = rng.normal(size=SHAPE), rng.uniform(0.5, 3, SHAPE)
        for psi in (AbsoluteValues(0.0), ColumnNorms(0.0), Nothing()):
            assert_array_equal(psi.minimise(centre, 1.0, metric), centre)
        with pytest.raises(ValueError, match="centre must be a matrix"):
            ColumnNorms(1.0).minimise(centre[0], 1.0, metric[0])


@pytest.mark.parametrize("lr", [0.1, [0.1] * (T + 1), [0.1] * (T - 1), [[0.1]] * T])
def test_sequences_must_have_one_value_a_step(run, lr):
    w0, grads, _, c = run
    with pytest.raises(ValueError, match="lr must hold one value"):
        oracles.msgd(w0, grads, lr, c)
    with pytest.raises(ValueError, match="lr must hold one value"):
        oracles.rmda(w0, grads, lr, c, Nothing())


class TestSgd:
    def test_msgd_by_hand(self):
        """Buffers 1, 2.5, 5.25."""
        points = oracles.msgd(np.zeros(1), numbers(1, 2, 4), [1, 0.5, 0.25], [0.9, 0.5, 0.5])
        assert_array_equal(points, numbers(-1, -2.25, -3.5625))

    def test_msgd_is_its_recurrence(self, run):
        w, grads, lr, mu = run
        points, buffer = oracles.msgd(w, grads, lr, mu), 0 * w
        for t in range(T):
            buffer = mu[t] * buffer + grads[t]
            w = w - lr[t] * buffer
            assert_allclose(points[t], w, **CLOSE)

    def test_prox_sgd_by_hand(self):
        """M = 2, 0.5; centres 2, 1.375."""
        points = oracles.prox_sgd(
            np.array([3.0]), numbers(4, -4), [0.5, 0.25], [0.5, 0.25], penalty=AbsoluteValues(1.0)
        )
        assert_array_equal(points, numbers(1.5, 1.125))

    def test_prox_sgd_of_nothing_is_msgd(self, run):
        """M = c times the buffer for a constant c."""
        w0, grads, lr, _ = run
        assert_allclose(
            oracles.prox_sgd(w0, grads, lr, [0.25] * T, Nothing()),
            oracles.msgd(w0, grads, 0.25 * lr, [0.75] * T),
            **CLOSE,
        )


class TestDualAveraging:
    def test_rmda_by_hand(self):
        """s = 1: V = 2, 3, 4, 8; at t = 1, 4: alpha = t, beta = 1, 2, levels 0.25, 0.5."""
        lr, psi = 1 / np.sqrt([1, 2, 3, 4]), AbsoluteValues(0.25)
        iterate, structured = oracles.rmda(np.array([10.0]), numbers(2, 1, 1, 4), lr, [0.5, 0.25, 0.5, 1], psi)
        assert_allclose(structured[[0, 3]], numbers(7.75, 5.5), rtol=1e-15)
        assert_allclose(iterate[:2], [[8.875], [0.75 * 8.875 + 0.25 * structured[1, 0]]], rtol=1e-15)
        assert_allclose(iterate[3], structured[3], rtol=1e-15)

    def test_rmda_is_its_algorithm(self, run):
        """The recurrences of Algorithm 1 and the optimality of its subproblem."""
        w0, grads, lr, c = run
        points = oracles.rmda(w0, grads, lr, c, ColumnNorms(0.2))
        v, alpha, w = 0 * w0, 0.0, w0
        for t in range(1, T + 1):
            v, alpha = v + lr[t - 1] * t**0.5 * grads[t - 1], alpha + lr[t - 1] * t**0.5
            x = points.structured[t - 1]
            assert stationarity(x, -v - t**0.5 * (x - w0), alpha * 0.2 * 3**0.5) < 1e-12
            w = (1 - c[t - 1]) * w + c[t - 1] * x
            assert_allclose(points.iterate[t - 1], w, **CLOSE)
        assert 0 < (points.structured == 0).mean() < 1

    def test_mda_is_rmda_of_nothing(self, run):
        for ours, regularized in zip(oracles.mda(*run), oracles.rmda(*run, Nothing()), strict=True):
            assert_allclose(ours, regularized, **CLOSE)

    def test_mda_is_momentum_and_a_pull_to_the_start(self, run):
        """The momentum identity, with r_t = sqrt((t-1)/t)."""
        w0, grads, lr, c = run
        w = np.concatenate([[w0], oracles.mda(*run).iterate])
        for t in range(2, T + 1):
            r, c_t = np.sqrt((t - 1) / t), c[t - 1]
            momentum = c_t * r * (1 / c[t - 2] - 1) * (w[t - 1] - w[t - 2])
            pull = c_t * (1 - r) * (w0 - w[t - 1])
            assert_allclose(w[t], w[t - 1] - c_t * lr[t - 1] * grads[t - 1] + momentum + pull, **CLOSE)

    def test_rda_by_hand(self):
        """Means 4, 3, 2, 1; at t = 1, 4 the curvature is 2, 1."""
        points = oracles.rda(np.array([3.0]), numbers(4, 2, 0, -2), 2.0, AbsoluteValues(0.5))
        assert_allclose(points[[0, 3]], numbers(3 - 2 - 0.25, 3 - 1 - 0.5), rtol=1e-15)

    @pytest.mark.parametrize("psi", [AbsoluteValues(0.1), ColumnNorms(0.1)])
    def test_rda_is_rmda_with_falling_steps(self, run, psi):
        w0, grads, _, _ = run
        lr = 1 / (4 * np.sqrt(np.arange(1, T + 1)))
        assert_allclose(
            oracles.rda(w0, grads, 4.0, psi), oracles.rmda(w0, grads, lr, np.ones(T), psi).structured, **CLOSE
        )

    @pytest.mark.parametrize(("eps", "step"), [(0.0, 9 / 4), (4.0, 9 / 8)])
    def test_ramda_by_hand(self, eps, step):
        """V = 8, U = 64, P = 4 + eps, level 1."""
        points = oracles.ramda(np.array([4.0]), numbers(8), [1], [0.5], eps=eps, penalty=AbsoluteValues(1.0))
        assert_allclose(points.structured, [[4 - step]], rtol=1e-15)
        assert_allclose(points.iterate, (4 + points.structured) / 2, rtol=1e-15)

    def test_ramda_is_its_algorithm(self, run):
        w0, grads, lr, c = run
        points = oracles.ramda(w0, grads, lr, c, eps=1e-2, penalty=ColumnNorms(0.1))
        v, u, alpha, w = 0 * w0, 0 * w0, 0.0, w0
        for t in range(1, T + 1):
            s = lr[t - 1] * t**0.5
            v, u, alpha = v + s * grads[t - 1], u + s * grads[t - 1] ** 2, alpha + s
            x = points.structured[t - 1]
            assert stationarity(x, -v - (u ** (1 / 3) + 1e-2) * (x - w0), alpha * 0.1 * 3**0.5) < 1e-12
            w = (1 - c[t - 1]) * w + c[t - 1] * x
            assert_allclose(points.iterate[t - 1], w, **CLOSE)
        assert 0 < (points.structured == 0).mean() < 1

    def test_grda_by_hand(self):
        """g(1) = 2 * 0.5 * 0.5, g(4) = 2 * 0.5 * 1."""
        points = oracles.grda(np.array([8.0]), numbers(4, 4, 4, 4), 0.25, c=2.0, mu=0.5, penalty=AbsoluteValues(1.0))
        assert_allclose(points[[0, 3]], numbers(6.5, 3), rtol=1e-15)

    def test_grda_of_nothing_is_sgd(self, run):
        w0, grads, _, _ = run
        assert_allclose(
            oracles.grda(w0, grads, 0.1, c=1.0, mu=0.6, penalty=Nothing()),
            oracles.msgd(w0, grads, [0.1] * T, np.zeros(T)),
            **CLOSE,
        )


class TestAdaptive:
    def test_prox_adam_by_hand(self):
        """First step: m^ = g, D = |g|; 4 decays to 3, moves to 2.5, shrinks by 0.5/2."""
        points = oracles.prox_adam(
            np.array([4.0]), numbers(2), [0.5], 0.9, 0.999, eps=0.0, weight_decay=0.5, penalty=AbsoluteValues(1.0)
        )
        assert_allclose(points, numbers(2.25), rtol=1e-15)

    def test_prox_adam_is_adamw_with_an_optimal_step(self, run):
        w, grads, lr, _ = run
        points = oracles.prox_adam(w, grads, lr, 0.9, 0.99, eps=1e-2, weight_decay=0.1, penalty=ColumnNorms(0.4))
        m, v = 0 * w, 0 * w
        for t in range(1, T + 1):
            m, v = 0.9 * m + 0.1 * grads[t - 1], 0.99 * v + 0.01 * grads[t - 1] ** 2
            m_hat, d = m / (1 - 0.9**t), np.sqrt(v / (1 - 0.99**t)) + 1e-2
            x, decayed = points[t - 1], (1 - lr[t - 1] * 0.1) * w
            assert stationarity(x, -m_hat - d * (x - decayed) / lr[t - 1], 0.4 * 3**0.5) < 1e-11  # divided by lr
            w = x
        assert 0 < (points == 0).mean() < 1

    def test_prox_gen_by_hand(self):
        """m = 1, C = 1; then m = 0.25 + 0.75 * 3, C = sqrt(0.75 + 0.25 * 9)."""
        points = oracles.prox_gen(
            np.array([4.0]), numbers(2, 3), [0.5, 0.5], [0.5, 0.25], 0.75, delta=0.0, penalty=AbsoluteValues(1.0)
        )
        assert_allclose(points, numbers(3, 3 - 0.5 * (2.5 + 1) / 3**0.5), rtol=1e-15)

    def test_prox_gen_is_its_algorithm(self, run):
        w, grads, lr, rho = run
        points = oracles.prox_gen(w, grads, lr, rho, 0.9, delta=1e-2, penalty=ColumnNorms(0.3))
        m, v = 0 * w, 0 * w
        for t in range(T):
            m, v = rho[t] * m + (1 - rho[t]) * grads[t], 0.9 * v + 0.1 * grads[t] ** 2
            x = points[t]
            assert stationarity(x, -m - (np.sqrt(v) + 1e-2) * (x - w) / lr[t], 0.3 * 3**0.5) < 1e-11  # divided by lr
            w = x
        assert 0 < (points == 0).mean() < 1


def halves(i, w):
    """The gradients of x^2/2 and 3 x^2/2."""
    return (1 + 2 * i) * w


class TestVarianceReduction:
    def test_prox_svrg_by_hand(self):
        """Directions 2, 0.5; the second epoch starts at (0.5 + 0.375)/2, where the full gradient is 0.875."""
        points = oracles.prox_svrg(halves, 2, np.ones(1), 0.25, [[0, 1], [0]], Nothing())
        assert_array_equal(points, numbers(0.5, 0.375, 0.4375 - 0.25 * 0.875))

    def test_prox_saga_by_hand(self):
        """Tables (1, 3), (1, 3), (0.5, 3), (0.5, 0.375)."""
        points = oracles.prox_saga(halves, 2, np.ones(1), 0.25, [0, 0, 1, 1], Nothing())
        assert_array_equal(points, numbers(0.5, 0.125, 0.34375, 0.34375 - 0.25 * 1.09375))

    def test_of_one_component_they_are_proximal_gradients(self):
        psi, w0 = AbsoluteValues(0.5), np.array([3.0, -2.0])
        x, expected = w0, []
        for _ in range(5):
            x = psi.minimise(x - 0.1 * (x - 1), 0.1, np.ones(2))
            expected.append(x)
        saga = oracles.prox_saga(lambda i, w: w - 1, 1, w0, 0.1, [0] * 5, psi)
        svrg = oracles.prox_svrg(lambda i, w: w - 1, 1, w0, 0.1, [[0]] * 5, psi)
        assert_allclose(saga, expected, **CLOSE)
        assert_allclose(svrg, expected, **CLOSE)

    def test_they_find_the_minimiser(self, rng):
        """Of a lasso, to a thousandth of the violation at the start, in 100 passes; plain steps of that size do not."""
        a, b, psi = rng.normal(size=(8, 3)), rng.normal(size=8), AbsoluteValues(0.2)

        def gradient(i, w):
            return a[i] * (a[i] @ w - b[i])

        def violation(w):
            return stationarity(w[None], (-a.T @ (a @ w - b) / 8)[None], 0.2)

        indices, lr, w0 = [int(i) for i in rng.integers(8, size=800)], 1 / (3 * max(np.sum(a**2, axis=1))), np.ones(3)
        order = [indices[k : k + 40] for k in range(0, 800, 40)]
        plain = w0
        for i in indices:
            plain = psi.minimise(plain - lr * gradient(i, plain), lr, np.ones(3))
        saga = oracles.prox_saga(gradient, 8, w0, lr, indices, psi)[-1]
        svrg = oracles.prox_svrg(gradient, 8, w0, lr, order, psi)[-1]
        assert max(violation(saga), violation(svrg)) < 1e-3 * violation(w0) < violation(plain)
