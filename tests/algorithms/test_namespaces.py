"""Every algorithm does on the arrays of another namespace what it does on NumPy's, to rounding."""

import dataclasses

import numpy as np
import pytest

from rmda_ref import L1, Block, Blocks, GroupLasso, Nuclear, Stage, algorithms
from rmda_ref.algorithms import GRDA, MDA, MSGD, RAMDA, RDA, RMDA, ProxAdam, ProxGen, ProxSAGA, ProxSGD, ProxSVRG
from rmda_ref.algorithms.lazy import LazyStepper
from rmda_ref.algorithms.manifold_newton import ManifoldNewton
from rmda_ref.crosscheck.mutants import MUTANTS
from rmda_ref.namespace import namespace, on_host

SHAPE, N_STEPS = (4, 3), 5
PSI = L1(0.3)
CASES = {
    "RMDA": RMDA(PSI, 0.5, 0.4),
    "MDA": MDA(0.5, 0.4),
    "RDA": RDA(PSI, 2.0),
    "RAMDA": RAMDA(PSI, 0.5, 0.4, epsilon=1.0),
    "ProxSGD": ProxSGD(PSI, 0.5, 0.4),
    "MSGD": MSGD(0.5, 0.4),
    "GRDA": GRDA(PSI, 0.5, 0.3, 0.6),
    "ProxAdam": ProxAdam(PSI, 0.5, epsilon=1.0, weight_decay=0.1),
    "ProxGen": ProxGen(PSI, 0.5, epsilon=1.0),
    "ProxSVRG": ProxSVRG(PSI, 0.5),
    "ProxSAGA": ProxSAGA(PSI, 0.5),
}
NUMPY_ONLY = {
    "RigL": algorithms.RigL((algorithms.Layer(12, 0.5),), 0.1, 1.0, 1, 9, 0.5, 0),
    "GradualPruning": algorithms.GradualPruning((algorithms.Layer(12, 0.5),), 0.1, 1.0, 0, 1, 1),
}
# The gradients are given, and a step moves a difference of states on without enlarging it: the sums are linear, a prox
# does not expand. So every rounding counts once, each of at most eps times the largest number there is; a step makes no
# more than 20 of an entry, the cube root of RAMDA among them, which is good to a few.
ROUNDINGS = 20 * (N_STEPS + 1)


def run(algorithm, w0, grads):
    """The states of five steps, a restart and a step, from arrays of any namespace."""
    if isinstance(algorithm, ProxSVRG):
        init, more = (w0, grads[0]), lambda k: (grads[k - 1],)
        again = (grads[1],)
    elif isinstance(algorithm, ProxSAGA):
        init, more = (w0, namespace(grads[0]).stack(list(grads[:3]))), lambda k: (k % 3,)
        again = ()
    else:
        init, more, again = (w0,), lambda k: (), ()
    states = [algorithm.init(*init)]
    for k in range(N_STEPS):
        states.append(algorithm.step(states[-1], grads[k], *more(k)))
    states.append(algorithm.restart(states[-1], *again))
    return [*states, algorithm.step(states[-1], grads[N_STEPS], *more(N_STEPS))]


def both(algorithm, other, xp, dtype, shape=SHAPE, seed=0):
    """The states on NumPy arrays, and those of another algorithm on arrays of ``xp``."""
    w0, *grads = np.random.default_rng(seed).standard_normal((N_STEPS + 2, *shape)).astype(dtype)
    return run(algorithm, w0, grads), run(other, xp.asarray(w0.copy()), [xp.asarray(g.copy()) for g in grads])


def apart(mine, theirs, xp):
    """How far the states are from one another, in units of eps times the largest number in them."""
    largest, worst, eps = 1.0, 0.0, 0.0
    for ours, other in zip(mine, theirs, strict=True):
        for field in dataclasses.fields(ours):
            value, found = getattr(ours, field.name), getattr(other, field.name)
            if isinstance(value, np.ndarray):
                assert namespace(found) is xp and str(found.dtype).endswith(value.dtype.name)
                found, eps = on_host(found), float(np.finfo(value.dtype).eps)
            worst, largest = max(worst, np.abs(found - value).max()), max(largest, np.abs(value).max())
    return worst / (eps * largest)


def test_no_algorithm_is_forgotten():
    offered = {name for name in algorithms.__all__ if hasattr(getattr(algorithms, name), "init")}
    assert offered == CASES.keys() | NUMPY_ONLY.keys()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CASES)
def test_an_algorithm_is_the_same_on_other_arrays(xp, name, dtype):
    assert apart(*both(CASES[name], CASES[name], xp, dtype), xp) <= ROUNDINGS


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_so_it_is_with_groups_and_blocks(xp, dtype):
    """A norm of three entries has as many roundings more."""
    rows = GroupLasso(0.3, axis=1)
    for psi, shape in ((rows, SHAPE), (Blocks((Block("weight", SHAPE, rows), Block("bias", (3,)))), (15,))):
        algorithm = RMDA(psi, 0.5, 0.4)
        assert apart(*both(algorithm, algorithm, xp, dtype, shape), xp) <= 2 * ROUNDINGS


@pytest.mark.parametrize("mutant", ["thr_eta", "c_swap", "beta1", "norst_V", "norst_t"])
def test_a_wrong_algorithm_is_seen(xp, mutant):
    wrong = MUTANTS[mutant].build().RMDA(PSI, 0.5, 0.4)
    assert apart(*both(CASES["RMDA"], wrong, xp, "float32"), xp) > 100 * ROUNDINGS


@pytest.mark.parametrize("psi", [Nuclear(0.3), Blocks((Block("weight", SHAPE, Nuclear(0.3)), Block("bias", (3,))))])
def test_an_inexact_subproblem_is_solved_as_well(xp, psi):
    """Both are within tolerance / min(metric) of its solution, and the metric is at least epsilon."""
    shape, tolerance = SHAPE if isinstance(psi, Nuclear) else (15,), 1e-8
    algorithm = RAMDA(psi, 0.5, epsilon=1.0, tolerance=tolerance)
    mine, theirs = both(algorithm, algorithm, xp, "float64", shape)
    for ours, other in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(on_host(other.prox_iterate), ours.prox_iterate, rtol=0, atol=2.1 * tolerance)


def test_stages_run_on_other_arrays(xp):
    w0, target = np.random.default_rng(0).standard_normal((2, *SHAPE))
    stages = [Stage(3, 0.5, 0.4), Stage(3, 0.2, 1.0)]
    mine = list(algorithms.staged_steps(CASES["RMDA"], w0, lambda w: w - target, stages))
    there = xp.asarray(target)
    theirs = list(algorithms.staged_steps(CASES["RMDA"], xp.asarray(w0), lambda w: w - there, stages))
    assert apart(mine, theirs, xp) <= 4 * ROUNDINGS  # the gradient at W carries what W is off, 1 + eta at most, on


def test_scheduled_strengths_run_on_other_arrays(xp):
    def last(w0):
        run = algorithms.scheduled_steps(CASES["ProxSGD"], CASES["ProxSGD"].init(w0), abs, 3, lambda k, s: L1(0.1 * k))
        return [state.iterate for state in run][-1]

    w0 = np.random.default_rng(0).standard_normal(SHAPE)
    np.testing.assert_allclose(on_host(last(xp.asarray(w0))), last(w0), rtol=0, atol=1e-14)


@pytest.mark.parametrize("name", CASES)
def test_nothing_is_mixed(xp, name):
    """A NumPy gradient for a parameter of another namespace is refused, with the remedy."""
    w0 = xp.ones(SHAPE)
    grads = [np.ones(SHAPE, on_host(w0).dtype)] * (N_STEPS + 1)
    with pytest.raises(TypeError, match="; convert "):
        run(CASES[name], w0, grads)


@pytest.mark.parametrize("name", CASES)
def test_a_gradient_that_is_not_finite_is_refused(xp, name):
    w0, bad = xp.ones(SHAPE, dtype=xp.float64), xp.full(SHAPE, float("nan"), dtype=xp.float64)
    with pytest.raises(ValueError, match="non-finite"):
        run(CASES[name], w0, [bad] * (N_STEPS + 1))


@pytest.mark.parametrize("name", NUMPY_ONLY)
def test_what_sorts_in_numpy_says_so(xp, name):
    with pytest.raises(TypeError, match="which sorts, has no evaluation on"):
        NUMPY_ONLY[name].init(xp.ones((12,), dtype=xp.float64))


def test_what_is_sparse_says_so(xp):
    algorithm = RMDA(PSI, 0.5)
    with pytest.raises(TypeError, match="a lazy stepper, which writes in place, has no evaluation on"):
        LazyStepper(algorithm, algorithm.init(xp.ones((12,), dtype=xp.float64)))


def test_what_factors_matrices_says_so(xp):
    with pytest.raises(TypeError, match="ManifoldNewton has no evaluation on"):
        ManifoldNewton(PSI).init(None, xp.ones((12,), dtype=xp.float64), 1.0)
