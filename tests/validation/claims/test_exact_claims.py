"""The exact claims and the first two statistical ones: they hold, and they kill the mutants that they promise to."""

import dataclasses
from functools import cache

import numpy as np
import pytest

from rmda_ref import L1
from rmda_ref.crosscheck.mutants import REFERENCE, RMDA_MUTANTS
from validation.claim import Check, Setting
from validation.claims import (
    a1_scalar_recurrence,
    a2_momentum_identity,
    a3_anchor_decay,
    a8_restart_contraction,
    a9_subproblem_kkt,
    a12_layer_step,
    a13_other_subproblems,
    a14_independent_implementations,
    b1_dual_average_variance,
    c4_proxsgd_exit,
    e1_rda_equivalence,
)
from validation.symmetries import symmetries
from validation.trial import Trial, attempt

MODULES = (
    a1_scalar_recurrence,
    a2_momentum_identity,
    a3_anchor_decay,
    a8_restart_contraction,
    a9_subproblem_kkt,
    a12_layer_step,
    a13_other_subproblems,
    a14_independent_implementations,
    b1_dual_average_variance,
    c4_proxsgd_exit,
    e1_rda_equivalence,
)
CLAIMS = {module.CLAIM.id: module.CLAIM for module in MODULES}
KILLS = [(claim.id, mutant) for claim in CLAIMS.values() for mutant in claim.kills]
SHAPE = (4, 5)


@cache
def trial(claim: str, implementation: str) -> Trial:
    return attempt(CLAIMS[claim], implementation, Setting())


def missed_tenfold(check: Check) -> bool:
    room = max(check.high - check.predicted, check.predicted - check.low)
    return not check.holds and not abs(check.measured - check.predicted) < 10 * room  # NaN misses too


@pytest.mark.parametrize("claim", CLAIMS)
def test_the_reference_holds(claim):
    found = trial(claim, REFERENCE.name)
    assert found.holds, found.failure


@pytest.mark.parametrize(("claim", "mutant"), KILLS)
def test_a_mutant_is_killed_far_beyond_the_bar(claim, mutant):
    found = trial(claim, mutant)
    if found.measurement is None:
        assert "non-finite" in found.failure  # it diverged: another error would be a mistake of the claim
    else:
        assert any(missed_tenfold(check) for check in found.measurement.checks)


@pytest.mark.parametrize("mutant", RMDA_MUTANTS)
def test_restarts_and_optimality_kill_every_mutant_of_rmda(mutant):
    assert not (trial("A8", mutant).holds and trial("A9", mutant).holds)


@pytest.mark.parametrize("mutant", a9_subproblem_kkt.CLAIM.kills)
def test_the_residuals_need_no_symmetry_to_kill(mutant):
    checks = trial("A9", mutant).measurement.checks
    assert not all(check.holds for check in checks[: len(a9_subproblem_kkt.RESIDUALS)])


def test_optimality_sees_all_but_the_restarts():
    survivors = {mutant for mutant in RMDA_MUTANTS if trial("A9", mutant).holds}
    assert survivors == {"norst_anchor", "norst_V", "norst_alpha", "norst_t"}


def test_without_momentum_rda_sees_neither_the_average_nor_where_the_gradient_is_taken():
    survivors = {mutant for mutant in RMDA_MUTANTS if trial("E1", mutant).holds}
    assert {"c_late", "grad_at_prox"} == {mutant for mutant in survivors if not mutant.startswith("norst")}


@pytest.mark.parametrize("symmetry", symmetries(np.random.default_rng(0), SHAPE), ids=lambda s: s.name)
def test_a_regularizer_without_the_symmetry_is_noticed(symmetry):
    draw = a9_subproblem_kkt.Draw.of(np.random.default_rng(1), SHAPE)
    wrong = dataclasses.replace(symmetry, changed_regularizer=L1(0.9))
    assert a9_subproblem_kkt.difference(REFERENCE, symmetry, draw) <= a9_subproblem_kkt.BAR
    assert a9_subproblem_kkt.difference(REFERENCE, wrong, draw) > 1e-3


def test_two_implementations_that_are_one_prove_nothing(monkeypatch):
    """A14 needs the other implementation: against a wrong one the reference fails, each algorithm by name."""
    real = a14_independent_implementations._both
    monkeypatch.setattr(a14_independent_implementations, "_both", lambda points: real(points) * (1 + 1e-9))
    found = a14_independent_implementations.CLAIM.measure(REFERENCE, Setting())
    assert len(found.checks) == 13 and not any(check.holds for check in found.checks)
