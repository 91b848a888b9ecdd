"""How the data are stored, in which dtype, and batches of them."""

import numpy as np
import pytest
from examples import N_SAMPLES, VARIANTS, make_loss, weights
from scipy import sparse

EPS = np.finfo(float).eps

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
