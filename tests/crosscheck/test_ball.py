"""The rounding bound holds for what a correct implementation does in each dtype, and is not idle."""

from fractions import Fraction

import numpy as np
import pytest

from rmda_ref import L1, RMDA, GroupLasso, ProxSGD, Stage, Zero
from rmda_ref.certificates import exact_trajectory
from rmda_ref.crosscheck.ball import DTYPES, ROUNDINGS, Ball, Rounding
from rmda_ref.crosscheck.bounded import BallProx, on_balls


def gradients(n, shape):
    return np.round(np.random.default_rng(0).standard_normal((n, *shape)) * 32) / 32


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("psi", [Zero(), L1(0.3), GroupLasso(0.2, axis=0)], ids=["zero", "l1", "groups"])
@pytest.mark.parametrize("kind", [RMDA, ProxSGD])
def test_the_library_in_its_own_dtype_stays_within(kind, psi, dtype):
    algorithm = kind(psi, 0.3, 0.6)
    rounding = Rounding(np.dtype(dtype).name)
    start, grads = np.full((4, 3), 0.5), gradients(20, (4, 3))
    bounded, state = on_balls(algorithm, rounding), algorithm.init(start.astype(dtype))
    ball = bounded.init(rounding.exact(start))
    for grad in grads:
        state, ball = algorithm.step(state, grad.astype(dtype)), bounded.step(ball, rounding.exact(grad))
        off = np.abs(state.iterate - ball.iterate.value)
        assert np.all(off <= ball.iterate.error)
    assert np.max(ball.iterate.error) < 2e3 * np.finfo(dtype).eps  # 20 steps of some 10 operations, 4 roundings each


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_exact_trajectory_is_within_every_bound(dtype):
    grads = [[Fraction(int(32 * g), 32) for g in step] for step in gradients(8, (3,))]
    given = iter(grads)
    steps = exact_trajectory(L1(0.3), [0.5, -0.25, 0.0], lambda w: next(given), [Stage(8, 0.3, 0.5)])
    rounding = Rounding(dtype)
    algorithm = on_balls(RMDA(L1(0.3), 0.3, 0.5), rounding)
    ball = algorithm.init(rounding.exact([0.5, -0.25, 0.0]))
    for grad, step in zip(grads, steps, strict=True):
        ball = algorithm.step(ball, rounding.exact([float(g) for g in grad]))
        exact = np.array([float(x) for x in step.iterate])
        assert np.all(np.abs(exact - ball.iterate.value) <= ball.iterate.error + np.spacing(np.abs(exact)))


def test_zeros_are_certain_where_the_margin_is_larger_than_the_bound():
    rounding = Rounding("float32")
    ball = BallProx(L1(1.0), rounding).prox(Ball(np.array([0.5, 1.0, 3.0]), np.full(3, 1e-3), rounding), 1.0)
    assert ball.zero_for_sure().tolist() == [True, False, False]
    assert ball.nonzero_for_sure().tolist() == [False, False, True]
    group = BallProx(GroupLasso(1.0, axis=0), rounding).prox(
        Ball(np.full((4, 1), 0.5), np.zeros((4, 1)), rounding), 1.0
    )
    assert group.zero_for_sure().all()


def test_a_number_that_the_dtype_holds_is_exact():
    assert Rounding("bfloat16").number(0.5).error == 0
    assert Rounding("bfloat16").number(0.3).error > 0


def test_norms_whose_squares_underflow_in_float16_stay_within():
    rounding, rng = Rounding("float16"), np.random.default_rng(2)
    rows = (np.round(rng.uniform(1, 8, (200, 5))) / 8 * 2.0**-10).astype(np.float16)
    strength = np.float16(2.0**-11)
    norms = np.sqrt(np.sum(rows * rows, axis=1, keepdims=True, dtype=np.float16))  # squares are below 2^-20
    naive = rows * np.maximum(1 - strength / norms, 0).astype(np.float16)
    ball = BallProx(GroupLasso(1.0, axis=1, weights=np.ones(200)), rounding).prox(rounding.exact(rows), float(strength))
    off = np.abs(naive.astype(float) - ball.value)
    assert np.all(off <= ball.error)
    assert np.any(off > 8 * ROUNDINGS * 2.0**-11 * np.abs(ball.value))  # more than relative roundings explain


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_products_and_quotients_in_the_dtype_stay_within(dtype):
    rounding, rng = Rounding(dtype), np.random.default_rng(1)
    x, y = (np.round(rng.uniform(0.5, 2, 1000) * 64) / 64 for _ in range(2))
    a, b = rounding.exact(x), rounding.exact(y)
    low = np.dtype(dtype).type
    for ours, theirs in [(a / b * a + b, x.astype(low) / y.astype(low) * x.astype(low) + y.astype(low)),
                         (1.0 - a / 3.0, low(1) - x.astype(low) / low(3))]:  # fmt: skip
        off = np.abs(theirs - ours.value)
        assert np.all(off <= ours.error) and np.any(off > 0)
