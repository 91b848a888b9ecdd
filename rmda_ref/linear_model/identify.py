"""The first phase: RMDA on mini-batches, until the manifold of its structured point settles.

`epochs` is Algorithm 1 and nothing else: the states are those of `RMDA.step` on the gradients of the batches that the
random generator draws.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from rmda_ref.algorithms import RMDA, RMDAState
from rmda_ref.algorithms.metric_prox import largest_eigenvalue
from rmda_ref.certificates.identification import IdentificationTracker
from rmda_ref.linear_model.problem import Problem
from rmda_ref.linear_model.working_set import Indices, Vector, WorkingSet
from rmda_ref.schedules import Stage, momentum_at, step_size_at

LEAST_BATCH, MOST_BATCH, BATCHES = 32, 1024, 32  # an automatic batch is n/32 within these bounds
SETTLED = 0.5  # share of the steps for which the manifold must have been the same
FEWEST_STEPS = 8
FLATTEST = 1e-12  # curvature: a batch of zeros has none


class Epoch(NamedTuple):
    """After a pass over the samples, or at the end of a stage within one."""

    state: RMDAState
    epoch: float
    step_size: float
    momentum: float


def batch_size_of(n_samples: int, given: int | str) -> int:
    """The batch size, at most the number of samples."""
    if given == "auto":
        return int(np.clip(n_samples // BATCHES, min(LEAST_BATCH, n_samples), MOST_BATCH))
    return min(int(given), n_samples)


def batches(n_samples: int, batch_size: int, rng: np.random.RandomState) -> Iterator[Indices]:
    """Mini-batches without end: each pass sees every sample once, in a new order; its last batch may be smaller."""
    while True:
        order = rng.permutation(n_samples)
        for start in range(0, n_samples, batch_size):
            yield order[start : start + batch_size]


def batch_gradient(problem: Problem, w: Vector, samples: Indices) -> Vector:
    """The gradient of the mean loss over a batch, of the flat vector."""
    model, loss = problem.model, problem.loss
    if not loss.fit_intercept or len(model.shape) == 1:
        return np.asarray(loss.gradient(w.reshape(loss.weight_shape), samples), np.float64).ravel()
    rows = np.column_stack((model.coefficients(w), w[model.n_coef :]))
    gradient = loss.gradient(rows, samples)
    return np.concatenate((gradient[:, :-1].ravel(), gradient[:, -1])).astype(np.float64, copy=False)


def automatic_step(problem: Problem, w: Vector, samples: Indices) -> float:
    """1/L_B, with L_B about the largest curvature of the mean loss over one batch: steps on batches are stable.

    The curvature of the loss is taken at its largest, or at w where it has no bound.
    """
    loss = problem.loss
    weight = None if loss.sample_weight is None else loss.sample_weight[samples] + np.finfo(float).tiny
    batch = WorkingSet(dataclasses.replace(loss, X=loss.X[samples], y=loss.y[samples], sample_weight=weight))
    hessian = batch.hessian_at(batch.forward(w))
    if np.isfinite(loss.smoothness):
        shares = batch.loss.dual_shares.reshape(-1, *[1] * (len(batch.shape) - 1))

        def hessian(z: Vector) -> Vector:
            return loss.smoothness * shares * z

    largest = largest_eigenvalue(lambda v: batch.adjoint(hessian(batch.forward(v))), np.ones(batch.size))
    return 1.0 / max(largest, FLATTEST)


def within_reach(problem: Problem, w: Vector, drawn: Sequence[Indices], n_steps: int) -> bool:
    """Whether n_steps steps can average the noise of gradients to below the strength of psi, if that is a norm.

    The largest noise of a group, over its strength, is r = ||g - g'||/sqrt(2) in the dual norm, for gradients of two
    batches; the dual average divides its variance by 8 t/9 (fact B1 of the testbed), so t must be at least 9 r^2/8.
    No margin is larger than the strength.
    """
    if problem.psi.homogeneity != 1.0:
        return True
    first, second = (problem.model.coefficients(batch_gradient(problem, w, samples)) for samples in drawn)
    try:
        noise = problem.psi.dual_norm((first - second) / np.sqrt(2.0))
    except TypeError:
        return True
    return bool(9 / 8 * noise**2 <= n_steps)


def epochs(
    problem: Problem, w: Vector, drawn: Iterator[Indices], stages: Sequence[Stage], tracker: IdentificationTracker
) -> Iterator[Epoch]:
    """RMDA, stage by stage with restarts; an item at the end of each pass, and at the end."""
    n_samples, seen, t = problem.loss.n_samples, 0, 0
    algorithm = RMDA(problem.regularizer, stages[0].step_size, stages[0].momentum)
    state = algorithm.init(w)
    for number, stage in enumerate(stages):
        if number:
            state = algorithm.restart(state)
            algorithm = dataclasses.replace(algorithm, step_size=stage.step_size, momentum=stage.momentum)
        for _ in range(stage.n_steps):
            samples = next(drawn)
            grad = batch_gradient(problem, state.iterate, samples)
            if not np.isfinite(grad).all():
                raise FloatingPointError(f"the gradient of step {t + 1} is not finite")
            state = algorithm.step(state, grad)
            tracker.update(state)
            seen, t = seen + len(samples), t + 1
            if seen % n_samples == 0 or t == sum(s.n_steps for s in stages):
                step_size, momentum = step_size_at(stage.step_size, state.t), momentum_at(stage.momentum, state.t)
                yield Epoch(state, seen / n_samples, step_size, momentum)


def has_settled(tracker: IdentificationTracker) -> bool:
    """Whether the manifold has been the same for half of the steps of the stage."""
    report = tracker.current
    return report.n_steps >= FEWEST_STEPS and report.n_steps - report.since >= SETTLED * report.n_steps
