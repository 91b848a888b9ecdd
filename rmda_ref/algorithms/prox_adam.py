"""ProxAdam and ProxAdamW: Adam with a proximal step in its own metric (ProxSSI: Deleu & Bengio 2021)."""

import math
from dataclasses import dataclass

from rmda_ref import checks
from rmda_ref.algorithms.base import Algorithm
from rmda_ref.algorithms.diagonal_prox import check_diagonal, diagonal_prox
from rmda_ref.namespace import Array, namespace
from rmda_ref.regularizers import Regularizer
from rmda_ref.schedules import MOMENTUM_REMEDY, Schedule, check_schedules, step_size_at


@dataclass(frozen=True, eq=False)
class ProxAdamState:
    """Where ProxAdam stands after step t.

    Attributes
    ----------
    iterate : W^t, where the next gradient is taken; it is the structured point itself
    grad_average, square_average : exponential averages of the gradients and of their squares, not yet corrected
    t : steps taken
    """

    iterate: Array
    grad_average: Array
    square_average: Array
    t: int = 0

    @property
    def prox_iterate(self) -> Array:
        """The structured point: W^t."""
        return self.iterate


@dataclass(frozen=True)
class ProxAdam(Algorithm[ProxAdamState]):
    """W^t = argmin <m^, W> + psi(W) + 1/(2 eta_t) <W - W', D (W - W')>,  D = sqrt(v^) + epsilon.

    m^ and v^ are Adam's averages of the gradients and their squares with its corrections (Kingma & Ba, ICLR 2015,
    Algorithm 1); W' = (1 - eta_t weight_decay) W^{t-1} is W^{t-1} with the decoupled decay of AdamW (Loshchilov &
    Hutter, ICLR 2019), which makes it *ProxAdamW*. The subproblem is that of Deleu & Bengio (arXiv 2102.03869, eq. 5)
    and of the code of Huang & Lee (NeurIPS 2024); it is solved exactly where psi has a prox in a diagonal metric.
    `ProxGen` has the same subproblem without Adam's corrections.

    Parameters
    ----------
    regularizer : Regularizer
        psi; without an exact prox in a diagonal metric it must be convex.
    step_size : float or function of t
        eta_t > 0, per step.
    momentum : float
        1 - beta_1 in (0, 1], the weight of the new gradient: 1 means no momentum.
    square_momentum : float
        1 - beta_2 in (0, 1], the weight of its square.
    epsilon : float
        > 0, added to the metric.
    weight_decay : float
        At least 0, per unit of step size.
    tolerance : float
        Of the subproblem where it is solved inexactly: see `rmda_ref.algorithms.diagonal_prox`.

    >>> import numpy as np
    >>> from rmda_ref import L1
    >>> algorithm = ProxAdam(L1(lam=1.0), step_size=0.5)
    >>> algorithm.step(algorithm.init(np.zeros(2)), np.array([-4.0, 0.5])).iterate  # 0.5 (4 - 1) / 4
    array([0.375, 0.   ])
    """

    regularizer: Regularizer
    step_size: Schedule
    momentum: float = 0.1
    square_momentum: float = 0.001
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    tolerance: float = 1e-6

    def __post_init__(self) -> None:
        check_schedules(self.step_size)
        checks.fraction("momentum", self.momentum, MOMENTUM_REMEDY)
        checks.fraction("square_momentum", self.square_momentum, "it is 1 - beta_2")
        checks.positive("epsilon", self.epsilon)
        checks.nonnegative("weight_decay", self.weight_decay)
        checks.positive("tolerance", self.tolerance)
        check_diagonal("ProxAdam", self.regularizer)

    def init(self, w0: Array) -> ProxAdamState:
        """The state before the first step, at a copy of ``w0``; raises as `RMDA.init` does."""
        w0 = self._checked_start(w0)
        zero = namespace(w0).zeros_like(w0)
        return ProxAdamState(iterate=w0, grad_average=zero, square_average=zero)

    def step(self, state: ProxAdamState, grad: Array) -> ProxAdamState:
        """One step with ``grad``, a gradient at ``state.iterate``; raises as `RMDA.step` does.

        Raises ValueError also if the square of a gradient overflows, ArithmeticError if an inexact subproblem does not
        reach its tolerance.
        """
        checks.gradient(grad, like=state.iterate)
        t = state.t + 1
        eta, c, d = step_size_at(self.step_size, t), float(self.momentum), float(self.square_momentum)
        grad_average = (1 - c) * state.grad_average + c * grad
        square_average = (1 - d) * state.square_average + d * grad * grad
        metric = namespace(grad).sqrt(square_average) / math.sqrt(1 - (1 - d) ** t) + float(self.epsilon)  # D
        decayed = (1 - eta * float(self.weight_decay)) * state.iterate  # W'
        centre = decayed - eta / (1 - (1 - c) ** t) * grad_average / metric
        iterate = diagonal_prox(self.regularizer, centre, eta, metric, state.iterate, self.tolerance)
        return ProxAdamState(iterate, grad_average, square_average, t)

    def restart(self, state: ProxAdamState) -> ProxAdamState:
        """A new stage from W^t with empty averages."""
        zero = namespace(state.iterate).zeros_like(state.iterate)
        return ProxAdamState(state.iterate, zero, zero)
