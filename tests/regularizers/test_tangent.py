"""psi along its manifold: gradient and Hessian by differences, for every regularizer that states them."""

import numpy as np
import pytest

from rmda_ref import L1, Block, Blocks, GroupLasso, Groups
from rmda_ref.regularizers import REGISTRY
from rmda_ref.regularizers.tangent import Tangent

RNG = np.random.default_rng(0)


def structured(psi, shape):
    """A point with zero and nonzero parts."""
    return psi.prox(2 * np.random.default_rng(1).standard_normal(shape), 0.5)


KNOWN = {
    name: (psi, shape) for name, (psi, shape) in REGISTRY.items() if psi.tangent(structured(psi, shape)) is not None
}


def test_the_penalties_of_the_estimators_state_it():
    for name in ("l1", "l1, weights", "elastic net", "nonnegative l1", "group lasso, lists", "zero"):
        assert name in KNOWN
    assert all(psi.convex for psi, _ in KNOWN.values())


def check(psi, shape, along):
    w, h = structured(psi, shape), 1e-5
    direction = np.where(along.active, RNG.standard_normal(shape), 0.0)
    assert (along.active | (w == 0)).all()

    def value(t):
        return psi.value(w + t * direction)

    # Values of size 10 at distance h: truncation h^2 times third derivatives, below 1e3 here, and rounding 1e-15/h.
    assert np.vdot(along.gradient, direction) == pytest.approx((value(h) - value(-h)) / (2 * h), abs=1e-6)
    second = (value(h) - 2 * value(0.0) + value(-h)) / h**2
    assert np.vdot(direction, along.hessian(direction)) == pytest.approx(second, rel=1e-3, abs=1e-3)
    bent = along.bend * direction**2
    assert np.vdot(direction, along.hessian(direction)) <= bent.sum() * (1 + 1e-12)
    np.testing.assert_array_equal(along.retract(w), w)


@pytest.mark.parametrize("name", KNOWN)
def test_gradient_and_hessian_by_differences(name):
    psi, shape = KNOWN[name]
    check(psi, shape, psi.tangent(structured(psi, shape)))


def test_a_hessian_without_the_direction_of_the_group_is_rejected():
    psi, shape = REGISTRY["group lasso, columns"]
    along = psi.tangent(structured(psi, shape))
    with pytest.raises(AssertionError):
        check(psi, shape, along._replace(hessian=lambda d: along.bend * d))


def test_a_gradient_without_the_weights_is_rejected():
    psi, shape = REGISTRY["l1, weights"]
    along = psi.tangent(structured(psi, shape))
    with pytest.raises(AssertionError):
        check(psi, shape, along._replace(gradient=0.7 * np.sign(structured(psi, shape))))


def test_what_turns_back_becomes_zero_and_the_unpenalised_may_turn():
    w = np.array([1.0, -2.0, 3.0, 4.0])
    psi = Blocks((Block("coef", (3,), GroupLasso(1.0, groups=Groups([[0, 1], [2]]).groups)), Block("bias", (1,))))
    along = psi.tangent(w)
    assert isinstance(along, Tangent)
    np.testing.assert_array_equal(along.retract(np.array([-1.0, 1.0, 2.0, -9.0])), [0.0, 0.0, 2.0, -9.0])
    free = L1(1.0, weights=[1.0, 0.0]).tangent(np.array([1.0, 0.0]))
    np.testing.assert_array_equal(free.active, [True, True])
    np.testing.assert_array_equal(free.retract(np.array([-1.0, -1.0])), [0.0, -1.0])
