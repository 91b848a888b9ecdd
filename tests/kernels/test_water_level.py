"""The scalar equation against bisection."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numba import njit
from scipy.optimize import brentq

from rmda_ref.kernels.water_level import water_level


@pytest.mark.parametrize(
    "solve", [njit(water_level, error_model="numpy"), water_level], ids=["compiled", "interpreted"]
)
@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.integers(1, 30),
    total=st.sampled_from([0.0, 1e-3, 1.0, 1e3]),
    rate=st.sampled_from([0.0, 1e-3, 1.0, 1e3]),
)
def test_against_bisection(solve, seed, size, total, rate):
    """Both find the root to some ulps of the heights; the condition is that of dividing by the slopes."""
    rng = np.random.default_rng(seed)
    heights = rng.standard_normal(size) * 10.0 ** rng.uniform(-3, 3, size)
    slopes = 10.0 ** rng.uniform(-2, 2, size)
    assume(total + rate > 0)  # else the root is not unique

    def surplus(tau):
        return np.clip(heights - tau * slopes, 0, None).sum() - total - rate * tau

    reach = (np.abs(heights) / slopes).max() + total / slopes.min() + 1
    expected = brentq(surplus, -reach, reach, xtol=1e-300, rtol=1e-15, maxiter=1000)
    found = solve(heights.copy(), slopes.copy(), size, total, rate)
    at_top = np.abs(heights - found * slopes).max() + np.abs(heights).max() + total + rate * abs(found)
    assert abs(surplus(found) - surplus(expected)) <= 64 * np.finfo(float).eps * size * at_top


def test_exponentially_many_sizes():
    """A row on which each pass drops little: as many passes as terms, and still the root."""
    heights = 2.0 ** np.arange(60)
    level = water_level(heights.copy(), np.ones(60), 60, 1.0, 0.0)
    assert level == pytest.approx(2.0**59 - 1, rel=1e-15)
