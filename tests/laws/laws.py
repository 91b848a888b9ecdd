"""What every regularizer must satisfy, as functions that raise AssertionError.

``slack`` bounds the rounding: a prox is a handful of operations on entries and one norm per group, so its error is a
few hundred units in the last place of the largest operand at the small sizes tested here.
"""

import numpy as np

ULPS = 256


def slack(w, *scales):
    return ULPS * np.finfo(w.dtype).eps * max(1e-30, float(np.linalg.norm(w)), *map(float, scales))


def dot(x, y):
    return float(np.sum(x.astype(np.float64) * y))


def optimality(regularizer, w, other, step, metric):
    """0 is in step d psi(u) + metric (u - w) at u = prox(w)."""
    u = regularizer.prox(w, step, metric)
    pull = (w - u) if metric is None else metric * (w - u)
    largest = 1.0 if metric is None else float(metric.max())
    assert regularizer.subdiff_distance(u, pull / step) <= slack(w, step) * largest / step * 4


def three_points(regularizer, w, other, step, metric):
    """step psi(u) + 1/2 |u - w|^2 + 1/2 |x - u|^2 <= step psi(x) + 1/2 |x - w|^2: ties value to prox."""
    u = regularizer.prox(w, step)
    left = step * regularizer.value(u) + dot(u - w, u - w) / 2 + dot(other - u, other - u) / 2
    right = step * regularizer.value(other) + dot(other - w, other - w) / 2
    assert left <= right + slack(w) * (1 + left)


def firm_nonexpansiveness(regularizer, w, other, step, metric):
    """|p - q|^2 <= <p - q, w - other>."""
    difference = regularizer.prox(w, step) - regularizer.prox(other, step)
    size = np.linalg.norm(w) + np.linalg.norm(other)
    assert dot(difference, difference) <= dot(difference, w - other) + slack(w, size) * (1 + size)


def fenchel(regularizer, w, other, step, metric):
    """psi(u) + psi*(v) = <u, v> at v = (w - u)/step; psi(x) + psi*(v) >= <x, v> everywhere."""
    u = regularizer.prox(w, step)
    rounding = slack(w) / step  # of v, which may put it outside an indicator's domain: pull it inside
    v = (w - u) / step * max(1 - rounding, 0)
    error = rounding * (1 + np.linalg.norm(w)) * (1 + np.linalg.norm(v)) * 4
    conjugate = regularizer.conjugate(v)
    assert abs(regularizer.value(u) + conjugate - dot(u, v)) <= error
    assert regularizer.value(other) + conjugate >= dot(other, v) - error


def unit_metric(regularizer, w, other, step, metric):
    """The metric of ones is no metric."""
    if regularizer.metric_prox is None:
        return
    difference = regularizer.prox(w, step, np.ones_like(w)) - regularizer.prox(w, step)
    assert np.abs(difference).max() <= slack(w, step)


def zero_step(regularizer, w, other, step, metric):
    """prox with step 0 is the identity, also at zero."""
    for point in (w, np.zeros_like(w)):
        assert np.abs(regularizer.prox(point, 0.0) - point).max() <= slack(w)


def memory(regularizer, w, other, step, metric):
    """The input is untouched and its memory order does not matter; shape and dtype are kept."""
    given = np.asfortranarray(w)
    given.flags.writeable = False
    spaced = np.repeat(w, 2, axis=-1)[..., ::2]
    u = regularizer.prox(w.copy(), step)
    assert u.dtype == w.dtype and u.shape == w.shape
    np.testing.assert_array_equal(regularizer.prox(given, step), u)
    np.testing.assert_array_equal(regularizer.prox(spaced, step), u)
    np.testing.assert_array_equal(given, w)


LAWS = (optimality, three_points, firm_nonexpansiveness, fenchel, unit_metric, zero_step, memory)
