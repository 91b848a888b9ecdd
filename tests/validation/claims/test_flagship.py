"""Support separation: the claims hold, and fail for an algorithm that does not identify."""

import dataclasses
from functools import cache

import numpy as np
import pytest

from rmda_ref.crosscheck.mutants import REFERENCE
from validation.claim import Setting
from validation.claims import s1_lasso_support, s2_group_lasso_support, s3_nuclear_rank, s4_network_inputs
from validation.separation import Outcome, checks

MODULES = {
    module.CLAIM.id: module for module in (s1_lasso_support, s2_group_lasso_support, s3_nuclear_rank, s4_network_inputs)
}


@cache
def measured(claim, wrong):
    implementation = dataclasses.replace(REFERENCE, **({wrong: _SWAP[wrong]} if wrong else {}))
    return MODULES[claim].measure(implementation, Setting())


_SWAP = {"RMDA": REFERENCE.ProxSGD, "ProxSGD": REFERENCE.RMDA}


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """A fifth of the steps of the quick profile is enough to see the claims hold and fail."""
    monkeypatch.setattr(s1_lasso_support, "N_STEPS", 2000)
    monkeypatch.setattr(s1_lasso_support, "N_SEEDS", 20)
    monkeypatch.setattr(s2_group_lasso_support, "N_STEPS", {"quick": 2000})
    monkeypatch.setattr(s2_group_lasso_support, "N_SEEDS", 20)
    for module in (s3_nuclear_rank, s4_network_inputs):
        monkeypatch.setattr(module, "N_STEPS", {"quick": 1000})
        monkeypatch.setattr(module, "N_SEEDS", {"quick": 2})


@pytest.mark.parametrize("claim", MODULES)
def test_rmda_identifies_and_prox_sgd_does_not(claim):
    result = measured(claim, None)
    assert result.holds, [check for check in result.checks if not check.holds]


@pytest.mark.parametrize("claim", MODULES)
def test_prox_sgd_in_the_place_of_rmda_fails(claim):
    failed = [check.quantity for check in measured(claim, "RMDA").checks if not check.holds]
    assert any("RMDA, c = 1" in quantity for quantity in failed)


@pytest.mark.parametrize("claim", MODULES)
def test_rmda_in_the_place_of_prox_sgd_fails(claim):
    failed = [check.quantity for check in measured(claim, "ProxSGD").checks if not check.holds]
    assert any("ProxSGD" in quantity for quantity in failed)


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
