"""The canonical-polyadic model: its gradient against finite differences and Monte Carlo, its flatness at 0."""

import numpy as np
import pytest

from problems.canonical_polyadic import CanonicalPolyadic

SHAPE, SEEDS, COMPONENTS = (2, 3, 4), 2, 3


def model(label_noise=0.3, batch_size=5, seed=0):
    target = np.random.default_rng(seed).standard_normal((SEEDS, COMPONENTS, sum(SHAPE)))
    return CanonicalPolyadic(SHAPE, target, label_noise, batch_size)


def point(seed=1):
    return np.random.default_rng(seed).standard_normal((SEEDS, COMPONENTS, sum(SHAPE)))


def test_the_tensor_by_its_definition():
    f, w = model(), point()
    expected = np.einsum("sri,srj,srk->sijk", *f.factors(w))
    np.testing.assert_allclose(f.tensor(w), expected, rtol=0, atol=1e-13)  # sums of 3 products of order 1
    assert f.value(w) == pytest.approx(0.5 * np.sum((expected - f.tensor(f.target)) ** 2), rel=1e-13)


def complex_step(f, w):
    """f is a polynomial: the derivative along each entry, without a difference."""
    h = 1e-30
    target, result = f.tensor(f.target), np.empty(w.size)
    for place in range(w.size):
        moved = w.astype(complex)
        moved.reshape(-1)[place] += 1j * h
        tensor = np.einsum("sri,srj,srk->sijk", *f.factors(moved))
        result[place] = np.imag(0.5 * np.sum((tensor - target) ** 2)) / h
    return result.reshape(w.shape)


def test_gradient_matches_the_complex_step():
    """Sums of some 24 products of order 10: 1e-12."""
    f, w = model(), point()
    np.testing.assert_allclose(f.gradient(w), complex_step(f, w), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "change",
    [np.negative, lambda part: 0 * part, lambda part: part[::-1].copy(), lambda part: part[:, ::-1].copy()],
    ids=["sign", "missing", "seeds swapped", "components swapped"],
)
@pytest.mark.parametrize("factor", range(3))
def test_a_wrong_gradient_is_rejected(factor, change):
    f, w = model(), point()
    gradient = f.gradient(w)
    part = f.factors(gradient)[factor]
    part[...] = change(part)
    assert np.abs(gradient - complex_step(f, w)).max() > 1e-3


def test_the_oracle_is_unbiased():
    """Means of 10,000 within 6.5 standard errors: below 1e-8 for all entries together (Gaussian tail)."""
    f, w = model(), point()
    rng = np.random.default_rng(2)
    samples = np.array([f.noisy_gradient(w, rng) for _ in range(10_000)])
    error = samples.std(axis=0) / np.sqrt(len(samples))
    assert (np.abs(samples.mean(axis=0) - f.gradient(w)) <= 6.5 * error).all()
    assert not (np.abs(samples.mean(axis=0) - 1.2 * f.gradient(w)) <= 6.5 * error).all()


def test_label_noise_at_the_teacher_has_its_variance():
    """There the gradient in a_r is a mean of e X(., b_r, c_r), of variance (label noise ||b_r|| ||c_r||)^2 a sample."""
    f = model(label_noise=0.7)
    rng = np.random.default_rng(3)
    samples = np.array([f.factors(f.noisy_gradient(f.target, rng))[0] for _ in range(20_000)])
    _, b, c = (np.linalg.norm(factor, axis=-1) for factor in f.factors(f.target))
    # A variance over n: relative deviation sqrt((kurtosis - 1)/n), kurtosis below 3 + 6/5; 6.5 of them are 8%.
    np.testing.assert_allclose(samples.var(axis=0) / (0.49 * (b * c) ** 2 / 5)[..., None], 1, atol=0.085)


def test_a_component_that_is_0_has_no_gradient_in_any_sample():
    """Joint: none at all. In one factor alone: that factor has one, the others none."""
    f, w = model(), point()
    w[:, 1] = 0
    assert not f.noisy_gradient(w, np.random.default_rng(4))[:, 1].any()
    small = w.copy()
    small[:, 1] = 1e-4 * point(5)[:, 1]
    gradient = f.noisy_gradient(small, np.random.default_rng(4))[:, 1]
    assert 0 < np.abs(gradient).max() < 1e-5  # second order: of 1e-8, times the error of a sample
    w[:, 1] = point(6)[:, 1]
    f.factors(w)[0][:, 1] = 0
    a, b, c = (factor[:, 1] for factor in f.factors(f.noisy_gradient(w, np.random.default_rng(4))))
    assert np.abs(a).min() > 0 and not b.any() and not c.any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": np.zeros((3, 9))}, r"target has shape \(3, 9\); .* give \(n_seeds, components, 9\)"),
        ({"target": np.zeros((1, 3, 8))}, r"target has shape \(1, 3, 8\)"),
        ({"label_noise": -1.0}, "label_noise must lie in"),
    ],
)
def test_unfit_arguments_are_refused(change, message):
    given = {"target": np.zeros((1, 3, 9)), "label_noise": 0.0, **change}
    with pytest.raises(ValueError, match=message):
        CanonicalPolyadic(SHAPE, batch_size=1, **given)
