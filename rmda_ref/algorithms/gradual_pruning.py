"""Gradual magnitude pruning (Zhu & Gupta 2017, "To prune, or not to prune", equation 1)."""

from dataclasses import dataclass

from rmda_ref import checks
from rmda_ref.algorithms.masked_msgd import Layer, MaskedSGD, MaskedState, kept, largest
from rmda_ref.namespace import Array


@dataclass(frozen=True)
class GradualPruning(MaskedSGD):
    """Masked SGD; after steps t = start, start + every, …, start + n_updates every the smallest weights go for good.

    Then each layer keeps round((1 - s_t) size) entries, those of largest magnitude among the alive (of equal ones those
    of lower index), where s_t = s_f + (s_i - s_f)(1 - (t - start)/(n_updates every))^3 with s_i = 0 and s_f = 1 -
    density. At t = start nothing is pruned yet, after t = start + n_updates every round(density size) entries are left.

    Pruned weights are exactly 0 and stay so. t = 1, 2, … counts the steps of all stages (``state.mask_t``). NumPy only.

    Parameters
    ----------
    layers, step_size, momentum
        As for `MaskedSGD`.
    start : int, at least 0
        The paper's t_0.
    every : int, at least 1
        Delta t.
    n_updates : int, at least 1
        n.

    Raises
    ------
    ValueError, TypeError
        If a hyper-parameter is out of range.

    >>> import numpy as np
    >>> algorithm = GradualPruning((Layer(4, 0.5),), step_size=1.0, momentum=1.0, start=0, every=1, n_updates=1)
    >>> state = algorithm.init(np.array([1.0, -2.0, 3.0, 4.0]))
    >>> algorithm.step(state, np.array([-4.0, 0.0, 0.0, 3.0])).iterate
    array([5., 0., 3., 0.])
    """

    start: int
    every: int
    n_updates: int

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.count("start", self.start, 0, "it is the step after which the schedule of the sparsity starts")
        checks.count("every", self.every, 1, "it is the number of steps between two prunings")
        checks.count("n_updates", self.n_updates, 1, "it is the number of prunings after start")

    def step(self, state: MaskedState, grad: Array) -> MaskedState:
        """One step with ``grad``, a gradient at ``state.iterate``, and what is to be pruned after it.

        Raises ValueError or TypeError if ``grad`` has non-finite entries or another shape or dtype, ValueError if the
        next iterate overflows; ``state`` is never modified.
        """
        checks.gradient(grad, like=state.iterate)
        after = self._descend(state, grad)
        k, remainder = divmod(after.mask_t - self.start, self.every)
        if remainder or not 0 <= k <= self.n_updates:
            return after
        mask = after.mask.copy()
        for layer, part in self._parts():
            alive = mask[part]  # a view: the mask changes with it
            survivors = largest(abs(after.iterate[part]), alive, self._n_kept(layer, k))
            alive[:] = False
            alive[survivors] = True
        return MaskedState(kept(after.iterate, mask), kept(after.velocity, mask), mask, after.t, after.mask_t)

    def _n_kept(self, layer: Layer, k: int) -> int:
        """round((1 - s_t) size) at the pruning k = 0, …, n_updates; that of the final density, exactly, at the last."""
        density = float(layer.density)
        return round((density + (1 - density) * (1 - k / self.n_updates) ** 3) * layer.size)
