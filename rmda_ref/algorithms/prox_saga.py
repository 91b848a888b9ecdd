"""SAGA with a prox (Defazio, Bach & Lacoste-Julien, NIPS 2014, equations 1 and 2)."""

from dataclasses import dataclass

from rmda_ref import checks
from rmda_ref.namespace import Array, namespace
from rmda_ref.regularizers import Regularizer
from rmda_ref.schedules import Schedule, check_schedules, step_size_at

INDEX = "it is the component, counted from 0"


@dataclass(frozen=True, eq=False)
class ProxSAGAState:
    """Where SAGA stands after step t of the current stage.

    Attributes
    ----------
    iterate : x^t, where the next component gradient is taken; it is the structured point itself
    table : (n, *shape), the last gradient seen of each component
    mean : the mean of the table, kept up to date by its changes
    t : steps taken in this stage
    """

    iterate: Array
    table: Array
    mean: Array
    t: int = 0

    @property
    def prox_iterate(self) -> Array:
        """The structured point: x^t."""
        return self.iterate


@dataclass(frozen=True)
class ProxSAGA:
    """v = grad f_j(x^{t-1}) - table_j + mean(table);  x^t = prox_{eta psi}(x^{t-1} - eta v);  then table_j <- grad f_j.

    For f = (1/n) sum_j f_j, j drawn uniformly. The step is taken with the *old* table and its mean, else v would not
    be unbiased. Where every f_j is strongly convex, ||x^t - x*||^2 converges linearly in expectation for eta = 1/(3 L)
    (section 2 there).

    A step asks for an index, so it is no `Algorithm`:

        state = algorithm.init(w0, np.stack([gradient(j, w0) for j in range(n)]))
        for j in rng.integers(n, size=n_steps):
            state = algorithm.step(state, gradient(j, state.iterate), j)

    A step is pure, so it copies the table: O(n size) time a step and two tables in memory at once, where SAGA in place
    takes O(size). That is for reference, not for large n.

    The mean is updated, not summed anew (the paper's O(size) step): each step rounds it by at most
    u (|mean| + 3 |change|/n), u the unit roundoff, and the roundings add up: after t steps it is off the mean of the
    table by at most t times that, and so is v at the optimum. ``algorithm.init(state.iterate, state.table)`` takes the
    mean anew.

    Parameters
    ----------
    regularizer : Regularizer
        psi.
    step_size : float or function of t
        eta_t > 0, per step.

    Raises
    ------
    ValueError, TypeError
        If a hyper-parameter is out of range.

    >>> import numpy as np
    >>> from rmda_ref import L1
    >>> algorithm = ProxSAGA(L1(lam=1.0), step_size=0.5)
    >>> state = algorithm.init(np.zeros(2), table=np.array([[-4.0, 0.0], [0.0, 0.0]]))
    >>> state = algorithm.step(state, np.array([-5.0, 0.0]), index=0)
    >>> state.iterate, state.mean  # v = -5 + 4 - 2
    (array([1., 0.]), array([-2.5,  0. ]))
    """

    regularizer: Regularizer
    step_size: Schedule

    def __post_init__(self) -> None:
        check_schedules(self.step_size)

    def init(self, w0: Array, table: Array) -> ProxSAGAState:
        """The state before the first step, at a copy of ``w0`` (float32 or float64, finite).

        Parameters
        ----------
        w0 : array
        table : array, (n, *w0.shape), of the dtype of ``w0``
            The gradient of each component, at ``w0`` or elsewhere; copied. Zeros leave v unbiased, too.

        Raises ValueError or TypeError if one is not such an array, or ``w0`` does not fit the regularizer.
        """
        w0 = checks.start("w0", w0)
        self.regularizer.check(tuple(w0.shape))
        table = checks.start("table", table)
        if table.ndim != w0.ndim + 1 or table.shape[0] == 0:
            raise ValueError(
                f"table has shape {tuple(table.shape)}, the parameter {tuple(w0.shape)}; give one gradient for each "
                "component, stacked along a first axis"
            )
        checks.same_kind("each gradient of the table", table[0, ...], like=w0)
        return ProxSAGAState(w0, table, namespace(table).mean(table, axis=0))

    def step(self, state: ProxSAGAState, grad: Array, index: int) -> ProxSAGAState:
        """One step with ``grad``, the gradient of component ``index`` at ``state.iterate``.

        Raises ValueError or TypeError if ``grad`` has non-finite entries or another shape or dtype, or if there is no
        such component; ``state`` is never modified.
        """
        checks.gradient(grad, like=state.iterate)
        table, n = state.table, state.table.shape[0]
        index = checks.count("index", index, 0, INDEX)
        if index >= n:
            raise ValueError(f"index must be below {n}, the number of components, got {index}; {INDEX}")
        t = state.t + 1
        step_size = step_size_at(self.step_size, t)  # eta_t
        change = grad - table[index, ...]
        iterate = self.regularizer.prox(state.iterate - step_size * (change + state.mean), step_size)
        xp = namespace(table)
        table = xp.concat([table[:index, ...], xp.expand_dims(grad, axis=0), table[index + 1 :, ...]])
        return ProxSAGAState(iterate, table, state.mean + change / n, t)

    def restart(self, state: ProxSAGAState) -> ProxSAGAState:
        """A new stage from x^t: the clock alone starts anew, for schedules; the table stays as good as it was."""
        return ProxSAGAState(state.iterate, state.table, state.mean)
