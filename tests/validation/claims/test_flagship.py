"""Support separation: the claims hold, and fail for an algorithm that does not identify."""

import dataclasses

import numpy as np
import pytest
from scipy.stats import norm

from rmda_ref.crosscheck.mutants import REFERENCE
from validation.claim import Setting
from validation.claims import (
    s1_lasso_support,
    s2_group_lasso_support,
    s3_nuclear_rank,
    s4_network_inputs,
    s5_logistic_support,
    s6_finite_sum_support,
)
from validation.separation import Outcome, checks, union_bound

# Seeds and steps that are enough to see the claim hold; a tenth is not scored.
SIZES = {
    s1_lasso_support: (10, 1200),
    s2_group_lasso_support: (10, 1200),
    s3_nuclear_rank: (2, 500),
    s4_network_inputs: (2, 1000),
    s5_logistic_support: (10, 1300),
    s6_finite_sum_support: (2, 13_000),
}
MODULES = {module.CLAIM.id: module for module in SIZES}
_SWAP = {"RMDA": REFERENCE.ProxSGD, "ProxSGD": REFERENCE.RMDA}


def resize(monkeypatch, claim, n_seeds, n_steps):
    monkeypatch.setattr(MODULES[claim], "N_SEEDS", (n_seeds, n_seeds))
    monkeypatch.setattr(MODULES[claim], "N_STEPS", (n_steps, n_steps))


@pytest.mark.parametrize("claim", MODULES)
def test_rmda_identifies_and_prox_sgd_does_not(claim, monkeypatch):
    resize(monkeypatch, claim, *SIZES[MODULES[claim]])
    result = MODULES[claim].measure(REFERENCE, Setting())
    assert result.holds, [check for check in result.checks if not check.holds]
    assert any("RAMDA" in check.quantity for check in result.checks) == (claim in {"S2", "S4", "S5"})


@pytest.mark.parametrize("wrong", _SWAP)
@pytest.mark.parametrize("claim", MODULES)
def test_one_algorithm_in_the_place_of_the_other_fails(claim, wrong, monkeypatch):
    resize(monkeypatch, claim, 1, 500)
    implementation = dataclasses.replace(REFERENCE, **{wrong: _SWAP[wrong]})
    failed = [check.quantity for check in MODULES[claim].measure(implementation, Setting()).checks if not check.holds]
    assert any(f"{wrong}, c = 1" in quantity or f"{wrong}:" in quantity for quantity in failed), failed


def test_union_bound():
    """At one scored step, of one entry, without a pull: three times RMDA's Gaussian tail and once RDA's."""
    assert union_bound(1.0, 1.0, 1, 0.0, 0.1, 1) == pytest.approx(4 * 2 * norm.sf(1.0))  # sqrt(1 * 2/2)/1 = 1 at t = 1
    some = union_bound(0.5, 1.0, 3, 0.2, 0.1, 200)
    assert some > union_bound(0.5, 1.0, 3, 0.1, 0.1, 200) > union_bound(0.6, 1.0, 3, 0.1, 0.1, 200)
    assert s1_lasso_support.FAILURE_PROBABILITY < 1e-7
    assert s2_group_lasso_support.FAILURE_PROBABILITY < 1e-7


def test_no_row_of_the_projection_is_larger_than_the_bound_of_s1_says():
    """The closed form for the correlated Hessian against the matrices of ten draws."""
    for seed in range(10):
        problem = s1_lasso_support.planted(0.5, Setting(seed=seed))
        active, h = problem.solution != 0, problem.smooth.hessian
        m = h[np.ix_(~active, active)] @ np.linalg.inv(h[np.ix_(active, active)])
        assert np.abs(m).sum(axis=1).max() <= 2 * s1_lasso_support._NEIGHBOUR + 1e-12  # rounding
        assert np.sqrt(1 + (m**2).sum(axis=1)).max() * s1_lasso_support.SIGMA <= s1_lasso_support._DEVIATION + 1e-12


def outcome(right):
    return Outcome(np.array(right), np.zeros(1))


def test_scoring():
    """The first tenth is not scored; one wrong step spoils its seed and its window of 100 steps."""
    right = np.ones((2000, 2), bool)
    right[:200] = False
    assert all(check.holds for check in checks({"RMDA": outcome(right)}, ""))
    right[700, 1] = False
    (seeds,) = checks({"RMDA": outcome(right)}, "")
    assert (seeds.measured, seeds.holds) == (1, False)
    assert "T0 = 701" in seeds.quantity
    (windows,) = checks({"ProxSGD": outcome(right)}, "")
    assert (windows.measured, windows.holds) == (0, False)  # the first seed has no wrong window, the second one of 18
    (windows,) = checks({"ProxSGD": outcome(~right)}, "")
    assert windows.holds
    many = np.zeros((2000, 200), bool)
    many[:, 0] = True
    (windows,) = checks({"ProxSGD": outcome(many)}, "")
    assert not windows.holds  # though 99.5% of all windows are wrong: one seed identified
