"""Prox-SVRG: proximal stochastic variance-reduced gradient (Xiao & Zhang, SIAM J. Optim. 24(4), 2014, section 2)."""

from dataclasses import dataclass

from rmda_ref import checks
from rmda_ref.namespace import Array, namespace
from rmda_ref.regularizers import Regularizer
from rmda_ref.schedules import Schedule, check_schedules, step_size_at


@dataclass(frozen=True, eq=False)
class ProxSVRGState:
    """Where Prox-SVRG stands after the inner step t of the current epoch.

    Attributes
    ----------
    iterate : x_t, where the next component gradient is taken; it is the structured point itself
    snapshot : x~, the point of the full gradient
    full_grad : v~ = grad f(x~)
    iterate_sum : x_1 + … + x_t
    t : steps taken in this epoch
    """

    iterate: Array
    snapshot: Array
    full_grad: Array
    iterate_sum: Array
    t: int = 0

    @property
    def prox_iterate(self) -> Array:
        """The structured point: x_t (right after a restart the average of the last epoch, with all their supports)."""
        return self.iterate

    @property
    def average(self) -> Array:
        """(x_1 + … + x_t)/t, the next snapshot: take the full gradient there. The snapshot before the first step."""
        return self.iterate_sum / float(self.t) if self.t else self.snapshot


@dataclass(frozen=True)
class ProxSVRG:
    """v_t = grad f_i(x_{t-1}) - grad f_i(x~) + grad f(x~);  x_t = prox_{eta psi}(x_{t-1} - eta v_t).

    For f = (1/n) sum_i f_i, i drawn uniformly; drawn with probabilities q_i, both component gradients are to be
    divided by q_i n. An *epoch* is a number of steps (the paper's m) with one snapshot x~. The next one starts at the
    average of its iterates, which is also its snapshot. With f strongly convex and m large enough, F at the snapshots
    converges linearly in expectation for eta < 1/(4 L) (Theorem 3.1).

    A step asks for two gradients, so it is no `Algorithm`:

        state = algorithm.init(w0, full_gradient(w0))
        for _ in range(n_epochs):
            for i in rng.integers(n, size=m):
                state = algorithm.step(state, gradient(i, state.iterate), gradient(i, state.snapshot))
            state = algorithm.restart(state, full_gradient(state.average))

    Parameters
    ----------
    regularizer : Regularizer
        psi, convex in the theory: averages of structured points leave a set that is not convex until the next step.
    step_size : float or function of t
        eta_t > 0, per step; t counts within the epoch.

    Raises
    ------
    ValueError, TypeError
        If a hyper-parameter is out of range.

    >>> import numpy as np
    >>> from rmda_ref import L1
    >>> algorithm = ProxSVRG(L1(lam=1.0), step_size=0.5)
    >>> state = algorithm.init(np.zeros(2), full_grad=np.array([-3.0, 0.0]))
    >>> state = algorithm.step(state, grad=np.array([1.0, 2.0]), grad_at_snapshot=np.array([1.0, 2.0]))
    >>> state.iterate
    array([1., 0.])
    """

    regularizer: Regularizer
    step_size: Schedule

    def __post_init__(self) -> None:
        check_schedules(self.step_size)

    def init(self, w0: Array, full_grad: Array) -> ProxSVRGState:
        """The state before the first step, at a copy of ``w0`` (float32 or float64, finite).

        Parameters
        ----------
        w0 : array
        full_grad : array like ``w0``
            grad f at ``w0``; copied.

        Raises ValueError or TypeError if one is not such an array, or ``w0`` does not fit the regularizer.
        """
        w0 = checks.start("w0", w0)
        self.regularizer.check(tuple(w0.shape))
        return _epoch(w0, full_grad)

    def step(self, state: ProxSVRGState, grad: Array, grad_at_snapshot: Array) -> ProxSVRGState:
        """One step with the gradients of one component, at ``state.iterate`` and at ``state.snapshot``.

        Raises ValueError or TypeError if one has non-finite entries or another shape or dtype; ``state`` is never
        modified.
        """
        checks.gradient(grad, like=state.iterate)
        checks.same_kind("grad_at_snapshot", grad_at_snapshot, like=state.iterate)
        checks.finite("grad_at_snapshot", grad_at_snapshot, checks.SKIP)
        t = state.t + 1
        step_size = step_size_at(self.step_size, t)  # eta_t
        reduced = grad - grad_at_snapshot + state.full_grad  # v_t
        iterate = self.regularizer.prox(state.iterate - step_size * reduced, step_size)
        return ProxSVRGState(iterate, state.snapshot, state.full_grad, state.iterate_sum + iterate, t)

    def restart(self, state: ProxSVRGState, full_grad: Array) -> ProxSVRGState:
        """A new epoch: x~ <- x_0 <- ``state.average``, t <- 0; ``full_grad`` is grad f there. Raises as `init` does."""
        return _epoch(state.average, full_grad)


def _epoch(snapshot: Array, full_grad: Array) -> ProxSVRGState:
    checks.same_kind("full_grad", full_grad, like=snapshot)
    full_grad = checks.start("full_grad", full_grad)
    return ProxSVRGState(snapshot, snapshot, full_grad, namespace(snapshot).zeros_like(snapshot))
