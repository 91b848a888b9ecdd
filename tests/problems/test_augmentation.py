"""Augmentations: unbiased, pure, reproducible; shifts against scipy.ndimage."""

import pickle

import numpy as np
import pytest
from scipy import ndimage

from problems.augmentation import GaussianNoise, InputDropout, RandomShift

SHAPE = (4, 5)
AUGMENTATIONS = [InputDropout(0.7), GaussianNoise(0.3), RandomShift(1, SHAPE)]

# Z standard normal: P(|Z| > 6.2) < 6e-10, the chance that a right law fails (the mean of N is near normal).
Z_MAX, N = 6.2, 400_000


def batch(dtype=np.float64, n=6):
    return np.random.default_rng(0).standard_normal((n, SHAPE[0] * SHAPE[1])).astype(dtype)


def is_unbiased(augment, X, variance):
    """Whether mean(X' - X) is within Z_MAX standard deviations of 0; `variance` is that of each X' entry."""
    error = (augment(X, np.random.default_rng(1)) - X).mean()
    return abs(error) <= Z_MAX * np.sqrt(variance.mean() / X.size)


@pytest.mark.parametrize("keep", [0.2, 0.8, 1.0])
def test_dropout_is_unbiased(keep):
    X = 1 + np.random.default_rng(0).standard_normal((N, 1))
    variance = X**2 * (1 - keep) / keep
    assert is_unbiased(InputDropout(keep), X, variance)
    if keep < 1:
        assert not is_unbiased(lambda X, rng: keep * InputDropout(keep)(X, rng), X, keep**2 * variance)


def test_dropout_drops_or_rescales():
    X = batch()
    dropped = InputDropout(0.5)(X, np.random.default_rng(0))
    assert np.all((dropped == 0) | (dropped == 2 * X))
    assert 0 < np.count_nonzero(dropped) < X.size


def test_noise_is_unbiased_with_its_standard_deviation():
    X, sd = np.ones((N, 1)), 0.5
    assert is_unbiased(GaussianNoise(sd), X, np.full_like(X, sd**2))
    assert not is_unbiased(lambda X, rng: 1.01 * GaussianNoise(sd)(X, rng), X, np.full_like(X, sd**2))
    # The sample variance of N normals has relative standard deviation sqrt(2/N).
    sample = (GaussianNoise(sd)(X, np.random.default_rng(2)) - X).var()
    assert abs(sample / sd**2 - 1) <= Z_MAX * np.sqrt(2 / N)


def test_shift_is_uniform_over_the_offsets_and_fills_from_the_border():
    image, n = batch(n=1), 9_000
    shifted = RandomShift(1, SHAPE)(np.repeat(image, n, axis=0), np.random.default_rng(0))
    counts = [
        np.sum(np.all(shifted == ndimage.shift(image.reshape(SHAPE), offset, order=0, mode="nearest").ravel(), 1))
        for offset in np.ndindex(3, 3)
        for offset in [np.subtract(offset, 1)]
    ]
    assert sum(counts) == n
    # Each count is binomial(n, 1/9); a union bound over nine: 9 P(|Z| > 6.5) < 1e-9.
    assert np.all(np.abs(np.subtract(counts, n / 9)) <= 6.5 * np.sqrt(n / 9 * 8 / 9))


@pytest.mark.parametrize("augment", AUGMENTATIONS, ids=lambda a: type(a).__name__)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pure_and_reproducible(augment, dtype):
    X = batch(dtype)
    X.flags.writeable = False
    first = augment(X, np.random.default_rng(3))
    assert (first.shape, first.dtype) == (X.shape, X.dtype)
    assert not np.shares_memory(first, X)
    assert not np.array_equal(first, X)
    np.testing.assert_array_equal(augment(X, np.random.default_rng(3)), first)
    assert not np.array_equal(augment(X, np.random.default_rng(4)), first)
    # The same stream at either precision, up to the rounding of a few operations.
    np.testing.assert_allclose(augment(batch(), np.random.default_rng(3)), first, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("augment", [InputDropout(1.0), GaussianNoise(0.0), RandomShift(0, SHAPE)])
def test_the_null_augmentation_is_the_identity(augment):
    np.testing.assert_array_equal(augment(batch(), np.random.default_rng(0)), batch())


@pytest.mark.parametrize("augment", AUGMENTATIONS, ids=lambda a: type(a).__name__)
def test_values_hash_pickle_and_refuse_integers(augment):
    assert pickle.loads(pickle.dumps(augment)) == augment
    assert len({augment, augment}) == 1
    with pytest.raises(TypeError, match=r"X has dtype uint8.*astype"):
        augment(np.zeros((2, 20), np.uint8), np.random.default_rng(0))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: InputDropout(0.0), r"keep is 0\.0.*\(0, 1\]"),
        (lambda: InputDropout(1.5), r"keep is 1\.5"),
        (lambda: InputDropout(np.nan), "keep is nan"),
        (lambda: GaussianNoise(-1.0), r"sd is -1\.0.*at least 0"),
        (lambda: GaussianNoise(np.inf), "sd is inf"),
        (lambda: RandomShift(4, SHAPE), "pixels is 4.*less than each side"),
        (lambda: RandomShift(-1, SHAPE), "pixels is -1"),
        (lambda: RandomShift(0.5, SHAPE), r"pixels is 0\.5.*int"),
        (lambda: RandomShift(1, (0, 5)), r"image_shape is \(0, 5\)"),
        (
            lambda: RandomShift(1, (4, 5))(np.zeros((2, 21)), np.random.default_rng(0)),
            r"\(2, 21\).*20 columns",
        ),
    ],
)
def test_invalid_parameters_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
