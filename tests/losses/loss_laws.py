"""Laws of every smooth loss of a linear predictor: each raises AssertionError where a loss breaks it."""

from dataclasses import replace

import numpy as np
import pytest
from examples import N_SAMPLES, weights
from scipy import optimize

from rmda_ref.losses import PoissonLoss

EPS = np.finfo(float).eps


def check_gradient(loss):
    w, h = weights(loss), 1e-5
    difference = np.empty_like(w)
    for index in np.ndindex(w.shape):
        step = np.zeros_like(w)
        step[index] = h
        difference[index] = (loss.value(w + step) - loss.value(w - step)) / (2 * h)
    # Truncation h^2/6 |f'''| and rounding eps |f| / h are both about 1e-10 for data of size 1 to 5.
    np.testing.assert_allclose(loss.gradient(w), difference, rtol=0, atol=5e-9)


def check_batch_gradient_is_unbiased(loss):
    w = weights(loss)
    batches = np.arange(N_SAMPLES).reshape(4, 3)
    gradients = [loss.gradient(w, batch) for batch in batches]
    # Sums of 12 terms, each correct to a few eps of its size.
    atol = 100 * EPS * np.abs(gradients).max()
    np.testing.assert_allclose(np.mean(gradients, axis=0), loss.gradient(w), rtol=0, atol=atol)


def check_hessian(loss):
    w, direction, h = weights(loss), weights(loss, seed=2), 1e-5
    difference = (loss.gradient(w + h * direction) - loss.gradient(w - h * direction)) / (2 * h)
    # As above one derivative higher; the direction has norm below 5, cubed in the truncation.
    np.testing.assert_allclose(loss.hessian_product(w, direction), difference, rtol=0, atol=1e-8)


def check_curvature(loss):
    z = loss.decision(weights(loss))
    hessian, units = loss.hessian_at(z), np.eye(z[0].size).reshape(-1, *z.shape[1:])
    columns = [hessian(np.broadcast_to(unit, z.shape)).reshape(N_SAMPLES, -1) for unit in units]
    blocks = np.stack(columns, axis=2)
    diagonals, total = loss.curvature_at(z)
    # Sums of 12 products of numbers below 1.
    np.testing.assert_allclose(diagonals, np.einsum("ikk->ik", blocks), rtol=0, atol=1e-14)
    np.testing.assert_allclose(total, blocks.sum(axis=0), rtol=0, atol=1e-14)


def check_lipschitz(loss):
    pairs = [(weights(loss, s, scale), weights(loss, s + 50, scale)) for s in range(20) for scale in (1e-3, 1.0)]
    for w, v in pairs:
        change = np.linalg.norm(loss.gradient(w) - loss.gradient(v))
        assert change <= loss.lipschitz() * np.linalg.norm(w - v)
    identity = np.eye(np.prod(loss.weight_shape)).reshape(-1, *loss.weight_shape)
    origin = np.zeros(loss.weight_shape)
    hessian = np.stack([loss.hessian_product(origin, e).ravel() for e in identity])
    assert np.linalg.norm(hessian, 2) <= loss.lipschitz()


def check_fenchel_young(loss, scale=1.0):
    z, u = loss.decision(weights(loss, 1, scale)), loss.dual_point(weights(loss, 1, scale))
    elsewhere = weights(loss, 2, scale)
    value, value_elsewhere = loss.value(weights(loss, 1, scale)), loss.value(elsewhere)
    conjugate = loss.conjugate(u)
    # Each side is a sum of terms of size <= 1 + F(z) + |<z, u>|, correct to a few eps.
    atol = 1e-13 * (1 + value + value_elsewhere + np.abs(z * u).sum())
    np.testing.assert_allclose(value + conjugate, np.vdot(z, u), rtol=0, atol=atol)
    assert value_elsewhere + conjugate >= np.vdot(loss.decision(elsewhere), u) - atol
    assert value + loss.conjugate(0.5 * u) >= 0.5 * np.vdot(z, u) - atol


def check_multiples_of_a_dual_point_are_inside(loss, scale=1.0):
    u = loss.dual_point(weights(loss, 1, scale))
    ends = loss.conjugate(0.0 * u), loss.conjugate(u)
    assert np.isfinite(ends).all()
    for s in (1e-9, 0.3, 0.7, 1 - 1e-9):
        # Convexity; each side is a sum of terms of the size of the ends, s log s of a small s, and <z, u>.
        between = (1 - s) * ends[0] + s * ends[1]
        slack = 1e-13 * (1 + np.abs(ends).sum() + np.abs(loss.decision(weights(loss, 1, scale)) * u).sum())
        assert loss.conjugate(s * u) <= between + slack


def check_balanced(loss, scale=10.0):
    u = loss.dual_point(weights(loss, 1, scale))
    balanced = loss.balanced(u)
    # Each of the n entries is rounded a few times, and so is each partial sum.
    atol = 4 * N_SAMPLES * EPS * np.abs(u).sum()
    np.testing.assert_allclose(balanced.sum(axis=0), 0, rtol=0, atol=atol)
    assert np.isfinite(loss.conjugate(balanced))


def check_balanced_leaves_a_balanced_point(loss):
    z = loss.decision(weights(loss))

    def shifted(constant):
        return z + constant.reshape(z.shape[1:])

    # At the best constant its derivative, the sum of the dual point, vanishes; stopped when it is below 1e-8.
    constant = optimize.minimize(
        lambda c: loss.value_at(shifted(c)),
        np.zeros(z[0].size),
        jac=lambda c: np.ravel(loss.dual_at(shifted(c)).sum(axis=0)),
        options={"gtol": 1e-8},
    ).x
    u = loss.dual_at(shifted(constant))
    assert np.abs(u).max() > 1e-2
    np.testing.assert_allclose(loss.balanced(u), u, rtol=0, atol=1e-7)


def check_whole_weights_count_repetitions(loss):
    counts = np.arange(N_SAMPLES) % 4
    weighted = replace(loss, sample_weight=counts)
    repeated = replace(
        loss, X=np.repeat(loss.X, counts, axis=0), y=np.repeat(loss.y, counts, axis=0), sample_weight=None
    )
    check_same_function(weighted, repeated)
    u, v = (1 / 2 * loss.dual_point(weights(loss)) for loss in (weighted, repeated))
    # Sums of at most 18 terms, each correct to a few eps.
    np.testing.assert_allclose(weighted.conjugate(u), repeated.conjugate(v), rtol=1e-13)


def check_common_factor_of_weights_is_free(loss):
    weight = np.linspace(0, 3, N_SAMPLES)
    for factor in (7.3, 1e-300, 1e308 / 3):
        scaled, plain = replace(loss, sample_weight=factor * weight), replace(loss, sample_weight=weight)
        check_same_function(scaled, plain)
        u = plain.dual_point(weights(loss))
        # The shares differ by a few eps, and so do the 12 terms.
        np.testing.assert_allclose(scaled.conjugate(u), plain.conjugate(u), rtol=1e-13)


def check_same_function(loss, other):
    # Sums of at most 18 terms, in another order: 18 eps of the largest.
    w, direction = weights(loss), weights(loss, seed=2)
    for method, arguments in [("value", (w,)), ("gradient", (w,)), ("hessian_product", (w, direction))]:
        expected = getattr(other, method)(*arguments)
        atol = 1e-14 * (1 + np.abs(expected).max())
        np.testing.assert_allclose(getattr(loss, method)(*arguments), expected, rtol=0, atol=atol, err_msg=method)
    if not isinstance(loss, PoissonLoss):
        np.testing.assert_allclose(loss.lipschitz(), other.lipschitz(), rtol=1e-12)


def check_outputs_add(loss):
    # All sums are of at most 36 terms of size 1 to 10; those of the losses may be added in another order.
    outputs = [replace(loss, y=column) for column in loss.y.T]
    W, D = weights(loss), weights(loss, seed=2)
    assert loss.value(W) == pytest.approx(sum(o.value(w) for o, w in zip(outputs, W, strict=True)), rel=1e-13)
    expected = [o.gradient(w) for o, w in zip(outputs, W, strict=True)]
    np.testing.assert_allclose(loss.gradient(W), expected, rtol=1e-13, atol=1e-14)
    expected = [o.hessian_product(w, d) for o, w, d in zip(outputs, W, D, strict=True)]
    np.testing.assert_allclose(loss.hessian_product(W, D), expected, rtol=1e-13, atol=1e-14)
    U = loss.dual_point(W)
    assert loss.conjugate(U) == pytest.approx(sum(o.conjugate(u) for o, u in zip(outputs, U.T, strict=True)), rel=1e-13)
    expected = np.transpose([o.balanced(u) for o, u in zip(outputs, U.T, strict=True)])
    np.testing.assert_allclose(loss.balanced(U), expected, rtol=1e-13)


LAWS = [
    check_gradient,
    check_batch_gradient_is_unbiased,
    check_hessian,
    check_curvature,
    check_fenchel_young,
    check_multiples_of_a_dual_point_are_inside,
    check_balanced,
    check_balanced_leaves_a_balanced_point,
    check_whole_weights_count_repetitions,
    check_common_factor_of_weights_is_free,
]
