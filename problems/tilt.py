"""Subgradients with a prescribed margin: what is added to f so that a chosen point is optimal, and how strictly.

The *margin* delta of u in d psi(w) is its distance to the relative boundary: on the inactive part the dual norm of u
stays below its bound by delta (in units of the gradient).
"""

from functools import singledispatch
from typing import Any

import numpy as np
import numpy.typing as npt

from rmda_ref.regularizers import L1, Blocks, GroupLasso, Nuclear, Regularizer, Zero

Array = npt.NDArray[Any]


@singledispatch
def subgradient(regularizer: Regularizer, w: Array, margin: float, rng: np.random.Generator) -> Array:
    """A subgradient of psi at ``w`` whose inactive part is as large as the margin allows, in random directions.

    Parameters
    ----------
    regularizer : L1, GroupLasso, Nuclear, Zero or Blocks of these
    w : array
    margin : float in (0, strength]; any, infinite too, where nothing is inactive
    rng : numpy Generator, for the directions

    Raises
    ------
    ValueError
        If the margin is not in (0, strength] and something is inactive.
    TypeError
        For another regularizer.
    """
    raise TypeError(f"no subgradient with a margin is known for {type(regularizer).__name__}")


def _inactive_size(strength: float, margin: float) -> float:
    if not 0 < margin <= strength:
        raise ValueError(f"margin must lie in (0, {strength:g}], the strength of the regularizer, got {margin!r}")
    return strength - margin


@subgradient.register
def _(regularizer: L1, w: Array, margin: float, rng: np.random.Generator) -> Array:
    strengths = regularizer.strengths_like(w, w.shape) + np.zeros_like(w)
    _ = _inactive_size(float(strengths[w == 0].min(initial=np.inf)), margin)
    inactive = (strengths - margin) * rng.choice([-1.0, 1.0], w.shape)
    return np.where(w != 0, strengths * np.sign(w), inactive)


@subgradient.register
def _(regularizer: GroupLasso, w: Array, margin: float, rng: np.random.Generator) -> Array:
    layout, strength = regularizer.layout, regularizer.strengths(w.shape)
    norms = layout.norms(w)
    strength = strength + np.zeros_like(norms)
    _ = _inactive_size(float(strength[norms == 0].min(initial=np.inf)), margin)
    random = rng.standard_normal(w.shape)
    active = w * layout.spread(strength / np.where(norms > 0, norms, 1), w.shape)
    inactive = random * layout.spread((strength - margin) / layout.norms(random), w.shape)
    return np.asarray(np.where(layout.spread(norms > 0, w.shape), active, inactive))


@subgradient.register
def _(regularizer: Nuclear, w: Array, margin: float, rng: np.random.Generator) -> Array:
    """lam U V^T on the span of w; (lam - margin) times a partial isometry on its complement."""
    matrix = regularizer.layout.matrix(w)
    u, _, vt = np.linalg.svd(matrix)
    rank = regularizer.layout.rank(w)
    rows, columns = u[:, rank:], vt[rank:]
    isometry = np.eye(rows.shape[1], columns.shape[0])
    inactive = _inactive_size(regularizer.lam, margin) * rows @ isometry @ columns if isometry.size else 0.0
    return np.asarray((regularizer.lam * u[:, :rank] @ vt[:rank] + inactive).reshape(w.shape))


@subgradient.register
def _(regularizer: Zero, w: Array, margin: float, rng: np.random.Generator) -> Array:
    return np.zeros_like(w)


@subgradient.register
def _(regularizer: Blocks, w: Array, margin: float, rng: np.random.Generator) -> Array:
    parts = regularizer.split(w)
    return np.concatenate(
        [subgradient(b.regularizer, parts[b.name], margin, rng).reshape(-1) for b in regularizer.blocks]
    )
