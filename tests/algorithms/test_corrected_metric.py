"""A metric corrected along moves: exact there, unchanged elsewhere, and never indefinite."""

import numpy as np
import pytest

from rmda_ref.algorithms.corrected_metric import FLATTEST, CorrectedMetric

N = 8
RNG = np.random.default_rng(0)


def positive(rng):
    root = rng.standard_normal((N, N))
    return root @ root.T


M = positive(RNG)
H = M / 2 + positive(RNG)  # nowhere flatter than FLATTEST of M
S = RNG.standard_normal((3, N))


class Plain:
    """A matrix as a metric."""

    exact, inverts, steps = False, True, 7

    def __init__(self, matrix):
        self.matrix, self.diagonal = matrix, np.diag(matrix)

    def product(self, direction):
        return self.matrix @ direction

    def damped(self, damping):
        return Plain(self.matrix + damping * np.diag(self.diagonal))


def dense(metric):
    return np.stack([metric.product(unit) for unit in np.eye(N)], axis=1)


def corrected(directions=S):
    return CorrectedMetric(Plain(M), directions, [H @ s for s in directions])


# Matrices of norm below 50 and condition of S^T M S below 1e4: 50 * 1e4 * eps = 1e-10.
ATOL = 1e-10


def test_it_is_the_hessian_along_the_directions():
    np.testing.assert_allclose(dense(corrected()) @ S.T, H @ S.T, rtol=0, atol=ATOL)
    assert np.abs(M @ S.T - H @ S.T).max() > 1  # it was not before


def test_it_is_semidefinite_and_symmetric():
    matrix = dense(corrected())
    np.testing.assert_allclose(matrix, matrix.T, rtol=0, atol=ATOL)
    assert np.linalg.eigvalsh(matrix)[0] > -ATOL


def test_what_is_conjugate_to_the_directions_keeps_the_metric():
    # v with S M v = 0 and S H v = 0
    v = np.linalg.svd(np.concatenate((S @ M, S @ H)))[2][6:]
    np.testing.assert_allclose(dense(corrected()) @ v.T, M @ v.T, rtol=0, atol=ATOL)


def test_dependent_directions_count_once():
    twice = np.stack((*S, 3 * S[0]))
    np.testing.assert_allclose(
        dense(corrected(twice)), dense(corrected()), rtol=0, atol=1e-5
    )  # its eigenvalue is left out


def test_sizes_of_directions_do_not_matter():
    sizes = np.array([[1e-9], [1.0], [1e6]])
    np.testing.assert_allclose(dense(corrected(sizes * S)), dense(corrected()), rtol=0, atol=ATOL)


def test_damping_is_added_to_both():
    damped = dense(corrected().damped(0.5))
    np.testing.assert_allclose(damped @ S.T, (H + 0.5 * np.diag(np.diag(M))) @ S.T, rtol=0, atol=ATOL)
    assert corrected().damped(0.0).exact


@pytest.mark.parametrize("scale", [np.ones(N), np.diag(M)])
def test_its_largest_eigenvalue(scale):
    root = np.sqrt(scale)
    largest = np.linalg.eigvalsh(dense(corrected()) / np.outer(root, root))[-1]
    assert largest <= corrected().largest(scale) <= 1.15 * largest  # raised by a tenth


def test_where_the_hessian_is_flat_a_share_of_the_metric_stays():
    flat = CorrectedMetric(Plain(M), S, [0 * s for s in S])
    np.testing.assert_allclose(dense(flat) @ S.T, FLATTEST * M @ S.T, rtol=0, atol=ATOL)
