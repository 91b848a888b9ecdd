"""Nondegeneracy: how far a subgradient lies inside the subdifferential.

The structure of a solution w is identified because u = -grad f(w) lies in the *relative interior* of d psi(w). Its
distance to the relative boundary is the margin: gradients that err by less cannot make the inactive part active.
"""

import math
from functools import singledispatch

from rmda_ref.losses.design import matching
from rmda_ref.namespace import Array, namespace
from rmda_ref.regularizers import L1, Blocks, GroupLasso, Nuclear, Regularizer, Zero


def margin(regularizer: Regularizer, w: Array, u: Array) -> float:
    """Euclidean distance from ``u`` in d psi(w) to the relative boundary of d psi(w), in units of the gradient.

    Parameters
    ----------
    regularizer : L1, GroupLasso, Nuclear, Zero or Blocks of these
    w : array, float64, of any array-API namespace
    u : array like ``w``, of its namespace and device
        A subgradient of psi at ``w``; only its inactive part is read.

    Returns
    -------
    float
        Infinite where nothing is inactive: the subdifferential is then one point. Zero for a degenerate ``u``.

    Raises
    ------
    TypeError
        For another regularizer, or arrays of two namespaces.

    >>> import numpy as np
    >>> margin(L1(lam=1.0), np.array([2.0, 0.0, 0.0]), np.array([1.0, 0.75, -0.5]))
    0.25
    """
    return _margin(regularizer, w, matching("u", u, w, "w"))


@singledispatch
def _margin(regularizer: Regularizer, w: Array, u: Array) -> float:
    raise TypeError(f"no margin is known for {type(regularizer).__name__}")


def _least(room: Array, inactive: Array) -> float:
    """The least room of what is inactive; infinite if nothing is."""
    xp = namespace(room)
    return math.inf if 0 in room.shape else float(xp.min(xp.where(inactive, room, xp.inf)))


@_margin.register
def _(regularizer: L1, w: Array, u: Array) -> float:
    return _least(regularizer.strengths_like(w, w.shape) - namespace(u).abs(u), w == 0)


@_margin.register
def _(regularizer: GroupLasso, w: Array, u: Array) -> float:
    """The subdifferential of an inactive group is a ball of radius its strength."""
    norms, sizes = regularizer.layout.norms(w), regularizer.layout.norms(u)
    return _least(regularizer.strengths_like(norms, w.shape) - sizes, norms == 0)


@_margin.register
def _(regularizer: Nuclear, w: Array, u: Array) -> float:
    """On the complement of the row and column spaces of w it is a ball of the spectral norm."""
    xp, layout = namespace(w), regularizer.layout
    left, _, right = xp.linalg.svd(layout.matrix(w), full_matrices=True)
    rank = layout.rank(w)
    inactive = left[:, rank:].T @ layout.matrix(u) @ right[rank:, :].T
    if 0 in inactive.shape:
        return math.inf
    return regularizer.lam - float(xp.max(xp.linalg.svdvals(inactive)))


@_margin.register
def _(regularizer: Zero, w: Array, u: Array) -> float:
    return math.inf


@_margin.register
def _(regularizer: Blocks, w: Array, u: Array) -> float:
    parts, others = regularizer.split(w), regularizer.split(u)
    return min(_margin(b.regularizer, parts[b.name], others[b.name]) for b in regularizer.blocks)
