"""The dual value never exceeds the optimum, and meets it at the optimum."""

import numpy as np
import pytest

from rmda_ref import L1, MCP, ElasticNet, GroupLasso, NonnegativeL1, Zero
from rmda_ref.certificates.duality import dual_value, missing_certificate
from rmda_ref.losses import SquaredLoss

# One feature, x = (1, 1), y = (3, 1): P(w) = ((w - 3)^2 + (w - 1)^2)/4 + psi(w); by hand the lasso has w = 2 - lam.
LOSS = SquaredLoss(np.ones((2, 1)), np.array([3.0, 1.0]))
CASES = {
    "l1": (L1(0.5), 1.5),
    "nonnegative l1": (NonnegativeL1(0.5), 1.5),
    "group": (GroupLasso(0.5, groups=[0]), 1.5),
    "elastic net": (ElasticNet(1.0, 0.5), 1.0),
}


def objective(psi, w):
    return LOSS.value(np.array([w])) + psi.value(np.array([w]))


@pytest.mark.parametrize("name", CASES)
def test_dual_value_is_below_the_optimum_and_tight_at_it(name):
    psi, best = CASES[name]

    def dual(w):
        u = LOSS.dual_point(np.array([w]))
        return dual_value(LOSS, psi, u, u @ LOSS.X)

    assert all(dual(w) <= objective(psi, best) + 1e-15 for w in np.linspace(-5, 5, 41))
    assert dual(best) == pytest.approx(objective(psi, best), abs=1e-14)


def test_an_unscaled_dual_point_would_be_no_bound():
    u = LOSS.dual_point(np.zeros(1))
    assert -LOSS.conjugate(u) > objective(L1(0.5), 1.5), "the factor into the dual ball is needed"
    assert dual_value(LOSS, L1(0.5), u, u @ LOSS.X) < objective(L1(0.5), 1.5)


def test_what_has_no_certificate_says_so():
    assert missing_certificate(L1(1.0)) is None
    assert "not convex" in missing_certificate(MCP(1.0))
    u = LOSS.dual_point(np.zeros(1))
    assert dual_value(LOSS, Zero(), u, u @ LOSS.X) == -np.inf
