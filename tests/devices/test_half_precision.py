"""Parameters in half precision, V in float32: on PyTorch's arrays, for array-api-strict has no such numbers."""

import numpy as np
import pytest

from rmda_ref import L1, RMDA, GroupLasso

pytestmark = pytest.mark.needs("torch")
UNIT = 2.0**-11  # half a unit in the last place of float16, relative


@pytest.fixture
def torch(simulated, monkeypatch):
    import torch

    from rmda_ref import namespace

    monkeypatch.setattr(namespace, "CUPY", "torch")
    return torch


def steppers(torch, algorithm, storage, shape=(12,)):
    from rmda_ref.algorithms.device_stepper import DeviceStepper

    w0 = np.random.default_rng(0).standard_normal(shape).astype(np.float16).astype(np.float32)
    return algorithm.stepper(w0), DeviceStepper(algorithm, algorithm.init(torch.asarray(w0)), storage=storage)


@pytest.mark.parametrize("momentum", [1.0, 0.5])
@pytest.mark.parametrize("regularizer", [L1(lam=0.3), GroupLasso(lam=0.2, axis=1)])
def test_w_is_rounded_and_nothing_else(torch, regularizer, momentum):
    algorithm = RMDA(regularizer, step_size=0.3, momentum=momentum)
    full, stored = steppers(torch, algorithm, "float16", (4, 3))
    for seed in range(5):
        grad = np.random.default_rng(seed).standard_normal((4, 3)).astype(np.float16)
        full.step(grad.astype(np.float32))
        stored.step(torch.asarray(grad))
    mine, theirs = full.state, stored.state
    assert stored.iterate.dtype == torch.float16 and theirs.iterate.dtype == torch.float32
    ulp = 4 * np.finfo(np.float32).eps  # the compiler may add products otherwise
    np.testing.assert_allclose(theirs.grad_sum.numpy(), mine.grad_sum, rtol=0, atol=ulp * np.abs(mine.grad_sum).max())
    # The roundings of W add up to at most 1/c of one.
    atol = np.abs(mine.iterate).max() * UNIT / momentum
    np.testing.assert_allclose(theirs.iterate.numpy(), mine.iterate, rtol=0, atol=atol)
    np.testing.assert_array_equal(theirs.prox_iterate.numpy() == 0, mine.prox_iterate == 0)


def test_a_sum_in_half_precision_would_be_seen(torch):
    """V grows; in float16 its roundings are 2^13 times as large as in float32."""
    algorithm = RMDA(L1(lam=0.3), step_size=0.3)
    _, stored = steppers(torch, algorithm, "float16")
    grad = torch.full((12,), 1 / 3, dtype=torch.float16)
    for _ in range(9):
        stored.step(grad)
    V = stored.state.grad_sum.numpy()
    exact = 0.3 * float(grad[0]) * sum(np.sqrt(np.arange(1, 10)))
    assert np.abs(V - exact).max() < 10 * np.finfo(np.float32).eps * exact < np.abs(np.float16(exact) - exact)


def test_storage_is_checked(torch):
    from rmda_ref.algorithms.device_stepper import DeviceStepper

    algorithm = RMDA(L1(lam=0.3), step_size=0.3)
    with pytest.raises(ValueError, match=r"storage must be one of float16, bfloat16, or None, got 'float8'"):
        steppers(torch, algorithm, "float8")
    with pytest.raises(TypeError, match=r"storage='float16' needs a float32 state, got torch.float64; convert w0"):
        DeviceStepper(algorithm, algorithm.init(torch.zeros(3, dtype=torch.float64)), storage="float16")
    _, stored = steppers(torch, algorithm, "float16")
    with pytest.raises(TypeError, match=r"grad has dtype torch.float32, the parameter torch.float16"):
        stored.step(torch.zeros(12))
    assert stored.t == 0
