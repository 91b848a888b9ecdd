"""Mutants are edits of the reference that fit it, and that change what it does."""

import dataclasses

import numpy as np
import pytest

from rmda_ref import L1, PowerDecay, Stage
from rmda_ref.crosscheck import MUTANTS, REFERENCE, RMDA_MUTANTS


def trajectory(implementation):
    """All three algorithms on a noiseless quadratic, RMDA with momentum and a restart."""
    target = np.array([1.0, -2.0, 0.05])
    stages = [Stage(5, PowerDecay(0.3, 0.2), 0.4), Stage(5, 0.1, 0.3)]
    algorithms = (implementation.RDA(L1(lam=0.1), 2.0), implementation.ProxSGD(L1(lam=0.1), 0.2, 0.5))
    states = list(
        implementation.staged_steps(implementation.RMDA(L1(lam=0.1), 1.0), np.ones(3), lambda w: w - target, stages)
    )
    for algorithm in algorithms:
        states += implementation.steps(algorithm, algorithm.init(np.ones(3)), lambda w: w - target, 5)
    return np.array([state.iterate for state in states])


def test_there_are_sixteen():
    assert len(RMDA_MUTANTS) == 16


@pytest.mark.parametrize("name", MUTANTS)
def test_each_mutant_departs(name):
    assert not np.allclose(trajectory(MUTANTS[name].build()), trajectory(REFERENCE))
    assert np.array_equal(trajectory(REFERENCE), trajectory(REFERENCE))


def test_an_edit_that_does_not_fit_is_an_error():
    with pytest.raises(LookupError, match="must stand once"):
        dataclasses.replace(MUTANTS["sign"], old="no such line").build()
