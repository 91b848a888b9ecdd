"""The oracles of the optimizers with masks against arithmetic, and against their algorithms with arrays and buffers.

The numbers by hand are dyadic, so exact.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from validation.oracles import optimizers as oracles

T = 30
CLOSE = {"rtol": 0, "atol": 1e-12}  # 30 steps, 30 terms each, at sizes up to 10, of 1.1e-16 each: at most 1e-12


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_rigl_by_hand():
    """k = floor(0.35 * 3) = 1 at t = 2: weight 1 is dropped, weight 4 grows, with no momentum."""
    w0, mask0 = np.array([3, -0.5, 2, 9, 9, 9.0]), np.array([1, 1, 1, 0, 0, 0], dtype=bool)
    grads = np.array([[1, 0, 0, 5, 5, 5], [9, 1, 9, 0, -4, 3], [0, 7, 1, 7, 2, 7], [0] * 6], dtype=np.float64)
    points = oracles.rigl(w0, mask0, grads, [1.0] * 4, [0.5] * 4, update_every=2, stop_at=4, alpha=0.7)
    assert_array_equal(points[0], [2, -0.5, 2, 0, 0, 0])
    assert_array_equal(points[1], [2, 0, 2, 0, 0, 0])
    assert_array_equal(points[2], [1.5, 0, 1, 0, -2, 0])
    assert_array_equal(points[3], [1.25, 0, 0.5, 0, -3, 0])


def test_rigl_may_grow_what_it_dropped():
    """At 0 and without its momentum."""
    w0, mask0 = np.array([3, 0.5, 9.0]), np.array([True, True, False])
    grads = np.array([[1, 1, 1], [0, 5, 4], [1, 1, 1]], dtype=np.float64)
    points = oracles.rigl(w0, mask0, grads, [0.25] * 3, [0.5] * 3, update_every=2, stop_at=4, alpha=1.0)
    assert_array_equal(points, [[2.75, 0.25, 0], [2.75, 0, 0], [2.375, -0.25, 0]])


def test_rigl_is_its_algorithm(rng):
    """With arrays, masks and a buffer that is masked; the gradients are what is asked for at each step."""
    w0, mask, grads = rng.normal(size=40), rng.random(40) < 0.4, rng.normal(size=(T, 40))
    lr, mu = rng.uniform(0.05, 0.2, T), rng.uniform(0.3, 0.9, T)
    points = oracles.rigl(w0, mask, grads, lr, mu, update_every=4, stop_at=20, alpha=0.5)
    w, buffer, n, masks = w0 * mask, np.zeros(40), mask.sum(), []
    for t in range(1, T + 1):
        if t in (4, 8, 12, 16):
            k = int(0.25 * (1 + np.cos(t * np.pi / 20)) * n)
            kept = mask & (np.abs(w) > np.sort(np.abs(w[mask]))[k - 1]) if k else mask
            grown = ~kept & (np.abs(grads[t - 1]) >= np.sort(np.abs(grads[t - 1][~kept]))[-k]) if k else 0 * mask
            w, buffer, mask = w * kept, buffer * kept, kept | grown.astype(bool)
        else:
            buffer = mu[t - 1] * buffer + mask * grads[t - 1]
            w = w - lr[t - 1] * buffer
        masks.append(mask)
        assert mask.sum() == n
        assert_allclose(points[t - 1], w, **CLOSE)
    assert [(a != b).any() for a, b in zip(masks, masks[4:], strict=False)].count(True) >= 10


def test_gradual_pruning_by_hand():
    """0, 0.75 * 7/8, 0.75 of eight weights: 0, 5.25 and 6 are cut."""
    w0, grads = np.arange(8, 0, -1, dtype=np.float64), np.zeros((5, 8))
    grads[3:, 7] = -100.0  # of a weight that is gone
    points = oracles.gradual_pruning(w0, grads, [1.0] * 5, [0.9] * 5, s_f=0.75, t_0=2, n=2, delta_t=1)
    assert [int(np.sum(x == 0)) for x in points] == [0, 0, 5, 6, 6]
    assert_array_equal(points[2], [8, 7, 6, 0, 0, 0, 0, 0])
    assert_array_equal(points[4], [8, 7, 0, 0, 0, 0, 0, 0])


def test_gradual_pruning_keeps_a_living_zero_before_the_dead():
    """Weights 0 and 1 are cut at step 2; weight 2 is 0 at step 3, where two of four are kept, and moves on."""
    grads = np.zeros((4, 4))
    grads[2:, 2] = 3, 1
    points = oracles.gradual_pruning(np.arange(1.0, 5), grads, [1.0] * 4, [0.0] * 4, s_f=0.5, t_0=1, n=2, delta_t=1)
    assert_array_equal(points, [[1, 2, 3, 4], [0, 0, 3, 4], [0, 0, 0, 4], [0, 0, -1, 4]])


def test_gradual_pruning_is_its_algorithm(rng):
    w, grads = rng.normal(size=(5, 8)), rng.normal(size=(T, 5, 8))
    lr, mu = rng.uniform(0.05, 0.2, T), rng.uniform(0.3, 0.9, T)
    points = oracles.gradual_pruning(w, grads, lr, mu, s_f=0.8, t_0=5, n=6, delta_t=3)
    mask, buffer = np.ones((5, 8), dtype=bool), 0 * w
    for t in range(1, T + 1):
        buffer = mu[t - 1] * buffer + mask * grads[t - 1]
        w = w - lr[t - 1] * buffer
        if t in range(5, 24, 3):
            kept = 40 - round(0.8 * (1 - (1 - (t - 5) / 18) ** 3) * 40)
            mask = mask & (np.abs(w) >= np.sort(np.abs(w).ravel())[-kept])
            w, buffer = w * mask, buffer * mask
            assert mask.sum() == kept
        assert_allclose(points[t - 1], w, **CLOSE)
    assert mask.sum() == 8
