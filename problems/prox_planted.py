"""Problems planted by the prox itself, so that any regularizer can have one.

At w* = prox_{s psi}(x) the vector u = (x - w*)/s is a subgradient of psi, and

    psi(w) >= psi(w*) + <u, w - w*> - |w - w*|^2 / (2 s)   for every w,

because w* minimises the prox objective. So F = h/2 |w - w*|^2 - <u, w> + psi has the global minimiser w* for convex psi
with any h > 0, and for every psi, convex or not, with h >= 1/s. Neither the subdifferential nor a margin has to be
known.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from problems.planted import Planted
from problems.quadratic import Quadratic
from rmda_ref.regularizers import Regularizer

Array = npt.NDArray[Any]

TRIES = 12  # points among which the one with the safest structure is taken
DIRECTIONS = 16  # in which each is moved, to and fro: with few, a small active entry is missed


def prox_planted(
    regularizer: Regularizer,
    shape: tuple[int, ...],
    rng: np.random.Generator,
    *,
    step: float = 1.0,
    noise_ratio: float = 0.0,
) -> Planted:
    """The problem at the prox of a random point, among several the one whose structure is safest.

    Parameters
    ----------
    regularizer : psi
    shape : of the parameter
    rng : draws the points
    step : s, of the prox that plants the solution
    noise_ratio : root mean square of the norm of the gradient noise, per step, over the `safety` of the structure in
        units of the gradient: with 1 a single gradient errs by about the distance at which the structure changes

    >>> from rmda_ref import L1
    >>> problem = prox_planted(L1(lam=1.0), (6,), np.random.default_rng(0))
    >>> bool(problem.kkt_residual < 1e-15), 0 < problem.manifold.n_active < 6
    (True, True)
    """
    points = [2 * rng.standard_normal(shape) for _ in range(TRIES)]
    fit = [point for point in points if _shows_structure(regularizer, point, step)] or points
    rooms = [safety(regularizer, point, step, rng) for point in fit]
    best = int(np.argmax(rooms))
    target = regularizer.prox(fit[best], step)
    smooth = Quadratic(target, np.eye(target.size) / step, noise_ratio * rooms[best] / step / np.sqrt(target.size))
    return Planted(smooth, regularizer, (fit[best] - target) / step)


def safety(regularizer: Regularizer, point: Array, step: float, rng: np.random.Generator) -> float:
    """The largest distance of 1/1024, 1/512, …, 1 such that the point may move by it, and by the smaller ones, to and
    fro in random directions, and keep the structure of its prox; 0 if there is none.

    All distances up to it count: far out the structure may be there again, with another sign. And both ways: it may be
    lost on one side only, where random directions can all miss.
    """
    found = regularizer.manifold(regularizer.prox(point, step))
    directions = rng.standard_normal((DIRECTIONS, *point.shape))
    directions /= np.sqrt((directions**2).sum(axis=tuple(range(1, directions.ndim)), keepdims=True))
    directions = np.concatenate([directions, -directions])
    safe = 0.0
    for size in 0.5 ** np.arange(10, -1, -1):
        if any(regularizer.manifold(regularizer.prox(point + size * d, step)) != found for d in directions):
            break
        safe = float(size)
    return safe


def _shows_structure(regularizer: Regularizer, point: Array, step: float) -> bool:
    """Whether the prox has another structure than the point, and another than the prox of 0."""
    found = regularizer.manifold(regularizer.prox(point, step))
    return found not in (regularizer.manifold(point), regularizer.manifold(regularizer.prox(0 * point, step)))
