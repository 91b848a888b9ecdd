"""Plant a solution: any f with a known minimiser, any psi, a prescribed structure, margin and noise."""

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from problems.numerical_margin import Interior, Nearest, Subdifferential
from problems.planted import Planted, Smooth
from problems.prox_planted import safety
from problems.tilt import subgradient
from rmda_ref import checks
from rmda_ref.certificates.margin import margin as margin_of
from rmda_ref.layout import Entries, Spectrum
from rmda_ref.regularizers import Blocks, Manifold, Rank, Regularizer, Support, WholeSpace

Array = npt.NDArray[Any]

PROX_STEP = 1.0  # s, for psi that are not convex
TRIES = 200  # points whose prox is tried for these
ROUNDS = 40  # steps towards a subgradient with the margin asked for
CLOSE = 1e-6  # of the margin asked for, that the numerical one must reach


def planted(
    smooth: Smooth,
    regularizer: Regularizer,
    *,
    margin: float,
    rng: np.random.Generator,
    manifold: Manifold | Array | None = None,
    noise: float = 0.0,
) -> Planted:
    """The problem f - <u, .> + psi whose global minimiser has this structure, identified with this margin.

    Where psi is not convex, a proximal term is added that makes the point a global minimiser (`problems.planted`), the
    point is a prox of a random one, and its structure is as *safe* as asked at least (`problems.prox_planted.safety`).

    Parameters
    ----------
    smooth : dataclass with the fields and methods of `problems.planted.Smooth`
        f, with its minimiser in the field ``target``: `Quadratic`, `PopulationLogistic`, `TeacherStudent`, …
    regularizer : psi
    margin : positive
        Distance of u from the relative boundary of d psi(W*), in units of the gradient; infinite where d psi(W*) is one
        point or a subspace.
    rng : numpy Generator
        For the directions of u, and for the point where psi is not convex.
    manifold : Support, Rank, tuple of those of `Blocks`, or array, optional
        The structure of W*: f's target is moved onto it, by zeroing inactive entries or groups or by truncating the
        spectrum. An array is W* itself (convex psi only). By default f's target is W* as it is, for convex psi.
    noise : at least 0
        Standard deviation, per entry and step, of Gaussian noise added to f's stochastic gradients.

    Returns
    -------
    Planted
        It has proved itself: the KKT residual is below 1e-12 of the size of its terms, and the margin is the one asked
        for, to rounding where a formula is known (`certificates.margin`), else to 1e-6 of it, as measured by a search
        that needs margins and strengths of at least 1e-4 or so (in units of the gradient).

    Raises
    ------
    ValueError
        If the point cannot have the structure, or the margin cannot be had there; the message names the largest found.
    TypeError
        If the structure is of a kind on which no point is known: give an array.

    >>> from problems.quadratic import Quadratic
    >>> from rmda_ref import Slope
    >>> f = Quadratic(np.array([3.0, -2.0, 0.0, 0.0]), np.eye(4))
    >>> problem = planted(f, Slope(0.5, [4.0, 3.0, 2.0, 1.0]), margin=0.2, rng=np.random.default_rng(0), noise=0.1)
    >>> problem.solution, bool(problem.kkt_residual < 1e-12)
    (array([ 3., -2.,  0.,  0.]), True)
    """
    checks.nonnegative("noise", noise)
    if not margin > 0:
        raise ValueError(f"margin must be positive, got {margin!r}; with a margin of 0 nothing is identified")
    if not regularizer.convex:
        return _by_prox(smooth, regularizer, margin, rng, manifold, noise)
    point = manifold if isinstance(manifold, np.ndarray) else smooth.target
    checks.same_kind("manifold", point, smooth.target)
    checks.finite("manifold", point)
    if manifold is not None and not isinstance(manifold, np.ndarray):
        point = moved_onto(manifold, regularizer, point)
        _check_structure(manifold, regularizer, point)
    if not np.isfinite(regularizer.value(point)):
        raise ValueError("the target of f lies outside the domain of psi; give manifold as an array, a point within it")
    moved: Any = dataclasses.replace(smooth, target=point)  # type: ignore[type-var]
    return Planted(moved, regularizer, _tilt(regularizer, point, margin, rng), noise=noise)


def moved_onto(manifold: Manifold, regularizer: Regularizer, w: Array) -> Array:
    """``w`` without what is inactive, or with no more than so many singular values."""
    match manifold:
        case WholeSpace():
            return w
        case tuple() if isinstance(regularizer, Blocks):
            names = [block.name for block in regularizer.blocks]
            if len(manifold) != len(names):
                raise ValueError(
                    f"manifold has {len(manifold)} parts for the blocks {names}; give one (name, structure) each"
                )
            parts = regularizer.split(w)
            moved = [
                moved_onto(structure, block.regularizer, parts[block.name])
                for block, (_, structure) in zip(regularizer.blocks, manifold, strict=True)
            ]
            return np.concatenate([part.reshape(-1) for part in moved])
        case Support() if manifold.shape == w.shape:
            return np.where(manifold.mask, w, 0.0)
        case Support() if not isinstance(regularizer.layout, Entries | Spectrum):
            spread: Any = regularizer.layout
            return np.asarray(w * spread.spread(manifold.mask.astype(w.dtype), w.shape))
        case Rank() if isinstance(regularizer.layout, Spectrum):
            u, s, vt = regularizer.layout.factors(w)
            s = np.where(np.arange(s.size) < manifold.rank, s, 0.0)
            return np.asarray(((u * s) @ vt).reshape(w.shape))
    raise TypeError(
        f"no point is known on {manifold!r} for {type(regularizer).__name__}; give manifold as an array, a point that "
        "has the structure"
    )


def _check_structure(manifold: Manifold, regularizer: Regularizer, point: Array) -> None:
    found = regularizer.manifold(point)
    if found != manifold:
        raise ValueError(
            f"the target of f cannot be moved onto {manifold!r}: it becomes {found!r}; its active part must be nonzero"
        )


def _tilt(regularizer: Regularizer, point: Array, margin: float, rng: np.random.Generator) -> Array:
    """u in d psi at the point, with the margin: by formula, or by search."""
    try:
        u = subgradient(regularizer, point, margin, rng)
    except TypeError:  # no formula is known
        return _searched(regularizer, point, margin, rng)
    if np.isfinite(margin) and np.isinf(margin_of(regularizer, point, u)):
        raise _nothing_inactive(margin)
    return u


def _searched(regularizer: Regularizer, point: Array, margin: float, rng: np.random.Generator) -> Array:
    """The same, from the distance to d psi alone."""
    inside = Interior.of(Subdifferential(regularizer, point), rng)
    largest = 0.0
    for _ in range(ROUNDS):
        nearest = inside.nearest(rng)
        largest = max(largest, nearest.margin)
        if nearest.margin == margin or abs(nearest.margin - margin) <= CLOSE * margin:
            return inside.u.reshape(point.shape)
        if np.isinf(nearest.margin):
            raise _nothing_inactive(margin)
        # Straight towards the nearest part of the boundary the margin falls at rate 1, and that part stays the nearest.
        inside = inside.moved((nearest.margin - margin) * nearest.direction if nearest.margin > margin
                              else _deeper(inside, nearest, 1.05 * margin - nearest.margin))  # fmt: skip
    raise ValueError(f"margin {margin!r} was not reached at this point; the largest found is {largest:.6g}")


def _nothing_inactive(margin: float) -> ValueError:
    return ValueError(f"margin {margin!r} cannot be had: nothing is inactive at this point; ask for math.inf")


def _deeper(inside: Interior, nearest: Nearest, step: float) -> Array:
    """Away from the nearest part of the boundary, no further than midway: a step of Polyak's on the concave margin."""
    midway = (inside.room(-nearest.direction) - nearest.margin) / 2
    return -min(step, max(midway, 0.0)) * nearest.direction


def _by_prox(
    smooth: Smooth,
    regularizer: Regularizer,
    margin: float,
    rng: np.random.Generator,
    manifold: Manifold | Array | None,
    noise: float,
) -> Planted:
    if isinstance(manifold, np.ndarray):
        raise TypeError(
            f"{type(regularizer).__name__} is not convex: its solutions are drawn by its prox; give manifold as a "
            "structure, or leave it out"
        )
    largest = 0.0
    for _ in range(TRIES):
        x = 2 * rng.standard_normal(smooth.target.shape)
        if manifold is not None:
            x = moved_onto(manifold, regularizer, x)
        point = regularizer.prox(x, PROX_STEP)
        if manifold is not None and regularizer.manifold(point) != manifold:
            continue
        safe = safety(regularizer, x, PROX_STEP, rng) / PROX_STEP
        largest = max(largest, safe)
        if safe >= margin:
            moved: Any = dataclasses.replace(smooth, target=point)  # type: ignore[type-var]
            return Planted(moved, regularizer, (x - point) / PROX_STEP, 1 / PROX_STEP, noise)
    raise ValueError(
        f"no point with this structure and a margin of {margin!r} was found in {TRIES} tries, the largest margin was "
        f"{largest:g}; ask for less"
    )
