"""Laws of every smooth loss of a linear predictor, and wrong losses that each law must reject."""

from dataclasses import dataclass

import numpy as np
import pytest
from examples import LOSSES, N_FEATURES, N_SAMPLES, make_loss, weights
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from rmda_ref.losses import LogisticLoss, MultinomialLoss, SquaredLoss

# ---- the laws


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
    mean = np.mean([loss.gradient(w, batch) for batch in batches], axis=0)
    np.testing.assert_allclose(mean, loss.gradient(w), rtol=0, atol=1e-14)


def check_hessian(loss):
    w, direction, h = weights(loss), weights(loss, seed=2), 1e-5
    difference = (loss.gradient(w + h * direction) - loss.gradient(w - h * direction)) / (2 * h)
    # As above one derivative higher; the direction has norm below 5, cubed in the truncation.
    np.testing.assert_allclose(loss.hessian_product(w, direction), difference, rtol=0, atol=1e-8)


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


LAWS = [check_gradient, check_batch_gradient_is_unbiased, check_hessian, check_lipschitz, check_fenchel_young]


@pytest.mark.parametrize("law", LAWS)
def test_law(law, loss):
    law(loss)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**16), log_scale=st.floats(-8, 4), kind=st.sampled_from(LOSSES))
def test_fenchel_young_at_any_scale(seed, log_scale, kind):
    check_fenchel_young(make_loss(kind, seed=seed), 10.0**log_scale)


# ---- wrong losses


@dataclass(frozen=True, eq=False)
class BatchSum(LogisticLoss):
    def gradient(self, w, samples=None):
        return super().gradient(w, samples) * (self.n_samples if samples is None else len(samples))


@dataclass(frozen=True, eq=False)
class BatchOverDataSize(LogisticLoss):
    def gradient(self, w, samples=None):
        return super().gradient(w, samples) * (1 if samples is None else len(samples) / self.n_samples)


@dataclass(frozen=True, eq=False)
class InterceptForgotten(SquaredLoss):
    def gradient(self, w, samples=None):
        return super().gradient(w, samples) * (np.arange(N_FEATURES + 1) < N_FEATURES)


@dataclass(frozen=True, eq=False)
class SquaredConjugateSign(SquaredLoss):
    @staticmethod
    def _sample_conjugates(v, y, tolerance):
        return np.square(v) / 2 - v * y


@dataclass(frozen=True, eq=False)
class LogisticConjugateSign(LogisticLoss):
    @staticmethod
    def _sample_conjugates(v, y, tolerance):
        return LogisticLoss._sample_conjugates(-v, y, tolerance)


@dataclass(frozen=True, eq=False)
class DiagonalHessian(MultinomialLoss):
    @staticmethod
    def _sample_hessians(z, y):
        p = np.exp(z - z.max(axis=1, keepdims=True))
        return lambda direction: p / p.sum(axis=1, keepdims=True) * direction


@dataclass(frozen=True, eq=False)
class BinaryConstant(SquaredLoss):
    smoothness = 0.25


@pytest.mark.parametrize(
    ("law", "wrong_class"),
    [
        (check_gradient, BatchSum),
        (check_gradient, InterceptForgotten),
        (check_batch_gradient_is_unbiased, BatchOverDataSize),
        (check_hessian, DiagonalHessian),
        (check_lipschitz, BinaryConstant),
        (check_fenchel_young, SquaredConjugateSign),
        (check_fenchel_young, LogisticConjugateSign),
    ],
)
def test_law_rejects(law, wrong_class):
    with pytest.raises(AssertionError):
        law(make_loss(wrong_class))


# ---- the data: storage, dtype, batches


@pytest.mark.parametrize("csr", [sparse.csr_array, sparse.csr_matrix])
@pytest.mark.parametrize("shape", [(12, 4), (6, 9)], ids=["tall", "wide"])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_csr_equals_dense(loss_class, csr, shape, fit_intercept):
    dense = make_loss(loss_class, fit_intercept, shape=shape)
    thin = make_loss(loss_class, fit_intercept, csr, shape=shape)
    w, direction, batch = weights(dense), weights(dense, seed=2), np.array([0, 3, 3, 5])
    for method, arguments in [
        ("value", (w,)),
        ("gradient", (w,)),
        ("gradient", (w, batch)),
        ("hessian_product", (w, direction)),
        ("dual_point", (w,)),
        ("lipschitz", ()),
    ]:
        expected, actual = getattr(dense, method)(*arguments), getattr(thin, method)(*arguments)
        assert type(actual) is type(expected)
        np.testing.assert_allclose(actual, expected, rtol=1e-13, atol=1e-14, err_msg=method)


@pytest.mark.parametrize("make_design", [np.asarray, sparse.csr_array])
def test_gradient_has_the_layout_of_the_weights_and_the_dtype_of_X(loss_class, make_design):
    def single(X):
        return make_design(X.astype(np.float32))

    exact, rounded = make_loss(loss_class, make_design=make_design), make_loss(loss_class, make_design=single)
    w = weights(exact)
    for samples in (None, [0, 1, 2]):
        gradient = rounded.gradient(w, samples)
        assert gradient.dtype == np.float32
        assert gradient.shape == w.shape
        assert gradient.flags.c_contiguous
        # About 12 float32 terms of size up to 5 are added: 12 * 5 * 6e-8.
        np.testing.assert_allclose(gradient, exact.gradient(w, samples), rtol=0, atol=5e-6)
    u = rounded.dual_point(w)
    assert np.isfinite(rounded.conjugate(u)), "a float32 dual point must count as inside the domain"


def test_value_and_gradient_agree_with_the_separate_methods(loss):
    value, gradient = loss.value_and_gradient(weights(loss))
    assert value == loss.value(weights(loss))
    np.testing.assert_array_equal(gradient, loss.gradient(weights(loss)))


def test_batch_of_all_samples_is_the_full_gradient(loss):
    w = weights(loss)
    np.testing.assert_array_equal(loss.gradient(w, np.arange(N_SAMPLES)), loss.gradient(w))


def test_repeated_samples_count_repeatedly(loss):
    w = weights(loss)
    expected = (2 * loss.gradient(w, [3]) + loss.gradient(w, [7])) / 3
    np.testing.assert_allclose(loss.gradient(w, [3, 7, 3]), expected, rtol=0, atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_huge_predictors_are_finite_and_silent(loss_class, dtype):
    loss = make_loss(loss_class, make_design=lambda X: X.astype(dtype))
    w = weights(loss, scale=1e4)
    for sign in (-1, 1):
        value, gradient = loss.value_and_gradient(sign * w)
        assert np.isfinite(value)
        assert np.isfinite(gradient).all()
        assert np.isfinite(loss.hessian_product(sign * w, weights(loss))).all()
