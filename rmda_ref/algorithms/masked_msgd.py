"""SGD with momentum on the entries of a mask: what `RigL` and `GradualPruning` share."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from rmda_ref import checks
from rmda_ref.algorithms.base import Algorithm
from rmda_ref.namespace import Array, NoEvaluation
from rmda_ref.regularizers import Zero
from rmda_ref.schedules import Schedule, check_schedules, momentum_at, step_size_at


@dataclass(frozen=True)
class Layer:
    """Consecutive entries of the flat parameter: how many, and the fraction of them that is to be active in the end.

    Parameters
    ----------
    size : int, at least 1
    density : float
        In (0, 1], 1 - sparsity; 1 for what is never pruned: biases.

    Raises
    ------
    ValueError, TypeError
        If one is out of range, or the density rounds to no entry at all.

    >>> Layer(size=7, density=0.5).n_active  # rounded half to even
    4
    """

    size: int
    density: float

    def __post_init__(self) -> None:
        checks.count("size", self.size, 1, "it is the number of entries of the layer")
        checks.fraction("density", self.density, "it is the fraction of active entries: 1 means dense")
        if self.n_active == 0:
            raise ValueError(f"density={self.density!r} keeps none of {self.size} entries; give at least 1/{self.size}")

    @property
    def n_active(self) -> int:
        """round(density size)."""
        return round(float(self.density) * self.size)


@dataclass(frozen=True, eq=False)
class MaskedState:
    """Where masked SGD stands.

    Attributes
    ----------
    iterate : W^t, flat, where the next (dense) gradient is taken; exactly 0 outside the mask
    velocity : V^t; 0 outside the mask
    mask : the active entries, boolean
    t : steps taken in this stage: the clock of the schedules of step size and momentum
    mask_t : steps taken in all stages: the clock of the mask, which no restart sets back
    """

    iterate: Array
    velocity: Array
    mask: Array
    t: int = 0
    mask_t: int = 0

    @property
    def prox_iterate(self) -> Array:
        """The structured point: W^t."""
        return self.iterate


@dataclass(frozen=True)
class MaskedSGD(Algorithm[MaskedState]):
    """V^t = ((1 - c_t) V^{t-1} + g_t) on the mask;  W^t = W^{t-1} - eta_t V^t.

    The heavy ball: a sum, not an average; at a constant gradient V tends to g/c. NumPy only: what moves the mask sorts.

    Parameters
    ----------
    layers : tuple of Layer
        In the order in which they lie in the flat parameter, which they cover.
    step_size : float or function of t
        eta_t > 0, per step of the stage.
    momentum : float or function of t
        c_t in (0, 1], the weight that the velocity loses in a step: 1 means no momentum, 0.1 is what PyTorch calls 0.9.
    """

    layers: tuple[Layer, ...]
    step_size: Schedule
    momentum: Schedule

    regularizer = Zero()  # structure comes from the mask

    def __post_init__(self) -> None:
        if not isinstance(self.layers, tuple) or not all(isinstance(layer, Layer) for layer in self.layers):
            raise TypeError(f"layers must be a tuple of Layer(size, density), got {self.layers!r}")
        if not self.layers:
            raise ValueError("layers must have at least one Layer, got (); Layer(w0.size, density=1) prunes nothing")
        check_schedules(self.step_size, self.momentum)

    def init(self, w0: Array) -> MaskedState:
        """The state before the first step: a copy of ``w0`` on the first mask.

        Raises ValueError or TypeError if ``w0`` is no finite NumPy vector of float32 or float64, as long as all layers.
        """
        w0 = self._checked_start(w0)
        if not isinstance(w0, np.ndarray):
            raise NoEvaluation(f"{type(self).__name__}, which sorts,", w0)
        size = sum(layer.size for layer in self.layers)
        if w0.shape != (size,):
            raise ValueError(f"layers describe a flat w0 of shape ({size},), got {w0.shape}; flatten it, or add layers")
        mask = self._first_mask()
        return MaskedState(kept(w0, mask), np.zeros_like(w0), mask)

    def _first_mask(self) -> Array:
        return np.ones(sum(layer.size for layer in self.layers), dtype=bool)

    def restart(self, state: MaskedState) -> MaskedState:
        """A new stage from W^t with the same mask: V <- 0, t <- 0; the clock of the mask goes on.

        So a decayed learning rate (``dataclasses.replace(algorithm, step_size=…)``, then `restart`) neither moves nor
        repeats what is planned for the mask.
        """
        return MaskedState(state.iterate, np.zeros_like(state.iterate), state.mask, 0, state.mask_t)

    def _descend(self, state: MaskedState, grad: Array) -> MaskedState:
        """The gradient step on the mask."""
        t = state.t + 1
        step_size, momentum = step_size_at(self.step_size, t), momentum_at(self.momentum, t)
        velocity = kept((1 - momentum) * state.velocity + grad, state.mask)
        iterate = kept(state.iterate - step_size * velocity, state.mask)
        checks.finite("the next iterate", iterate, checks.SKIP)
        return MaskedState(iterate, velocity, state.mask, t, state.mask_t + 1)

    def _parts(self) -> Iterator[tuple[Layer, slice]]:
        ends = accumulate(layer.size for layer in self.layers)
        for layer, end in zip(self.layers, ends, strict=True):
            yield layer, slice(end - layer.size, end)


def kept(values: Array, mask: Array) -> Array:
    """``values`` on the mask, +0 elsewhere."""
    return np.where(mask, values, values.dtype.type(0))


def largest(scores: Array, among: Array, k: int) -> Array:
    """The indices of the ``k`` largest scores where ``among`` is true; of equal ones those of lower index."""
    candidates = np.flatnonzero(among)
    return candidates[np.argsort(-scores[candidates], kind="stable")[:k]]
