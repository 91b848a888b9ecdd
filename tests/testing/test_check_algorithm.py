"""check_algorithm passes the library's optimizers and rejects each broken promise."""

import dataclasses
from typing import ClassVar

import numpy as np
import pytest

from rmda_ref import L1, RDA, RMDA, GroupLasso, ProxSGD
from rmda_ref.testing import check_algorithm

W0 = np.linspace(-1, 1, 6)


@pytest.mark.parametrize(
    "algorithm",
    [
        RMDA(L1(lam=0.1), 0.2, 0.3),
        RDA(L1(lam=0.1), 2.0),
        ProxSGD(L1(lam=0.1), 0.2),
        RMDA(GroupLasso(lam=0.1, groups=[0, 0, 1, 1, 2, 2]), 0.2),
    ],
    ids=lambda algorithm: type(algorithm).__name__,
)
def test_the_library_passes(algorithm):
    check_algorithm(algorithm, W0)


class InPlace(RMDA):
    """Writes into the sum of gradients of the state it was given."""

    def step(self, state, grad):
        after = super().step(state, grad)
        state.grad_sum[...] = after.grad_sum
        return after


class LetsNanPass(RMDA):
    """No check of the gradient."""

    def step(self, state, grad):
        if np.isfinite(grad).all():
            return super().step(state, grad)
        return state


class Hidden(RMDA):
    """A clock of its own."""

    clock: ClassVar = [0]

    def step(self, state, grad):
        self.clock[0] += 1
        return super().step(state, grad * (1 + 1e-3 * self.clock[0]))


class KeepsSum(RMDA):
    """A restart that keeps V."""

    def restart(self, state):
        return dataclasses.replace(super().restart(state), grad_sum=state.grad_sum)


class KeepsClock(RMDA):
    """A restart that keeps t."""

    def restart(self, state):
        return dataclasses.replace(super().restart(state), t=state.t)


class OtherStepper(RMDA):
    """A stepper with another step size."""

    def stepper(self, start):
        return RMDA(self.regularizer, 1.01 * self.step_size, self.momentum).stepper(start)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (InPlace, "modified its argument"),
        (LetsNanPass, "accepts a gradient with a NaN"),
        (Hidden, "taken twice from one state differs"),
        (KeepsSum, "remembers what was before"),
        (KeepsClock, "after a restart t = 20"),
        (OtherStepper, "the stepper departs from the pure step at step 1"),
    ],
)
def test_a_broken_promise_is_named(kind, message):
    with pytest.raises(AssertionError, match=message):
        check_algorithm(kind(L1(lam=0.1), 0.2, 0.3), W0)
