"""RMDA on sparse gradients: coordinates that no gradient touches cost nothing until they are read."""

from typing import Any

import numpy as np
import numpy.typing as npt

from rmda_ref import checks
from rmda_ref.algorithms.rmda import RMDA, RMDAState
from rmda_ref.algorithms.stepper import Tick
from rmda_ref.backends.numba import entrywise
from rmda_ref.layout import Entries
from rmda_ref.namespace import NoEvaluation
from rmda_ref.regularizers import Blocks

Vector = npt.NDArray[Any]
Indices = npt.NDArray[np.integer[Any]]


class LazyStepper:
    """`RMDA.step` for gradients given by some of their entries, O(their number) a step.

    With c = 1 and an entrywise kernel, W^t_i = prox(W^0_i - V^t_i/beta_t) depends on V^t_i and on scalars alone: it is
    evaluated where it is read. The numbers are those of `RMDA.step` on the dense gradient, bit for bit.

    Parameters
    ----------
    algorithm : RMDA
        With ``momentum=1`` and an entrywise regularizer (see `serves`).
    state : RMDAState
        Where to start; copied. NumPy vectors of one dimension.

    Raises
    ------
    TypeError, ValueError
        If the algorithm is not such a one, or the state not flat.

    >>> from rmda_ref import L1
    >>> algorithm = RMDA(L1(lam=1.0), step_size=0.5)
    >>> stepper = LazyStepper(algorithm, algorithm.init(np.zeros(1000)))
    >>> stepper.step(np.array([7, 9]), np.array([-3.0, 0.5]))
    >>> stepper.read(np.array([7, 8, 9]))
    array([1., 0., 0.])
    """

    def __init__(self, algorithm: RMDA, state: RMDAState) -> None:
        if not self.serves(algorithm):
            raise TypeError("a lazy stepper needs momentum=1 and an entrywise regularizer; use algorithm.stepper")
        if not isinstance(state.anchor, np.ndarray):
            raise NoEvaluation("a lazy stepper, which writes in place,", state.anchor)
        if state.anchor.ndim != 1:
            raise ValueError(f"a lazy stepper needs a flat parameter, got shape {state.anchor.shape}; use w.ravel()")
        self.algorithm = algorithm
        self._anchor, self._grad_sum = state.anchor, state.grad_sum.copy()
        self._now = Tick(state.t, state.weight, 1.0, 0.0, max(state.t, 1) ** 0.5, 0.0, 1.0)._replace(
            prox_step=state.weight / max(state.t, 1) ** 0.5
        )
        self._strengths = algorithm.regularizer.strengths(state.anchor.shape)

    @staticmethod
    def serves(algorithm: RMDA) -> bool:
        """Whether the algorithm can be run lazily."""
        psi = algorithm.regularizer
        by_entry = (
            not isinstance(psi, Blocks)
            and psi.separable
            and psi.driven == "entrywise"
            and isinstance(psi.layout, Entries)
        )
        return by_entry and algorithm.momentum == 1 and all(np.ndim(p) == 0 for p in psi.parameters)

    @property
    def t(self) -> int:
        """Steps taken in this stage."""
        return self._now.t

    def read(self, index: Indices) -> Vector:
        """W^t at some entries."""
        if self._now.t == 0:
            return np.asarray(self._anchor[index])
        psi, strengths = self.algorithm.regularizer, self._strengths
        centre = self._anchor[index] - self._grad_sum[index] / self._now.scale
        some = strengths if np.ndim(strengths) == 0 else np.asarray(strengths)[index]
        return np.asarray(entrywise(type(psi).kernel, centre, self._now.prox_step, some, None, psi.parameters))

    def step(self, index: Indices, grad: Vector) -> None:
        """One step with a gradient that is ``grad`` at the entries ``index``, each named once, and zero elsewhere.

        Raises ValueError if an entry of ``grad`` is not finite; nothing has changed then.
        """
        checks.finite("grad", grad, checks.SKIP)
        now = self.algorithm.tick(self._now.t, self._now.weight)
        self._grad_sum[index] += now.weighted_step * grad
        self._now = now

    @property
    def state(self) -> RMDAState:
        """A dense snapshot that `RMDA.step` can go on with: O(n)."""
        w = self.read(np.arange(self._anchor.size))
        return RMDAState(self._anchor, w, w, self._grad_sum.copy(), self._now.weight, self._now.t)
