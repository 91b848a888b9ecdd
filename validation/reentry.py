"""How improbable it is that a certified group is ever nonzero again: far below the eps of its certificate.

Let N_t = sum_{i<=t} s_i zeta_i be Gaussian with independent entries, of variance Q_t each, k to a group, X_t =
N_t/alpha_t, and mu the mean of the dual average, of norm at most strength - delta. The certificate of
`rmda_ref.certificates` asks for |mu + X_t| <= strength - 2 r_t; to be wrong at s > t needs |mu + X_s| > strength. With
e the direction of mu + X_s, x = <e, X_t>, y = <e, X_s>: y - x > 2 r_t, and y > delta as <e, mu> <= strength - delta.
The pair (X_t, X_s) therefore lies, after whitening, at a distance from 0 that is at least that of the wedge {y >=
delta, y - x >= 2 r_t} in the plane, where (x, y) have covariance Q_t/(alpha_t alpha_s). The squared norm is chi-square
with 2k degrees of freedom. A union over all pairs, groups and runs bounds the probability of *any* violation.
"""

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc, ndtr

Vector = npt.NDArray[np.float64]


def violation_bound(variances: Vector, radii: Vector, margin: float, size: int) -> float:
    """A bound on the probability that one group is certified and then nonzero.

    Parameters
    ----------
    variances, radii : of X_t = N_t/alpha_t per entry, and r_t, for t = 1, 2, …
    margin : delta
    size : k
    """
    total = 0.0
    for t in range(len(radii) - 1):
        distances = wedge_distances(variances[t], variances[t + 1 :], _covariances(variances, t), margin, 2 * radii[t])
        total += float(chdtrc(2 * size, distances**2).sum())
    return total


def gap_bound(variances: Vector, radii: Vector) -> float:
    """The same for one entry by y - x > 2 r_t alone, for either sign of y: of use where the margin is not known."""
    total = 0.0
    for t in range(len(radii) - 1):
        difference = variances[t] + variances[t + 1 :] - 2 * _covariances(variances, t)
        total += float(2 * ndtr(-2 * radii[t] / np.sqrt(difference)).sum())
    return total


def _covariances(variances: Vector, t: int) -> Vector:
    """Cov(X_t, X_s) for s > t, step sizes being constant: Q_t/(alpha_t alpha_s) = var(X_t) H_t/H_s."""
    sums = np.cumsum(np.sqrt(np.arange(1, len(variances) + 1)))
    return np.asarray(variances[t] * sums[t] / sums[t + 1 :])


def wedge_distances(a: float, b: Vector, c: Vector, margin: float, gap: float) -> Vector:
    """The distance of 0 from {y >= margin, y - x >= gap} after whitening (x, y), of var x = a, var y = b, cov = c."""
    difference = a + b - 2 * c  # var(y - x)
    across = b - c  # cov(y, y - x)
    by_margin, by_gap = margin / np.sqrt(b), gap / np.sqrt(difference)
    corner = np.sqrt(
        (margin**2 * difference - 2 * margin * gap * across + gap**2 * b)
        / np.maximum(b * difference - across**2, 1e-300)
    )
    # The nearest point of one line satisfies the other condition, or the corner is nearest.
    return np.where(
        across * by_gap / np.sqrt(difference) >= margin, by_gap, np.where(across * margin / b >= gap, by_margin, corner)
    )
