"""Sparse envelopes and k-support norms as convex programs: by their shares, and by enumeration of supports.

Values are found by bisection. The norm's program is its definition by Argyriou et al. (2012), the latent group lasso
over all supports of k magnitudes; the envelope's is the least sum of squares over shares.
"""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rmda_ref.layout import Norms, Spectrum
from validation.oracles.convex_program import RESOLUTION, prox_minimiser
from validation.oracles.oracle import Oracle

Array = NDArray[np.float64]


def rows_of_groups(psi: Any, shape: tuple[int, ...]) -> list[list[Array]]:
    """For each row that psi sees, the entries behind each of its magnitudes."""
    layout, places = psi.layout, np.arange(int(np.prod(shape))).reshape(shape)
    if isinstance(layout, Norms):
        return [[group for matrix in layout.of.rows(places) for group in matrix]]
    return [[np.array([entry]) for entry in row] for matrix in layout.rows(places) for row in matrix]


def weights_of(psi: Any, n: int) -> Array:
    given = getattr(psi, "weights", None)
    return np.ones(n) if given is None else np.array(given, dtype=np.float64).reshape(-1)


def half_square(a: Array, k: int) -> float:
    """min sum a_i^2/(2 theta_i) over 0 <= theta <= 1, sum theta <= k: theta_i = min(1, a_i/tau), tau by bisection."""
    a = a[a > 0]
    if len(a) <= k:
        return float(np.sum(a**2)) / 2
    low, high = 0.0, float(a.sum())
    for _ in range(200):
        tau = (low + high) / 2
        low, high = (tau, high) if np.minimum(1, a / tau).sum() > k else (low, tau)
    return float(np.sum(a**2 / np.minimum(1, a / high))) / 2


def _rows_of_magnitudes(psi: Any, w: Array) -> list[Array]:
    if isinstance(psi.layout, Spectrum):
        return [np.asarray(np.linalg.svdvals(w.reshape(len(w), -1)), dtype=np.float64)]
    flat, found = w.reshape(-1), []
    for row in rows_of_groups(psi, w.shape):
        norms = np.array([np.linalg.norm(flat[group]) for group in row])
        found.append(np.sqrt(weights_of(psi, len(row))) * norms)
    return found


def envelope_value(psi: Any, w: Array) -> float:
    return float(psi.lam * sum(half_square(a, psi.k) for a in _rows_of_magnitudes(psi, w)))


def norm_value(psi: Any, w: Array) -> float:
    return float(psi.lam * sum(np.sqrt(2 * half_square(a, psi.k)) for a in _rows_of_magnitudes(psi, w)))


def _by_shares(psi: Any, x: Any) -> tuple[Any, list[Any]]:
    import cvxpy as cp

    flat, terms, constraints = cp.vec(x, order="C"), [], []
    for row in rows_of_groups(psi, x.shape):
        theta = cp.Variable(len(row))
        weighted = zip(weights_of(psi, len(row)), row, theta, strict=True)
        terms += [weight * cp.quad_over_lin(flat[group], share) for weight, group, share in weighted if weight > 0]
        constraints += [theta >= 0, theta <= 1, cp.sum(theta) <= psi.k]
    return psi.lam / 2 * cp.sum(terms), constraints


def _by_supports(psi: Any, x: Any) -> tuple[Any, list[Any]]:
    """min of sum_S ||v_S|| over x = sum_S v_S, the S being all supports of k magnitudes."""
    import cvxpy as cp

    flat, terms, constraints = cp.vec(x, order="C"), [], []
    for row in rows_of_groups(psi, x.shape):
        entries = np.concatenate(row)
        rebuilt = 0
        for support in itertools.combinations(row, min(psi.k, len(row))):
            inside = np.flatnonzero(np.isin(entries, np.concatenate(support)))
            part = cp.Variable(len(inside))
            terms.append(cp.norm2(part))
            rebuilt += np.eye(len(entries))[:, inside] @ part
        constraints.append(flat[entries] == rebuilt)
    return psi.lam * cp.sum(terms), constraints


class _Vector:
    """The same penalty of a vector, for the singular values."""

    def __init__(self, psi: Any) -> None:
        from rmda_ref.layout import Rows

        self.lam, self.k, self.layout = psi.lam, psi.k, Rows(None)


def _minimiser(
    program: Callable[[Any, Any], tuple[Any, list[Any]]],
) -> Callable[[Any, Array, float, Array | None], Array]:
    of_entries = prox_minimiser(program)

    def minimiser(psi: Any, w: Array, step: float, metric: Array | None) -> Array:
        if not isinstance(psi.layout, Spectrum):
            return of_entries(psi, w, step, metric)
        u, s, vt = np.linalg.svd(w.reshape(len(w), -1), full_matrices=False)
        return np.asarray((u * of_entries(_Vector(psi), s, step, None)) @ vt).reshape(w.shape)

    return minimiser


ENVELOPE = Oracle("convex program", envelope_value, _minimiser(_by_shares), 1e-6)  # stalls in rotated cones
NORM = Oracle("convex program", norm_value, _minimiser(_by_supports), RESOLUTION)

ORACLES: dict[str, Oracle] = {
    **dict.fromkeys(("k-support", "k-support, columns", "k-support, lists", "k-support, norms"), NORM),
    "k-support, spectrum": NORM,
    **dict.fromkeys(("sparse envelope", "sparse envelope, rows", "sparse envelope, weights"), ENVELOPE),
    "sparse envelope, spectrum": ENVELOPE,
    **dict.fromkeys(("group sparse envelope, columns", "group sparse envelope, lists"), ENVELOPE),
}
