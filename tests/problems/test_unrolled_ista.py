"""Unrolled ISTA: its gradient against finite differences, its limit against ISTA, its minimum against other points."""

from itertools import pairwise

import numpy as np
import pytest

from problems.unrolled_ista import UnrolledISTA, soft_threshold

LAYERS, MEASUREMENTS, CODES, SEEDS = 3, 2, 4, 2
SIZE = CODES * (LAYERS * (MEASUREMENTS + 1) + (LAYERS - 1) * CODES)


def networks(sharpness=2.0, label_noise=0.3, batch_size=5, seed=0):
    target = 0.5 * np.random.default_rng(seed).standard_normal(SEEDS * SIZE)
    return UnrolledISTA(LAYERS, MEASUREMENTS, CODES, target, sharpness, label_noise, batch_size)


def point(seed=1):
    return 0.5 * np.random.default_rng(seed).standard_normal(SEEDS * SIZE)


def matches_finite_differences(value, gradient, w):
    """Whether `gradient` is within rounding and truncation of the central differences of `value` at w."""
    # |error| <= h^2 |f'''|/6 + c eps |f|/h with h = eps^(1/3): a multiple of eps^(2/3); |f'''| grows like b^2 = 4.
    h, tolerance = np.finfo(float).eps ** (1 / 3), 300 * np.finfo(float).eps ** (2 / 3)
    steps = h * np.eye(w.size)
    differences = np.array([(value(w + step) - value(w - step)) / (2 * h) for step in steps])
    return np.max(np.abs(gradient - differences)) <= tolerance


def test_gradient_matches_finite_differences():
    f, w = networks(), point()
    assert matches_finite_differences(f.value, f.gradient(w), w)


def of_each_part(f, change):
    """A wrong gradient for W1, W2 and theta in turn: ``change`` of that part."""
    for place in range(3):
        gradient = f.gradient(point())
        part = f.parts(gradient)[place]
        part[...] = change(part)
        yield gradient


@pytest.mark.parametrize(
    "change",
    [np.negative, lambda part: 0 * part, lambda part: part[:, ::-1].copy(), lambda part: part[::-1].copy()],
    ids=["sign", "missing", "layers swapped", "seeds swapped"],
)
def test_a_wrong_gradient_is_rejected(change):
    f = networks()
    for wrong in of_each_part(f, change):
        assert not matches_finite_differences(f.value, wrong, point())


def test_a_sharp_threshold_is_soft_thresholding_and_the_network_is_ista():
    """Within log(2)/b of it, at the kink; z below is any number."""
    z, sharpness = np.linspace(-3, 3, 601), 1000.0
    soft = np.sign(z) * np.maximum(np.abs(z) - 0.7, 0)
    assert np.abs(soft_threshold(z, 0.7, sharpness) - soft).max() <= np.log(2) / sharpness * (1 + 1e-9)
    assert np.abs(soft_threshold(z, 0.7, 1.0) - soft).max() > 0.1
    np.testing.assert_array_equal(soft_threshold(z, 0.7, 2.0), -soft_threshold(-z, 0.7, 2.0))

    rng = np.random.default_rng(2)
    dictionary = rng.standard_normal((MEASUREMENTS, CODES))
    curvature = np.linalg.norm(dictionary, 2) ** 2
    first, second = dictionary.T / curvature, np.eye(CODES) - dictionary.T @ dictionary / curvature
    target = np.concatenate(
        [
            np.tile(first, (LAYERS, 1, 1)).reshape(-1),
            np.tile(second, (LAYERS - 1, 1, 1)).reshape(-1),
            np.full(LAYERS * CODES, 0.1 / curvature),
        ]
    )
    f = UnrolledISTA(LAYERS, MEASUREMENTS, CODES, target, 1e6, 0.0, 1)
    y, x = rng.standard_normal(MEASUREMENTS), np.zeros(CODES)
    lasso = []
    for _ in range(LAYERS):
        step = x - dictionary.T @ (dictionary @ x - y) / curvature
        x = np.sign(step) * np.maximum(np.abs(step) - 0.1 / curvature, 0)
        lasso.append(0.5 * np.sum((dictionary @ x - y) ** 2) + 0.1 * np.abs(x).sum())
    assert all(after <= before for before, after in pairwise(lasso))  # it is ISTA: the lasso's objective goes down
    # log(2)/b a layer, and the weights of the layers have norm at most 1 but for the first.
    np.testing.assert_allclose(f.codes(target, y[None, None])[0, 0], x, rtol=0, atol=LAYERS * 2 * np.log(2) / 1e6)


def test_the_teacher_is_a_minimum_and_label_noise_leaves_it_one():
    f = networks()
    assert f.value(f.target) == 0 and np.abs(f.gradient(f.target)).max() == 0
    assert all(f.value(f.target + size * point()) > 0 for size in (1e-3, 0.1, 10.0))
    rng = np.random.default_rng(3)
    samples = np.array([f.noisy_gradient(f.target, rng) for _ in range(4000)])
    # Means within 6.5 standard errors: below 1e-8 for all entries together (Gaussian tail).
    assert (np.abs(samples.mean(axis=0)) <= 6.5 * samples.std(axis=0) / np.sqrt(len(samples))).all()
    assert samples.std(axis=0).min() > 0


def test_the_noisy_gradient_is_that_of_its_batch():
    """Of 50,000 samples it is the gradient of f, but for the 300 samples of `value`; seeds keep to themselves."""
    f = networks(label_noise=0.0, batch_size=50_000)
    w = point()
    gradient, noisy = f.gradient(w), f.noisy_gradient(w, np.random.default_rng(4))
    assert np.linalg.norm(noisy - gradient) < 0.3 * np.linalg.norm(gradient)  # 300 samples err by about 1/sqrt(300)
    other = [part.copy() for part in f.parts(w)]
    for part in other:
        part[1] += 1
    moved = np.concatenate([part.reshape(-1) for part in other])
    for part, again in zip(f.parts(gradient), f.parts(f.gradient(moved)), strict=True):
        np.testing.assert_array_equal(part[0], again[0])
        assert not np.array_equal(part[1], again[1])


def test_a_measurement_that_neither_needs_has_no_gradient():
    """Where the student ignores it too: 20 batches of 2000 agree with 0, and do not where the teacher needs it."""
    f = networks(batch_size=2000)
    w = point()
    for ignored, needed in ((True, False), (False, True)):
        target = f.target.copy()
        f.parts(target)[0][..., 1] *= needed
        f.parts(w)[0][..., 1] = 0
        g = UnrolledISTA(LAYERS, MEASUREMENTS, CODES, target, 2.0, 0.3, 2000)
        rng = np.random.default_rng(5)
        samples = np.array([g.parts(g.noisy_gradient(w, rng))[0][..., 1] for _ in range(20)])
        scores = np.abs(samples.mean(axis=0)) / (samples.std(axis=0) / np.sqrt(20))
        assert (scores.max() < 8) == ignored  # Student's t with 19 degrees: 24 entries exceed 8 with probability 4e-6


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": np.zeros(SIZE + 1)}, rf"target has shape \({SIZE + 1},\).*networks of {SIZE} parameters"),
        ({"target": np.zeros(0)}, "one or more networks"),
        ({"sharpness": 0.0}, "sharpness must lie in"),
        ({"label_noise": -1.0}, "label_noise must lie in"),
    ],
)
def test_unfit_arguments_are_refused(change, message):
    given = {"target": np.zeros(SIZE), "sharpness": 1.0, "label_noise": 0.0, **change}
    with pytest.raises(ValueError, match=message):
        UnrolledISTA(LAYERS, MEASUREMENTS, CODES, batch_size=1, **given)
