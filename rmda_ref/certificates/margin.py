"""Nondegeneracy: how far a subgradient lies inside the subdifferential.

The structure of a solution w is identified because u = -grad f(w) lies in the *relative interior* of d psi(w). Its
distance to the relative boundary is the margin: gradients that err by less cannot make the inactive part active.
"""

from functools import singledispatch
from typing import Any

import numpy as np
import numpy.typing as npt

from rmda_ref.regularizers import L1, Blocks, GroupLasso, Nuclear, Regularizer, Zero

Array = npt.NDArray[Any]


@singledispatch
def margin(regularizer: Regularizer, w: Array, u: Array) -> float:
    """Euclidean distance from ``u`` in d psi(w) to the relative boundary of d psi(w), in units of the gradient.

    Parameters
    ----------
    regularizer : L1, GroupLasso, Nuclear, Zero or Blocks of these
    w : array, float64
    u : array like ``w``
        A subgradient of psi at ``w``; only its inactive part is read.

    Returns
    -------
    float
        Infinite where nothing is inactive: the subdifferential is then one point. Zero for a degenerate ``u``.

    Raises
    ------
    TypeError
        For another regularizer.

    >>> margin(L1(lam=1.0), np.array([2.0, 0.0, 0.0]), np.array([1.0, 0.75, -0.5]))
    0.25
    """
    raise TypeError(f"no margin is known for {type(regularizer).__name__}")


@margin.register
def _(regularizer: L1, w: Array, u: Array) -> float:
    room = regularizer.strengths_like(w, w.shape) - np.abs(u)
    return float(np.min(room[w == 0], initial=np.inf))


@margin.register
def _(regularizer: GroupLasso, w: Array, u: Array) -> float:
    """The subdifferential of an inactive group is a ball of radius its strength."""
    layout = regularizer.layout
    room = regularizer.strengths(w.shape) - layout.norms(u)
    return float(np.min(room[layout.norms(w) == 0], initial=np.inf))


@margin.register
def _(regularizer: Nuclear, w: Array, u: Array) -> float:
    """On the complement of the row and column spaces of w it is a ball of the spectral norm."""
    left, _, right = np.linalg.svd(regularizer.layout.matrix(w))
    rank = regularizer.layout.rank(w)
    inactive = left[:, rank:].T @ regularizer.layout.matrix(u) @ right[rank:].T
    return regularizer.lam - float(np.linalg.norm(inactive, 2)) if inactive.size else np.inf


@margin.register
def _(regularizer: Zero, w: Array, u: Array) -> float:
    return np.inf


@margin.register
def _(regularizer: Blocks, w: Array, u: Array) -> float:
    parts, others = regularizer.split(w), regularizer.split(u)
    return min(margin(b.regularizer, parts[b.name], others[b.name]) for b in regularizer.blocks)
