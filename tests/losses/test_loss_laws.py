"""Laws of every smooth loss of a linear predictor, and wrong losses that each law must reject."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from rmda_ref.losses import LogisticLoss, MultinomialLoss, SquaredLoss

N_SAMPLES, N_FEATURES, N_CLASSES = 12, 4, 3
LOSSES = [SquaredLoss, LogisticLoss, MultinomialLoss]


def targets(loss_class, n_samples, rng):
    if issubclass(loss_class, SquaredLoss):
        return rng.standard_normal(n_samples)
    if issubclass(loss_class, LogisticLoss):
        return rng.choice([-1.0, 1.0], n_samples)
    return np.arange(n_samples) % N_CLASSES


def make_loss(loss_class, fit_intercept=True, make_design=np.asarray, shape=(N_SAMPLES, N_FEATURES), seed=0):
    rng = np.random.default_rng(seed)
    X = make_design(rng.standard_normal(shape) * (rng.random(shape) < 0.7))
    return loss_class(X, targets(loss_class, shape[0], rng), fit_intercept=fit_intercept)


def weights(loss, seed=1, scale=1.0):
    return scale * np.random.default_rng(seed).standard_normal(loss.weight_shape)


@pytest.fixture(params=LOSSES, ids=lambda c: c.__name__)
def loss_class(request):
    return request.param


@pytest.fixture(params=[False, True], ids=["", "intercept"])
def loss(loss_class, request):
    return make_loss(loss_class, request.param)


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
    def _sample_hessian_products(z, y, direction):
        p = np.exp(z - z.max(axis=1, keepdims=True))
        return p / p.sum(axis=1, keepdims=True) * direction


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


# ---- the Lipschitz constant


def test_lipschitz_is_attained_at_the_origin(loss_class):
    X = np.random.default_rng(0).standard_normal((10, 3))
    y = np.where(np.arange(10) % 2, 1, 0 if loss_class is MultinomialLoss else -1)
    loss = loss_class(X, y.astype(float) if loss_class is SquaredLoss else y)
    identity = np.eye(np.prod(loss.weight_shape)).reshape(-1, *loss.weight_shape)
    origin = np.zeros(loss.weight_shape)
    hessian = np.stack([loss.hessian_product(origin, e).ravel() for e in identity])
    assert loss.lipschitz() == pytest.approx(np.linalg.norm(hessian, 2), rel=1e-12)


@pytest.mark.parametrize("shape", [(9, 4), (4, 9), (5, 5)])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_lipschitz_of_the_squared_loss_is_the_squared_spectral_norm(shape, fit_intercept):
    loss = make_loss(SquaredLoss, fit_intercept, shape=shape)
    A = np.column_stack([loss.X, np.ones(shape[0])]) if fit_intercept else loss.X
    norm_squared = np.linalg.norm(A, 2) ** 2 / shape[0]
    assert norm_squared <= loss.lipschitz() <= norm_squared * (1 + 1e-12)


@pytest.mark.parametrize("stack", [sparse.vstack, sparse.hstack], ids=["tall", "wide"])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_lipschitz_by_lanczos_is_a_bound_within_its_stated_slack(stack, fit_intercept):
    diagonal = sparse.diags_array(np.linspace(1.0, 3.0, 2001))
    X = sparse.csr_array(stack([diagonal, diagonal]))
    loss = SquaredLoss(X, np.zeros(X.shape[0]), fit_intercept=fit_intercept)
    A = sparse.hstack([X, np.ones((X.shape[0], 1))]) if fit_intercept else X
    start = np.random.default_rng(1).standard_normal(min(A.shape))
    exact = sparse.linalg.svds(A, k=1, v0=start, return_singular_vectors=False)[0] ** 2 / X.shape[0]
    assert exact <= loss.lipschitz() <= exact / 0.95 * (1 + 1e-9)


def test_lipschitz_of_a_zero_design_is_zero():
    assert SquaredLoss(np.zeros((3, 2)), np.zeros(3)).lipschitz() == 0.0


# ---- bad input


def bad_designs():
    X = np.ones((3, 2))
    yield "integer", X.astype(int), TypeError, r"X must be float32 or float64, got int64; use X.astype"
    yield "half", X.astype(np.float16), TypeError, "got float16"
    yield "list", X.tolist(), TypeError, "got list; use np.asarray"
    yield "csc", sparse.csc_array(X), TypeError, "'csc'; use X.tocsr()"
    yield "vector", X[:, 0], ValueError, r"got \(3,\); use X.reshape"
    yield "empty", X[:, :0], ValueError, "at least one sample and one feature"
    yield "nan", np.where(np.eye(3, 2), np.nan, X), ValueError, "finite, got 2 NaN or infinite"
    yield (
        "sparse inf",
        sparse.csr_array(np.diag([1.0, np.inf, 1.0])),
        ValueError,
        "finite, got 1 NaN or infinite",
    )


@pytest.mark.parametrize(("X", "error", "message"), [pytest.param(*c[1:], id=c[0]) for c in bad_designs()])
def test_bad_design(loss_class, X, error, message):
    y = targets(loss_class, 3, np.random.default_rng(0))
    with pytest.raises(error, match=message):
        loss_class(X, y)


def test_target_shape(loss_class):
    y = targets(loss_class, 3, np.random.default_rng(0))
    for wrong in (y[:2], y[:, None]):
        with pytest.raises(ValueError, match=r"y must have shape \(3,\).*use y.ravel"):
            loss_class(np.ones((3, 2)), wrong)


def test_weight_shape(loss):
    w = weights(loss)
    for wrong in (w[..., :-1], w[None], w.T[None]):
        for call in (loss.value, loss.gradient, loss.decision, loss.value_and_gradient, loss.dual_point):
            with pytest.raises(ValueError, match="w must have shape"):
                call(wrong)
        with pytest.raises(ValueError, match="direction must have shape"):
            loss.hessian_product(w, wrong)


def test_dual_shape(loss):
    with pytest.raises(ValueError, match=r"dual must have the shape .* of the predictor"):
        loss.conjugate(np.zeros(N_SAMPLES + 1))


@pytest.mark.parametrize(
    ("samples", "error", "message"),
    [
        (np.ones(N_SAMPLES, dtype=bool), TypeError, "use np.flatnonzero"),
        ([0.0, 1.0], TypeError, "integer indices, got float64"),
        (np.empty(0, dtype=int), ValueError, r"not empty, got shape \(0,\)"),
        ([[0, 1]], ValueError, r"one-dimensional .* got shape \(1, 2\)"),
        ([N_SAMPLES], IndexError, "out of bounds"),
    ],
)
def test_bad_samples(loss, samples, error, message):
    with pytest.raises(error, match=message):
        loss.gradient(weights(loss), samples)
