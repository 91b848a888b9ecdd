"""The fused stepper is the pure step."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmda_ref import L1, RDA, RMDA, GroupLasso, ProxSGD
from rmda_ref.backends.numba import PARALLEL_FROM
from rmda_ref.kernels.metric_group_soft_threshold import metric_group_soft_threshold
from rmda_ref.regularizers import REGISTRY

# The tests below also drive a row kernel, which no shipped regularizer needs without a metric.


@dataclass(frozen=True, eq=False)
class RowDriven(GroupLasso):
    """The group lasso by its row kernel."""

    driven = "row"
    kernel = metric_group_soft_threshold


CASES = [pytest.param(*case, id=name) for name, case in REGISTRY.items()] + [
    pytest.param(RowDriven(lam=0.4, axis=0), (3, 4), id="row kernel, columns"),
    pytest.param(RowDriven(lam=0.4, groups=[[0, 5], [4, 1, 2], [3]]), (6,), id="row kernel, lists"),
]


def algorithms(regularizer):
    return (
        RMDA(regularizer, step_size=0.3, momentum=0.4),
        RMDA(regularizer, step_size=lambda t: 0.5 / t),
        RDA(regularizer, gamma=2.0),
        ProxSGD(regularizer, step_size=0.2, momentum=0.7),
    )


def assert_agree(algorithm, w0, grads, ulps):
    """After every step, in units in the last place of the largest number the step handled."""
    state, stepper = algorithm.init(w0), algorithm.stepper(w0)
    largest = np.abs(w0).max()
    for grad in grads:
        state = algorithm.step(state, grad)
        stepper.step(grad)
        fused = stepper.state
        largest = max(largest, np.abs(state.iterate).max(), np.abs(stepper._buffers.direction).max())
        tolerance = ulps * np.finfo(w0.dtype).eps * largest
        np.testing.assert_allclose(stepper.iterate, state.iterate, rtol=0, atol=tolerance)
        np.testing.assert_allclose(fused.prox_iterate, state.prox_iterate, rtol=0, atol=tolerance)
        assert fused.t == state.t and fused.iterate.dtype == w0.dtype
        # Structure is decided alike, except within rounding of a threshold.
        differ = (fused.prox_iterate == 0) != (state.prox_iterate == 0)
        assert np.abs(state.prox_iterate[differ]).max(initial=0) <= tolerance


def is_entrywise(regularizer):
    return regularizer.separable


@pytest.mark.parametrize(("regularizer", "shape"), CASES)
@settings(max_examples=15, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1), dtype=st.sampled_from([np.float32, np.float64]), size=st.floats(-3, 3))
def test_fused_is_pure(regularizer, shape, seed, dtype, size):
    """2 ulp for entrywise kernels; elsewhere the bound of a sum of at most 6 squares, a root and a quotient."""
    rng = np.random.default_rng(seed)
    w0 = (rng.standard_normal(shape) * 10**size).astype(dtype)
    grads = (rng.standard_normal((12, *shape)) * 10**size).astype(dtype)
    for algorithm in algorithms(regularizer):
        assert_agree(algorithm, w0, grads, ulps=2 if is_entrywise(regularizer) else 16)


@pytest.mark.parametrize("wrong", [RMDA(L1(lam=0.7), 0.3, 0.41), RMDA(L1(lam=0.7001), 0.3, 0.4)])
def test_another_algorithm_does_not_agree(wrong):
    rng = np.random.default_rng(0)
    right = RMDA(L1(lam=0.7), 0.3, 0.4)
    w0, grads = rng.standard_normal(12), rng.standard_normal((12, 12))

    class Mixed:
        init, step, stepper = right.init, right.step, wrong.stepper

    with pytest.raises(AssertionError):
        assert_agree(Mixed, w0, grads, ulps=16)


@pytest.mark.parametrize("regularizer", [L1(lam=0.7), GroupLasso(lam=0.4, axis=-1), GroupLasso(lam=0.4, axis=0)])
def test_parallel_is_pure(regularizer):
    rng = np.random.default_rng(0)
    shape = (PARALLEL_FROM // 64 + 1, 64)  # the smallest that goes parallel
    w0, grads = rng.standard_normal(shape), rng.standard_normal((3, *shape))
    # Columns of 4097 entries: the two sums of squares differ by at most n u relative, sqrt halves it.
    assert_agree(RMDA(regularizer, 0.3, 0.4), w0, grads, ulps=2 if is_entrywise(regularizer) else 4097)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("regularizer", "shape"), CASES)
def test_no_negative_zeros(regularizer, shape, dtype):
    """A zero of the structured point is +0, as in the pure step: -0 would be seen by 1/w, signbit, or a byte hash."""
    w0 = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    for algorithm in (RMDA(regularizer, 100.0), RDA(regularizer, 0.01), ProxSGD(regularizer, 100.0)):
        stepper = algorithm.stepper(w0)
        for _ in range(3):
            stepper.step(np.zeros_like(w0))
            found = stepper.state.prox_iterate
            assert not np.signbit(found[found == 0]).any()


@pytest.mark.parametrize(
    ("dtype", "scale"),
    [
        *((np.float64, scale) for scale in (1e-200, 1e-160, 1e160, 1e200)),
        *((np.float32, scale) for scale in (1e-30, 1e-22, 1e19, 1e30)),
    ],
)
@pytest.mark.parametrize("axis", [0, 1])
def test_squares_that_leave_the_range(dtype, scale, axis):
    """Of the dtype; the norm of a row of at most 10 errs by a few roundings, far below the 10 u granted."""
    rng = np.random.default_rng(0)
    w0, grad = (rng.standard_normal((2, 6, 10)) * scale).astype(dtype)
    algorithm = RMDA(GroupLasso(lam=0.5 * scale, axis=axis), 0.3, 0.4)
    state, stepper = algorithm.step(algorithm.init(w0), grad), algorithm.stepper(w0)
    stepper.step(grad)
    # In units of the scale, where nothing leaves the range: the pure step is right, not only equal to the fused one.
    plain = RMDA(GroupLasso(lam=0.5, axis=axis), 0.3, 0.4)
    expected = plain.step(plain.init(w0.astype(float) / scale), grad.astype(float) / scale)
    assert np.count_nonzero(state.prox_iterate) > 0
    atol = 10 * np.finfo(dtype).eps * np.abs(w0).max()
    np.testing.assert_allclose(stepper.iterate, state.iterate, rtol=0, atol=atol)
    np.testing.assert_allclose(stepper.iterate, expected.iterate * scale, rtol=0, atol=atol)


def test_stepper_goes_on_from_a_state_bit_for_bit():
    rng = np.random.default_rng(0)
    grads = rng.standard_normal((20, 3, 4))
    algorithm = RMDA(GroupLasso(lam=0.1, axis=0), 0.3, 0.4)
    whole, first = algorithm.stepper(np.ones((3, 4))), algorithm.stepper(np.ones((3, 4)))
    for grad in grads:
        whole.step(grad)
    for grad in grads[:7]:
        first.step(grad)
    second = algorithm.stepper(first.state)
    for grad in grads[7:]:
        second.step(grad)
    for name in ("anchor", "iterate", "prox_iterate", "grad_sum", "weight", "t"):
        np.testing.assert_array_equal(getattr(second.state, name), getattr(whole.state, name))


def test_restart_with_other_hyper_parameters():
    rng = np.random.default_rng(0)
    grads = rng.standard_normal((6, 4))
    stepper = RMDA(L1(lam=0.1), 0.3, 0.4).stepper(np.ones(4))
    state = RMDA(L1(lam=0.1), 0.3, 0.4).init(np.ones(4))
    for grad in grads[:3]:
        stepper.step(grad)
        state = RMDA(L1(lam=0.1), 0.3, 0.4).step(state, grad)
    stepper.restart(step_size=0.01, momentum=1.0)
    state = RMDA(L1(lam=0.1), 0.01).restart(state)
    np.testing.assert_array_equal(stepper.state.prox_iterate, state.prox_iterate)
    for grad in grads[3:]:
        stepper.step(grad)
        state = RMDA(L1(lam=0.1), 0.01).step(state, grad)
    np.testing.assert_allclose(stepper.iterate, state.iterate, rtol=0, atol=4e-16)  # 2 ulp at 1
    assert stepper.t == 3
    with pytest.raises(ValueError, match="step_size must lie"):
        stepper.restart(step_size=-1.0)
    assert stepper.t == 3


def test_the_iterate_is_a_live_read_only_view():
    stepper = RMDA(L1(lam=0.1), 0.3).stepper(np.ones(2))
    view, snapshot = stepper.iterate, stepper.state
    stepper.step(np.array([1.0, -1.0]))
    assert view[0] != 1.0 and snapshot.iterate[0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 0.0


def test_fortran_and_strided_gradients():
    rng = np.random.default_rng(0)
    grad = rng.standard_normal((3, 4))
    algorithm = RMDA(GroupLasso(lam=0.1, axis=0), 0.3, 0.4)
    steppers = [algorithm.stepper(np.asfortranarray(np.ones((3, 4)))) for _ in range(3)]
    for stepper, given_grad in zip(
        steppers, (grad, np.asfortranarray(grad), np.repeat(grad, 2, 1)[:, ::2]), strict=True
    ):
        stepper.step(given_grad)
        np.testing.assert_array_equal(stepper.iterate, steppers[0].iterate)
