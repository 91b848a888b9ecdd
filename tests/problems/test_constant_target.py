"""ReLU networks towards a constant: the gradient against finite differences, and the docstring's proof, in parts."""

import numpy as np
import pytest

from problems.constant_target import ConstantTarget
from problems.mlp import MLP
from rmda_ref import Block, Blocks, GroupLasso

SIZES, SEEDS, CONSTANT = (3, 4, 4), 2, 1.5


def network(label_noise=0.0, batch_size=5):
    return ConstantTarget(SEEDS, SIZES, CONSTANT, label_noise, batch_size)


def point(f, seed=1):
    return f.random_start(np.random.default_rng(seed))


def matches_finite_differences(value, gradient, w):
    """Whether `gradient` is within rounding and truncation of the central differences of `value` at w."""
    # Where no ReLU changes sides f is a polynomial: c eps |f|/h + h^2 |f'''|/6 at h = 1e-6 is some 1e-9; the few of
    # 500 samples that do change sides add |kink| h/500 each.
    h = 1e-6
    steps = h * np.eye(w.size)
    differences = np.array([(value(w + step) - value(w - step)) / (2 * h) for step in steps])
    return np.max(np.abs(gradient - differences)) <= 1e-7


def test_gradient_matches_finite_differences():
    f = network(label_noise=0.3)
    assert matches_finite_differences(f.value, f.gradient(point(f)), point(f))


@pytest.mark.parametrize(
    "change",
    [np.negative, lambda part: 0 * part, lambda part: part[::-1].copy()],
    ids=["sign", "missing", "seeds swapped"],
)
@pytest.mark.parametrize("place", range(6))
def test_a_wrong_gradient_is_rejected(place, change):
    f = network()
    gradient = f.gradient(point(f))
    weights, biases = f.parts(gradient)
    part = [*weights, *biases][place]
    part[...] = change(part)
    assert not matches_finite_differences(f.value, gradient, point(f))


def test_it_is_the_mlp_of_each_seed():
    """Another implementation of the same network; sums of some 20 terms of order 1, 500 samples: 1e-12."""
    f, net = network(), MLP((*SIZES, 1), "relu", "squared")
    w, x = point(f), f._evaluation
    weights, biases = f.parts(w)
    total, gradient = 0.0, f.parts(f.gradient(w))
    for seed in range(SEEDS):
        flat = np.concatenate([part[seed].reshape(-1) for pair in zip(weights, biases, strict=True) for part in pair])
        y = np.full((len(x[seed]), 1), CONSTANT)
        total += net.value(flat, x[seed], y)
        blocks = net.unflatten(net.gradient(flat, x[seed], y))
        for layer in range(3):
            np.testing.assert_allclose(gradient[0][layer][seed], blocks[f"layer{layer + 1}.weight"], atol=1e-12)
            np.testing.assert_allclose(gradient[1][layer][seed], blocks[f"layer{layer + 1}.bias"], atol=1e-12)
    assert f.value(w) == pytest.approx(total, rel=1e-12)


def solution(f, seed=2):
    """No weight, any hidden bias, the constant."""
    w = point(f, seed)
    weights, biases = f.parts(w)
    for weight in weights:
        weight[...] = 0
    biases[-1][...] = CONSTANT
    return w


@pytest.mark.parametrize("label_noise", [0.0, 0.5])
def test_the_minimum_is_known(label_noise):
    """F is F* there, more everywhere else, and its gradient is 0 in every weight and in the last bias."""
    f = network(label_noise)
    w = solution(f)
    assert f.value(w) == f.optimal_value == SEEDS * label_noise**2 / 2
    assert not f.gradient(w).any()
    rng = np.random.default_rng(3)
    assert all(f.value(w + size * rng.standard_normal(w.size)) > f.optimal_value for size in (1e-3, 0.1, 1.0, 10.0))


def stationarity_of_the_last_layer(f, w):
    """The two sides of E r^2 = <df/dW_L, W_L> + (b_L - xi) df/db_L, summed over seeds."""
    (*_, weight), (*_, bias) = f.parts(w)
    (*_, of_weight), (*_, of_bias) = f.parts(f.gradient(w))
    squares = 2 * (f.value(w) - f.optimal_value)
    return squares, float(np.sum(of_weight * weight) + np.sum(of_bias * (bias - f.constant)))


def test_the_identity_of_the_proof():
    """At any point: E r^2 is what stationarity in W_L and b_L would make -psi_L(W_L); not so with another constant."""
    f = network(0.5)
    w = point(f)
    squares, sides = stationarity_of_the_last_layer(f, w)
    assert sides == pytest.approx(squares, rel=1e-12)
    moved = ConstantTarget(SEEDS, SIZES, CONSTANT + 1, 0.5, 5)
    assert stationarity_of_the_last_layer(moved, w)[1] != pytest.approx(squares, rel=1e-3)


def test_dead_units_are_no_other_stationary_point():
    """All hidden units dead: f has no gradient but in the last bias, and psi's own is not 0 while a weight is left."""
    f = network()
    w = point(f)
    weights, biases = f.parts(w)
    biases[1][...] = -100.0
    biases[-1][...] = CONSTANT
    assert not f.gradient(w).any() and all(weight.any() for weight in weights)
    blocks = [
        Block(f"part {place}", shape, *([GroupLasso(0.1, axis=1)] if len(shape) == 3 else []))
        for place, shape in enumerate(f.shapes)
    ]
    psi = Blocks(tuple(blocks))
    assert psi.subdiff_distance(w, -f.gradient(w)) > 0.1
    assert psi.subdiff_distance(solution(f), -f.gradient(solution(f))) == 0


@pytest.mark.parametrize("label_noise", [0.0, 0.5])
def test_the_noise_at_the_minimum_is_the_labels_in_the_last_layer(label_noise):
    """dL/dW_L = -e relu(b_{L-1}) with one e a seed, and 0 for every other weight."""
    f = network(label_noise)
    w = solution(f)
    weights, biases = f.parts(f.noisy_gradient(w, np.random.default_rng(4)))
    assert not weights[0].any() and not weights[1].any() and not biases[0].any() and not biases[1].any()
    assert weights[2].any() == (label_noise > 0)
    reach = np.maximum(f.parts(w)[1][1], 0)
    np.testing.assert_allclose(weights[2][:, 0], biases[2] * reach, rtol=1e-12)


def test_the_oracle_is_unbiased():
    """Against a sample of 4000 batches of 5 of another stream, as `value` has but 500 inputs: 6.5 standard errors."""
    f, w = network(0.5), point(network())
    samples = []
    for seed in (5, 6):
        rng = np.random.default_rng(seed)
        samples.append(np.array([f.noisy_gradient(w, rng) for _ in range(4000)]))
    first, second = samples
    error = np.sqrt((first.var(axis=0) + second.var(axis=0)) / 4000)
    assert (np.abs(first.mean(axis=0) - second.mean(axis=0)) <= 6.5 * error).all()
    # And against f: its 500 inputs err by about 1/sqrt(500) of the deviation of one sample, sqrt(5) that of a batch.
    away = np.abs(first.mean(axis=0) - f.gradient(w)) / np.maximum(
        np.sqrt(5 / 500 + 1 / 4000) * first.std(axis=0), 1e-12
    )
    assert away.max() < 6.5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sizes": (3,)}, r"sizes is \(3,\): give the widths"),
        ({"sizes": (3, 0)}, "give the widths"),
        ({"label_noise": -1.0}, "label_noise must lie in"),
    ],
)
def test_unfit_arguments_are_refused(change, message):
    given = {"n_seeds": 1, "sizes": SIZES, "constant": 1.0, "label_noise": 0.0, "batch_size": 1, **change}
    with pytest.raises(ValueError, match=message):
        ConstantTarget(**given)
