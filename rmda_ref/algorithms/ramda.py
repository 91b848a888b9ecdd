"""RAMDA: regularized adaptive momentum dual averaging (Huang & Lee, NeurIPS 2024, arXiv 2403.14398)."""

import math
from dataclasses import dataclass

from rmda_ref import checks
from rmda_ref.algorithms.base import Algorithm
from rmda_ref.algorithms.diagonal_prox import check_diagonal, diagonal_prox
from rmda_ref.namespace import Array, namespace
from rmda_ref.regularizers import Regularizer
from rmda_ref.schedules import Schedule, check_schedules, momentum_at, step_size_at, tolerance_at


@dataclass(frozen=True, eq=False)
class RAMDAState:
    """Where RAMDA stands after step t of the current stage.

    Attributes
    ----------
    anchor : W^0, the start of the stage
    iterate : W^t, where the next gradient is taken
    prox_iterate : W~^t, the structured point (with momentum < 1 only this one lies on the manifold)
    grad_sum : V^t, the weighted sum of gradients
    square_sum : U^t, the weighted sum of their squares, entry by entry
    weight : alpha_t, the sum of the weights
    t : steps taken in this stage
    """

    anchor: Array
    iterate: Array
    prox_iterate: Array
    grad_sum: Array
    square_sum: Array
    weight: float = 0.0
    t: int = 0

    @property
    def dual_average(self) -> Array:
        """V^t / alpha_t, the variance-reduced gradient (zeros before the first step)."""
        return self.grad_sum / (self.weight or 1.0)


@dataclass(frozen=True)
class RAMDA(Algorithm[RAMDAState]):
    """RMDA in the metric P^t = (U^t)^{1/3} + epsilon, entry by entry, in the place of beta_t.

    W~^t = argmin <V^t, W> + alpha_t psi(W) + 1/2 <W - W^0, P^t (W - W^0)> and W^t = (1 - c_t) W^{t-1} + c_t W~^t. The
    subproblem is solved exactly where psi has a prox in a diagonal metric (the authors iterate), else to their
    condition: some subgradient of its objective at W~^t is no longer than ``tolerance``, and the objective is at most
    that of W~^{t-1}. Their code shrinks epsilon with the step size at each restart (`dataclasses.replace`). Where the
    gradients have mean square m, U^t grows like t^{3/2}, P^t like (2/3 eta m)^{1/3} sqrt(t): RMDA whose step size
    differs from entry to entry.

    Parameters
    ----------
    regularizer : Regularizer
        psi; without an exact prox in a diagonal metric (``regularizer.metric_prox``) it must be convex.
    step_size : float or function of t
        eta_t > 0, per step.
    momentum : float or function of t
        c_t in (0, 1], the weight of the new point in the average: as for RMDA, 1 means no momentum.
    epsilon : float
        At least this much of the metric in each entry, > 0: some entry's gradients may all be zero.
    tolerance : float or function of t
        > 0, per step, of the subproblem where it is solved inexactly: the authors' epsilon_t.

    Raises
    ------
    ValueError, TypeError
        If a hyper-parameter is out of range, or the regularizer is not convex and has no exact prox in a metric.

    >>> import numpy as np
    >>> from rmda_ref import L1
    >>> algorithm = RAMDA(L1(lam=1.0), step_size=1.0)
    >>> state = algorithm.step(algorithm.init(np.zeros(2)), np.array([-8.0, 0.5]))
    >>> state.prox_iterate.round(4)  # (8 - 1)/8^(2/3)
    array([1.75, 0.  ])
    """

    regularizer: Regularizer
    step_size: Schedule
    momentum: Schedule = 1.0
    epsilon: float = 1e-6
    tolerance: Schedule = 1e-6

    def __post_init__(self) -> None:
        check_schedules(self.step_size, self.momentum)
        checks.positive("epsilon", self.epsilon)
        if not callable(self.tolerance):
            checks.positive("tolerance", self.tolerance)
        check_diagonal("RAMDA", self.regularizer)

    def init(self, w0: Array) -> RAMDAState:
        """The state before the first step, at a copy of ``w0``; raises as `RMDA.init` does."""
        w0 = self._checked_start(w0)
        zero = namespace(w0).zeros_like(w0)
        return RAMDAState(anchor=w0, iterate=w0, prox_iterate=w0, grad_sum=zero, square_sum=zero)

    def step(self, state: RAMDAState, grad: Array) -> RAMDAState:
        """One step with ``grad``, a gradient at ``state.iterate``; raises as `RMDA.step` does.

        Raises ValueError also if the square of a gradient overflows, ArithmeticError if an inexact subproblem does not
        reach its tolerance.
        """
        checks.gradient(grad, like=state.iterate)
        t = state.t + 1
        weighted_step = self._weighted_step(t)  # s_t
        momentum = momentum_at(self.momentum, t)  # c_t
        weight = state.weight + weighted_step  # alpha_t
        grad_sum = state.grad_sum + weighted_step * grad  # V^t
        square_sum = state.square_sum + weighted_step * grad * grad  # U^t
        metric = square_sum ** (1 / 3) + self.epsilon  # P^t
        centre, tolerance = state.anchor - grad_sum / metric, tolerance_at(self.tolerance, t)
        prox_iterate = diagonal_prox(self.regularizer, centre, weight, metric, state.prox_iterate, tolerance)  # W~^t
        iterate = (1 - momentum) * state.iterate + momentum * prox_iterate  # W^t
        return RAMDAState(state.anchor, iterate, prox_iterate, grad_sum, square_sum, weight, t)

    def prox_step(self, state: RAMDAState) -> float:
        """alpha_t of the step after ``state``."""
        return state.weight + self._weighted_step(state.t + 1)

    def _weighted_step(self, t: int) -> float:
        return step_size_at(self.step_size, t) * math.sqrt(t)

    def restart(self, state: RAMDAState) -> RAMDAState:
        """A new stage from W^t: W^0 <- W^t, V <- 0, U <- 0, alpha <- 0, t <- 0."""
        anchor, zero = state.iterate, namespace(state.iterate).zeros_like(state.iterate)
        return RAMDAState(anchor, state.iterate, state.prox_iterate, grad_sum=zero, square_sum=zero)
