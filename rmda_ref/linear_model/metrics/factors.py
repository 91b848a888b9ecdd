"""Positive semidefinite matrices made invertible."""

import numpy as np
from scipy.linalg import cho_solve
from scipy.linalg.lapack import dpotrf, dpotri

from rmda_ref.algorithms.metric_prox import Vector

SHIFT = 1e-12  # of the diagonal: a Gram matrix of dependent features has no inverse
SMALL = 64  # order of a matrix: below, LAPACK's inverse costs more in threads than it saves
FLAT = 1e-200  # relative curvature below which a direction counts as flat


def floored(diagonal: Vector) -> Vector:
    """Positive: where a feature is zero in all samples, anything will do."""
    largest = float(diagonal.max(initial=0.0)) or 1.0
    return np.where(diagonal > FLAT * largest, diagonal, largest)


def cholesky(matrix: Vector) -> tuple[Vector, bool]:
    """A factor for `cho_solve` of the matrix, its diagonal raised as little as it takes."""
    shift, diagonal = SHIFT, floored(np.diag(matrix))
    while True:
        raised = matrix.copy()
        raised[np.diag_indices_from(raised)] += shift * diagonal
        factor, info = dpotrf(raised, lower=1, clean=0)
        if info == 0:
            return factor, True
        shift *= 100


def inverted(matrix: Vector) -> Vector:
    """The inverse of a positive definite matrix."""
    factor, _ = cholesky(matrix)
    if len(matrix) < SMALL:
        return np.asarray(cho_solve((factor, True), np.eye(len(matrix)), check_finite=False))
    inverse, _ = dpotri(factor, lower=1)
    lower = np.tril(inverse)
    return lower + np.tril(inverse, -1).T
