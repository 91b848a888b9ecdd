"""Laws of every smooth loss of a linear predictor, and wrong losses that each law must reject."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pytest
from examples import LOSSES, N_FEATURES, N_SAMPLES, VARIANTS, make_loss, weights
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, sparse

from rmda_ref.losses import LogisticLoss, MultinomialLoss, PoissonLoss, SquaredLoss
from rmda_ref.losses.design import largest_gram_eigenvalue

EPS = np.finfo(float).eps

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
    gradients = [loss.gradient(w, batch) for batch in batches]
    # Sums of 12 terms, each correct to a few eps of its size.
    atol = 100 * EPS * np.abs(gradients).max()
    np.testing.assert_allclose(np.mean(gradients, axis=0), loss.gradient(w), rtol=0, atol=atol)


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
    check_fenchel_young,
    check_multiples_of_a_dual_point_are_inside,
    check_balanced,
    check_balanced_leaves_a_balanced_point,
    check_whole_weights_count_repetitions,
    check_common_factor_of_weights_is_free,
]


@pytest.mark.parametrize("law", LAWS)
def test_law(law, loss):
    law(loss)


def test_lipschitz_law(smooth_loss):
    check_lipschitz(smooth_loss)


def test_outputs_add(regression_class):
    check_outputs_add(make_loss(regression_class, n_outputs=3))


@pytest.mark.parametrize(
    "law", [check_fenchel_young, check_multiples_of_a_dual_point_are_inside, check_balanced], ids=lambda f: f.__name__
)
@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**16), log_scale=st.floats(-8, 4), kind=st.sampled_from(LOSSES), weighted=st.booleans())
def test_dual_laws_at_any_scale(law, seed, log_scale, kind, weighted):
    if kind is PoissonLoss:
        log_scale = min(log_scale, 1.5)  # exp overflows beyond: test_poisson.py
    law(make_loss(kind, seed=seed, weighted=weighted), 10.0**log_scale)


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


@dataclass(frozen=True, eq=False)
class EvenBatches(SquaredLoss):
    def _batch(self, samples):
        return *super()._batch(samples)[:2], None


@dataclass(frozen=True, eq=False)
class WeightsNotNormalised(SquaredLoss):
    @cached_property
    def _shares(self):
        return None if self.sample_weight is None else self.sample_weight / self.n_samples


@dataclass(frozen=True, eq=False)
class EvenConjugate(LogisticLoss):
    def conjugate(self, dual):
        return LogisticLoss(self.X, self.y, fit_intercept=True).conjugate(dual)


@dataclass(frozen=True, eq=False)
class EvenLipschitz(LogisticLoss):
    def lipschitz(self):
        return self.smoothness * largest_gram_eigenvalue(self.X, self.fit_intercept, None)


@dataclass(frozen=True, eq=False)
class SmoothedLabels(LogisticLoss):
    # The labels y - y/10 shift the domain of v, but 0 has to be inside.
    @staticmethod
    def _sample_conjugates(v, y, tolerance):
        return LogisticLoss._sample_conjugates(v + y / 10, y, tolerance)


@dataclass(frozen=True, eq=False)
class ConcaveConjugate(SquaredLoss):
    @staticmethod
    def _sample_conjugates(v, y, tolerance):
        return v * y - np.square(v) / 2


@dataclass(frozen=True, eq=False)
class BalancedNotAtAll(LogisticLoss):
    def balanced(self, dual):
        return dual


@dataclass(frozen=True, eq=False)
class BalancedByItsMean(LogisticLoss):
    def balanced(self, dual):
        return dual - dual.mean(axis=0)


@dataclass(frozen=True, eq=False)
class BalancedUpwards(LogisticLoss):
    def balanced(self, dual):
        smaller = np.sign(dual) != np.sign(dual.sum())
        return np.where(smaller, dual * (1 - dual.sum() / dual[smaller].sum()), dual)


@dataclass(frozen=True, eq=False)
class BalancedAsIfElementwise(MultinomialLoss):
    def balanced(self, dual):
        return super(MultinomialLoss, self).balanced(dual)


@dataclass(frozen=True, eq=False)
class BalancedToZero(LogisticLoss):
    def balanced(self, dual):
        return 0 * dual


@dataclass(frozen=True, eq=False)
class MeanOverOutputs(SquaredLoss):
    def _mean(self, values):
        return super()._mean(values) / values[0].size


@dataclass(frozen=True, eq=False)
class BalancedOverAllOutputs(SquaredLoss):
    def balanced(self, dual):
        flat = SquaredLoss(np.ones((dual.size, 1)), np.zeros(dual.size))
        return flat.balanced(dual.ravel()).reshape(dual.shape)


@pytest.mark.parametrize(
    ("law", "wrong_class", "variant"),
    [
        (check_gradient, BatchSum, "intercept"),
        (check_gradient, InterceptForgotten, "intercept"),
        (check_batch_gradient_is_unbiased, BatchOverDataSize, "intercept"),
        (check_batch_gradient_is_unbiased, EvenBatches, "weights"),
        (check_hessian, DiagonalHessian, "intercept"),
        (check_lipschitz, BinaryConstant, "intercept"),
        (check_fenchel_young, SquaredConjugateSign, "intercept"),
        (check_fenchel_young, LogisticConjugateSign, "intercept"),
        (check_fenchel_young, EvenConjugate, "weights"),
        (check_multiples_of_a_dual_point_are_inside, SmoothedLabels, "intercept"),
        (check_multiples_of_a_dual_point_are_inside, ConcaveConjugate, "intercept"),
        (check_balanced, BalancedNotAtAll, "intercept"),
        (check_balanced, BalancedByItsMean, ""),
        (check_balanced, BalancedUpwards, "intercept"),
        (check_balanced, BalancedAsIfElementwise, "intercept"),
        (check_balanced_leaves_a_balanced_point, BalancedToZero, "intercept"),
        (check_whole_weights_count_repetitions, WeightsNotNormalised, "intercept"),
        (check_whole_weights_count_repetitions, EvenConjugate, "intercept"),
        (check_whole_weights_count_repetitions, EvenLipschitz, "intercept"),
        (check_common_factor_of_weights_is_free, WeightsNotNormalised, "intercept"),
        (check_outputs_add, MeanOverOutputs, "outputs"),
        (check_outputs_add, BalancedOverAllOutputs, "outputs"),
    ],
)
def test_law_rejects(law, wrong_class, variant):
    with pytest.raises(AssertionError):
        law(make_loss(wrong_class, **VARIANTS[variant]))


# ---- the data: storage, dtype, batches


FORMATS = [sparse.csr_array, sparse.csr_matrix, sparse.csc_array, sparse.csc_matrix]


@pytest.mark.parametrize("make_sparse", FORMATS)
@pytest.mark.parametrize("shape", [(12, 4), (6, 9)], ids=["tall", "wide"])
@pytest.mark.parametrize("variant", ["", "intercept", "weights"])
def test_sparse_equals_dense(loss_class, make_sparse, shape, variant):
    dense = make_loss(loss_class, shape=shape, **VARIANTS[variant])
    thin = make_loss(loss_class, make_design=make_sparse, shape=shape, **VARIANTS[variant])
    w, direction, batch = weights(dense), weights(dense, seed=2), np.array([0, 3, 3, 5])
    calls = [("value", (w,)), ("gradient", (w,)), ("hessian_product", (w, direction)), ("dual_point", (w,))]
    if np.isfinite(dense.smoothness):
        calls.append(("lipschitz", ()))
    if thin.X.format == "csr":
        calls.append(("gradient", (w, batch)))
    for method, arguments in calls:
        expected, actual = getattr(dense, method)(*arguments), getattr(thin, method)(*arguments)
        assert type(actual) is type(expected)
        np.testing.assert_allclose(actual, expected, rtol=1e-13, atol=1e-14, err_msg=method)


def test_several_outputs_of_a_sparse_design(regression_class):
    dense = make_loss(regression_class, n_outputs=2)
    w = weights(dense)
    for make_sparse in FORMATS:
        thin = make_loss(regression_class, make_design=make_sparse, n_outputs=2)
        np.testing.assert_allclose(thin.gradient(w), dense.gradient(w), rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("make_design", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("weighted", [False, True], ids=["", "weights"])
def test_results_have_the_layout_of_the_weights_and_the_dtype_of_X(loss_class, make_design, weighted):
    def single(X):
        return make_design(X.astype(np.float32))

    exact = make_loss(loss_class, make_design=make_design, weighted=weighted)
    rounded = make_loss(loss_class, make_design=single, weighted=weighted)
    w = weights(exact)
    for samples in (None, [0, 1, 2]):
        gradient = rounded.gradient(w, samples)
        assert gradient.dtype == np.float32
        assert gradient.shape == w.shape
        assert gradient.flags.c_contiguous
        # About 12 float32 terms of size up to 5 are added: 12 * 5 * 6e-8.
        np.testing.assert_allclose(gradient, exact.gradient(w, samples), rtol=0, atol=5e-6)
    assert rounded.hessian_product(w, w).dtype == np.float32
    u = rounded.dual_point(w)
    balanced = rounded.balanced(u)
    assert u.dtype == balanced.dtype == np.float32
    assert np.isfinite(rounded.conjugate(u)), "a float32 dual point must count as inside the domain"
    assert np.isfinite(rounded.conjugate(balanced)), "a float32 dual point must count as inside the domain"


def test_value_and_gradient_agree_with_the_separate_methods(loss):
    value, gradient = loss.value_and_gradient(weights(loss))
    assert value == loss.value(weights(loss))
    np.testing.assert_array_equal(gradient, loss.gradient(weights(loss)))


def test_batch_of_all_samples_is_the_full_gradient(loss_class):
    loss = make_loss(loss_class)
    w = weights(loss)
    np.testing.assert_array_equal(loss.gradient(w, np.arange(N_SAMPLES)), loss.gradient(w))


def test_repeated_samples_count_repeatedly(loss):
    w = weights(loss)
    expected = (2 * loss.gradient(w, [3]) + loss.gradient(w, [7])) / 3
    # Three products added, each correct to a few eps of its size.
    atol = 10 * EPS * max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(loss.gradient(w, [3, 7, 3]), expected, rtol=0, atol=atol)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_huge_predictors_are_finite_and_silent(smooth_class, dtype):
    loss = make_loss(smooth_class, make_design=lambda X: X.astype(dtype))
    w = weights(loss, scale=1e4)
    for sign in (-1, 1):
        value, gradient = loss.value_and_gradient(sign * w)
        assert np.isfinite(value)
        assert np.isfinite(gradient).all()
        assert np.isfinite(loss.hessian_product(sign * w, weights(loss))).all()


# ---- dual points: what balancing keeps, and where the samples have no weight


def test_balanced_changes_the_prevailing_sign_alone(regression_class):
    loss = make_loss(regression_class, n_outputs=2)
    u = loss.dual_point(weights(loss))
    changed = loss.balanced(u) != u
    for column, prevails in zip(changed.T, (u * np.sign(u.sum(axis=0)) > 0).T, strict=True):
        np.testing.assert_array_equal(column, prevails)


def test_balanced_of_one_sign_is_zero():
    loss = SquaredLoss(np.ones((3, 1)), np.zeros(3))
    np.testing.assert_array_equal(loss.balanced([1.0, 2.0, 0.0]), 0)
    np.testing.assert_array_equal(loss.balanced([-1.0, -2.0, -3.0]), 0)
    np.testing.assert_array_equal(loss.balanced([0, 0, 0]), 0)


def test_samples_without_weight_have_no_dual(loss_class):
    loss = replace(make_loss(loss_class), sample_weight=np.arange(N_SAMPLES) % 2)
    u = loss.dual_point(weights(loss))
    assert not u[::2].any()
    assert not loss.balanced(u)[::2].any()
    for tiny in (1e-300, -1e-300):
        v = u.copy()
        v[4] += tiny
        assert loss.conjugate(v) == np.inf


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weights_that_decay_to_nothing_leave_the_dual_point_inside(loss_class, dtype):
    # Among these shares are subnormal numbers of both dtypes, which have few digits.
    decay = 10.0 ** -np.array([0, 1, 30, 37.5, 44.1, 44.5, 100, 307.9, 322.1, 322.5, 323, 400])
    loss = replace(make_loss(loss_class, make_design=lambda X: X.astype(dtype)), sample_weight=decay)
    u = loss.dual_point(weights(loss))
    assert np.isfinite(loss.conjugate(u))
    assert np.isfinite(loss.conjugate(loss.balanced(u)))
