"""The secular equation against bisection, another method for the same root."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from rmda_ref.kernels.group_soft_threshold import group_soft_threshold
from rmda_ref.kernels.metric_group_soft_threshold import metric_group_soft_threshold

NO_SCRATCH = np.empty((0, 0))


def by_bisection(row, strength, metric):
    """y_i = metric_i row_i r / (metric_i r + strength) with ||y|| = r."""
    if np.linalg.norm(metric * row) <= strength:
        return np.zeros_like(row)

    def surplus(r):
        return np.sum((metric * row / (metric * r + strength)) ** 2) - 1

    r = brentq(surplus, 0.0, np.linalg.norm(row), xtol=1e-300, rtol=1e-15, maxiter=500)
    return metric * row * r / (metric * r + strength)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1), size=st.integers(1, 8), spread=st.floats(0, 4), strength=st.floats(1e-3, 1e3))
def test_against_bisection(seed, size, spread, strength):
    rng = np.random.default_rng(seed)
    row = rng.standard_normal(size) * 10.0 ** rng.uniform(-2, 2)
    metric = 10.0 ** rng.uniform(-spread, spread, size)
    expected = by_bisection(row, strength, metric)
    metric_group_soft_threshold(row, strength, metric, NO_SCRATCH)
    # Both roots carry the condition of the secular equation: the ratio of the metric's extremes, up to 1e8.
    tolerance = 64 * np.finfo(float).eps * metric.max() / metric.min()
    np.testing.assert_allclose(
        row, expected, rtol=0, atol=tolerance * (np.linalg.norm(expected) + strength * tolerance)
    )


def test_constant_metric_is_the_radial_kernel():
    row = np.array([3.0, 4.0])
    metric_group_soft_threshold(row, 2.0, np.array([2.0, 2.0]), NO_SCRATCH)
    np.testing.assert_allclose(row, np.array([3.0, 4.0]) * group_soft_threshold(5.0, 1.0), rtol=4e-16)


@pytest.mark.parametrize(("strength", "expected"), [(0.0, [3.0, 4.0]), (10.0, [0.0, 0.0]), (11.0, [0.0, 0.0])])
def test_ends(strength, expected):
    """Strength 0 is the identity; at ||metric row|| and beyond the row is exactly zero."""
    row = np.array([3.0, 4.0])
    metric_group_soft_threshold(row, strength, np.array([2.0, 2.0]), NO_SCRATCH)
    np.testing.assert_array_equal(row, expected)
