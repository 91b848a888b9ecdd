"""Selection against sorting."""

import numpy as np
import pytest

from rmda_ref.kernels.kth_largest import kth_largest
from rmda_ref.kernels.mark_largest import SHORT, mark_largest, marks_of_four

KINDS = {
    "random": lambda rng, n: rng.standard_normal(n),
    "ties": lambda rng, n: rng.integers(0, 3, n).astype(float),
    "zero": lambda rng, n: np.zeros(n),
    "up": lambda rng, n: np.arange(n, dtype=float),
    "down": lambda rng, n: np.arange(n, dtype=float)[::-1].copy(),
    "hill": lambda rng, n: np.minimum(np.arange(n), n - np.arange(n)).astype(float),
}


def ranks_for(n):
    return sorted({1, 2, n // 2, n - 1} & set(range(1, n)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [2, 3, 5, SHORT, SHORT + 1, 100, 333])
def test_marks_are_the_first_of_a_stable_sort(kind, n):
    rng = np.random.default_rng(n)
    keys = KINDS[kind](rng, n)
    order = np.argsort(-keys, kind="stable")
    for k in ranks_for(n):
        marks, spare = keys.copy(), np.empty(n)
        mark_largest(marks, spare, n, k)
        expected = np.zeros(n)
        expected[order[:k]] = 1
        np.testing.assert_array_equal(marks, expected)
        if n == 4:
            np.testing.assert_array_equal(marks_of_four(*keys, k), expected)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [1, 24, 25, 26, 200, 1000])
def test_the_kth_largest(kind, n):
    keys = KINDS[kind](np.random.default_rng(n), n)
    for k in {1, n, *ranks_for(n)}:
        values = keys.copy()
        assert kth_largest(values, n, k) == np.sort(keys)[n - k]
        np.testing.assert_array_equal(np.sort(values), np.sort(keys))


def test_four():
    rng = np.random.default_rng(0)
    for _ in range(300):
        keys = rng.integers(0, 4, 4).astype(float)
        for k in (1, 2, 3):
            expected = np.zeros(4)
            expected[np.argsort(-keys, kind="stable")[:k]] = 1
            np.testing.assert_array_equal(marks_of_four(*keys, k), expected)
