"""Mutants are edits of the reference that fit it, and that change what it does."""

import dataclasses

import numpy as np
import pytest

from rmda_ref import L1, GroupLasso, Layer, PowerDecay, Stage
from rmda_ref.crosscheck import FURTHER_MUTANTS, MUTANTS, REFERENCE, RMDA_MUTANTS


def layer(implementation):
    """RMDA on a layer, some of whose batches bring no gradient."""
    weight = implementation.Block("weight", (3, 2), implementation.GroupLasso(0.1, axis=0))
    psi = implementation.Blocks((weight, implementation.Block("bias", (3,))))
    loss = implementation.MultinomialLoss(np.eye(3, 2), np.arange(3))
    calls = []

    def gradient(w):
        calls.append(w)
        grad = loss.gradient(w[:6].reshape(3, 2)).reshape(-1)
        return None if len(calls) == 3 else np.concatenate([grad, w[6:] - 1])

    algorithm = implementation.RMDA(psi, 0.3)
    return [state.iterate for state in implementation.steps(algorithm, algorithm.init(np.ones(9)), gradient, 5)]


def trajectory(implementation):
    """All algorithms on a noiseless quadratic, RMDA with momentum that varies and a restart; and on a layer."""
    target = np.array([1.0, -2.0, 0.05])
    stages = [Stage(5, PowerDecay(0.3, 0.2), PowerDecay(0.8, 0.5)), Stage(5, 0.1, 0.3)]
    psi = L1(lam=0.1)
    algorithms = (implementation.RDA(psi, 2.0), implementation.ProxSGD(psi, 0.2, 0.5), implementation.RAMDA(psi, 0.2))
    states = list(
        implementation.staged_steps(implementation.RMDA(L1(lam=0.1), 1.0), np.ones(3), lambda w: w - target, stages)
    )
    for algorithm in algorithms:
        states += implementation.steps(algorithm, algorithm.init(np.ones(3)), lambda w: w - target, 5)
    states += baselines(implementation, target)
    return np.concatenate([*(np.ravel(state.iterate) for state in states), np.ravel(layer(implementation))])


def baselines(implementation, target):
    """The algorithms that RMDA is compared with, on the same quadratic; the finite sums have two components."""
    psi, groups = L1(lam=0.1), GroupLasso(lam=0.1, groups=[0, 0, 1])
    layers = (Layer(9, 0.5),)
    wide = np.linspace(-2, 2, 9) ** 3
    algorithms = (
        (implementation.MSGD(0.1, 0.3), target),
        (implementation.MDA(0.1, 0.3), target),
        (implementation.GRDA(psi, 0.2, 0.5, 0.7), target),
        (implementation.ProxAdam(groups, 0.2, 0.3, 0.2, weight_decay=0.5), target),
        (implementation.ProxGen(groups, 0.2, 0.3, 0.2), target),
        (implementation.RigL(layers, 0.1, 0.3, 2, 6, 0.9, 0), wide),
        (implementation.GradualPruning(layers, 0.1, 0.3, 0, 1, 3), wide),
    )
    states = []
    for algorithm, centre in algorithms:
        start = algorithm.init(np.linspace(1, 2, centre.size))
        states += implementation.steps(algorithm, start, lambda w, centre=centre: w - centre, 6)

    def component(i, w):
        return (i + 1) * (w - target) + i

    svrg, saga = implementation.ProxSVRG(psi, 0.2), implementation.ProxSAGA(psi, 0.2)
    state = svrg.init(np.ones(3), (component(0, np.ones(3)) + component(1, np.ones(3))) / 2)
    for t, i in enumerate((0, 1, 1, 0, 0, 1)):
        if t == 3:
            state = svrg.restart(state, (component(0, state.average) + component(1, state.average)) / 2)
        states.append(state := svrg.step(state, component(i, state.iterate), component(i, state.snapshot)))
    state = saga.init(np.ones(3), np.stack([component(0, np.ones(3)), component(1, np.ones(3))]))
    for i in (0, 1, 1, 0):
        states.append(state := saga.step(state, component(i, state.iterate), i))
    return states


def test_there_are_sixteen_and_ten_more():
    assert len(RMDA_MUTANTS) == 16
    assert len(FURTHER_MUTANTS) == 10


@pytest.mark.parametrize("name", MUTANTS)
def test_each_mutant_departs(name):
    found, expected = trajectory(MUTANTS[name].build()), trajectory(REFERENCE)
    assert found.shape != expected.shape or not np.allclose(found, expected, rtol=1e-9)  # float32 shows at 1e-8
    assert np.array_equal(trajectory(REFERENCE), expected)


def test_an_edit_that_does_not_fit_is_an_error():
    with pytest.raises(LookupError, match="must stand once"):
        dataclasses.replace(MUTANTS["sign"], old="no such line").build()
