"""ProxGen with Adam's preconditioner: adaptive proximal gradient (Yun, Lozano & Yang, NeurIPS 2021)."""

from dataclasses import dataclass

from rmda_ref import checks
from rmda_ref.algorithms.base import Algorithm
from rmda_ref.algorithms.diagonal_prox import check_diagonal, diagonal_prox
from rmda_ref.namespace import Array, namespace
from rmda_ref.regularizers import Regularizer
from rmda_ref.schedules import MOMENTUM_REMEDY, Schedule, check_schedules, momentum_at, step_size_at


@dataclass(frozen=True, eq=False)
class ProxGenState:
    """Where ProxGen stands after step t.

    Attributes
    ----------
    iterate : W^t, where the next gradient is taken; it is the structured point itself
    grad_average, square_average : m^t and v^t, exponential averages of the gradients and of their squares
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
class ProxGen(Algorithm[ProxGenState]):
    """W^t = argmin <m^t, W> + psi(W) + 1/(2 eta_t) <W - W^{t-1}, C^t (W - W^{t-1})>  (Algorithm 1 of the paper).

    m^t = (1 - c_t) m^{t-1} + c_t g_t and C^t = sqrt(v^t) + epsilon, v^t = (1 - d) v^{t-1} + d g_t^2, without Adam's
    corrections: as m^1 = c g and C^1 = sqrt(d) |g|, the first steps are longer than `ProxAdam`'s where d < c^2.

    Parameters
    ----------
    regularizer : Regularizer
        psi; without an exact prox in a diagonal metric it must be convex.
    step_size : float or function of t
        eta_t > 0, per step (the paper's alpha_t).
    momentum : float or function of t
        c_t in (0, 1], the weight of the new gradient (the paper's 1 - rho_t): 1 means no momentum.
    square_momentum : float
        d in (0, 1], the weight of its square (the paper's 1 - beta).
    epsilon : float
        > 0, added to the metric (the paper's delta).
    tolerance : float
        Of the subproblem where it is solved inexactly: see `rmda_ref.algorithms.diagonal_prox`.

    >>> import numpy as np
    >>> from rmda_ref import L1
    >>> algorithm = ProxGen(L1(lam=1.0), step_size=0.5, momentum=1.0, square_momentum=1.0)
    >>> algorithm.step(algorithm.init(np.zeros(2)), np.array([-4.0, 0.5])).iterate  # 0.5 (4 - 1) / 4
    array([0.375, 0.   ])
    """

    regularizer: Regularizer
    step_size: Schedule
    momentum: Schedule = 0.1
    square_momentum: float = 0.001
    epsilon: float = 1e-8
    tolerance: float = 1e-6

    def __post_init__(self) -> None:
        check_schedules(self.step_size, self.momentum)
        checks.fraction("square_momentum", self.square_momentum, f"it is 1 - beta; {MOMENTUM_REMEDY}")
        checks.positive("epsilon", self.epsilon)
        checks.positive("tolerance", self.tolerance)
        check_diagonal("ProxGen", self.regularizer)

    def init(self, w0: Array) -> ProxGenState:
        """The state before the first step, at a copy of ``w0``; raises as `RMDA.init` does."""
        w0 = self._checked_start(w0)
        zero = namespace(w0).zeros_like(w0)
        return ProxGenState(iterate=w0, grad_average=zero, square_average=zero)

    def step(self, state: ProxGenState, grad: Array) -> ProxGenState:
        """One step with ``grad``, a gradient at ``state.iterate``; raises as `ProxAdam.step` does."""
        checks.gradient(grad, like=state.iterate)
        t = state.t + 1
        eta, c, d = step_size_at(self.step_size, t), momentum_at(self.momentum, t), float(self.square_momentum)
        grad_average = (1 - c) * state.grad_average + c * grad  # m^t
        square_average = (1 - d) * state.square_average + d * grad * grad  # v^t
        metric = namespace(grad).sqrt(square_average) + float(self.epsilon)  # C^t
        centre = state.iterate - eta * grad_average / metric
        iterate = diagonal_prox(self.regularizer, centre, eta, metric, state.iterate, self.tolerance)
        return ProxGenState(iterate, grad_average, square_average, t)

    def restart(self, state: ProxGenState) -> ProxGenState:
        """A new stage from W^t with empty averages."""
        zero = namespace(state.iterate).zeros_like(state.iterate)
        return ProxGenState(state.iterate, zero, zero)
