"""The sorting of magnitudes against NumPy's stable sort, compiled and interpreted."""

import numpy as np
import pytest
from numba import njit

from rmda_ref.kernels.descending import halves_of, sort_descending


def in_order(keys, sort):
    scratch = np.full((4, len(keys) + 3), np.nan)
    scratch[0, : len(keys)] = keys
    halves_of(scratch[1])[: len(keys)] = np.arange(len(keys))
    sort(scratch, len(keys))
    return scratch[0, : len(keys)], halves_of(scratch[1])[: len(keys)]


@pytest.mark.parametrize("sort", [njit(sort_descending), sort_descending], ids=["compiled", "interpreted"])
@pytest.mark.parametrize("n", [0, 1, 2, 64, 65, 128, 1000, 2049])
def test_beside_numpy(n, sort):
    """All of: random, few values, tied, sorted both ways, float32, over the whole range of float64, equal, zero."""
    rng = np.random.default_rng(n)
    whole_range = np.abs(rng.standard_normal(n)) * 10.0 ** rng.integers(-323, 308, n)
    generic = np.abs(rng.standard_normal(n))
    for keys in (
        generic,
        np.round(generic),
        np.sort(generic),
        np.sort(generic)[::-1],
        generic.astype(np.float32),
        whole_range,
        np.full(n, 0.1),
        np.zeros(n),
        1 + np.arange(n) * 2.0**-52,
    ):
        found, places = in_order(keys, sort)
        expected = np.argsort(-keys.astype(np.float64), kind="stable")
        np.testing.assert_array_equal(places, expected)
        np.testing.assert_array_equal(found, keys[expected])
