"""The MLP: gradient against finite differences, which reject wrong gradients; value against scipy."""

import pickle
from itertools import product

import numpy as np
import pytest
from scipy.special import log_softmax

from problems import mlp
from problems.data import DataSource, load
from problems.mlp import MLP

# Square weights on purpose: there a transposed block keeps its shape, and only its values can give it away.
SIZES = (4, 4, 4, 3)
NETS = [MLP(SIZES, *rest) for rest in product(("relu", "tanh"), ("cross_entropy", "squared"), (True, False))]
every_net = pytest.mark.parametrize("net", NETS, ids=lambda n: f"{n.activation}-{n.loss}-bias={n.bias}")


def sample(net, n=6, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    w = (net.initial(rng) + 0.3 * rng.standard_normal(net.size)).astype(dtype)
    return w, rng.standard_normal((n, net.sizes[0])).astype(dtype), rng.integers(0, net.sizes[-1], n)


def matches_finite_differences(value, gradient, w):
    """Whether `gradient` is within rounding and truncation of the central differences of `value` at w."""
    # |error| <= h^2 |f'''| / 6 + c eps |f| / h, with h = eps^(1/3): a multiple, here < 30, of eps^(2/3).
    h, tolerance = np.finfo(float).eps ** (1 / 3), 30 * np.finfo(float).eps ** (2 / 3)
    steps = h * np.eye(w.size)
    differences = np.array([(value(w + step) - value(w - step)) / (2 * h) for step in steps])
    return np.max(np.abs(gradient - differences)) <= tolerance


def hidden(net, w, X):
    """Preactivations of the hidden layers, written with explicit sums."""
    blocks, A, Zs = net.unflatten(w), X, []
    for layer in range(1, len(net.sizes)):
        Z = np.einsum("ni,oi->no", A, blocks[f"layer{layer}.weight"]) + blocks.get(f"layer{layer}.bias", 0)
        A = np.tanh(Z) if net.activation == "tanh" else np.where(Z > 0, Z, 0)
        Zs.append(Z)
    return Zs


# --- the gradient


@every_net
def test_gradient_matches_finite_differences(net):
    w, X, y = sample(net)
    # A step h moves a preactivation by far less than this, so that no ReLU changes sides.
    assert min(np.abs(Z).min() for Z in hidden(net, w, X)[:-1]) > 1e-4
    assert matches_finite_differences(lambda v: net.value(v, X, y), net.gradient(w, X, y), w)


def test_gradient_for_real_targets_matches_finite_differences():
    net = MLP(SIZES, "tanh", "squared")
    w, X, _ = sample(net)
    y = np.random.default_rng(1).standard_normal((len(X), SIZES[-1]))
    assert matches_finite_differences(lambda v: net.value(v, X, y), net.gradient(w, X, y), w)


def without_batch_mean(net, w, X, y):
    return len(X) * net.gradient(w, X, y)


def with_transposed_delta(net, w, X, y):
    gradient = net.gradient(w, X, y)
    block = net.unflatten(gradient)["layer2.weight"]
    block[...] = block.T.copy()
    return gradient


def with_transposed_backward_weight(net, w, X, y):
    gradient, flipped = net.gradient(w, X, y), w.copy()
    block = net.unflatten(flipped)["layer2.weight"]
    block[...] = block.T.copy()
    first, wrong = (net.unflatten(g)["layer1.weight"] for g in (gradient, net.gradient(flipped, X, y)))
    first[...] = wrong
    return gradient


def without_bias_gradient(net, w, X, y):
    gradient = net.gradient(w, X, y)
    net.unflatten(gradient)["layer2.bias"][...] = 0
    return gradient


def with_the_other_loss(net, w, X, y):
    return MLP(net.sizes, net.activation, "squared").gradient(w, X, y)


def without_activation_slope(net, w, X, y):
    with pytest.MonkeyPatch.context() as patch:
        sigma, _ = mlp._ACTIVATIONS[net.activation]
        patch.setitem(mlp._ACTIVATIONS, net.activation, (sigma, np.ones_like))
        return net.gradient(w, X, y)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize(
    "wrong",
    [
        without_batch_mean,
        with_transposed_delta,
        with_transposed_backward_weight,
        without_bias_gradient,
        with_the_other_loss,
        without_activation_slope,
    ],
)
def test_a_wrong_gradient_is_rejected(activation, wrong):
    net = MLP(SIZES, activation, "cross_entropy")
    w, X, y = sample(net)
    assert not matches_finite_differences(lambda v: net.value(v, X, y), wrong(net, w, X, y), w)


@every_net
def test_batch_gradient_is_the_mean_of_the_samples(net):
    w, X, y = sample(net)
    singles = [net.gradient(w, X[i : i + 1], y[i : i + 1]) for i in range(len(X))]
    np.testing.assert_allclose(net.gradient(w, X, y), np.mean(singles, axis=0), rtol=1e-12, atol=1e-14)


def test_relu_has_slope_zero_at_zero():
    net = MLP((2, 3, 2), "relu", "squared")
    w = np.zeros(net.size)
    net.unflatten(w)["layer2.weight"][...] = 1
    blocks = net.unflatten(net.gradient(w, np.ones((1, 2)), np.array([0])))
    assert not blocks["layer1.weight"].any()
    assert blocks["layer2.bias"].any()


@every_net
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept_and_inputs_are_not_written(net, dtype):
    w, X, y = sample(net, dtype=dtype)
    for array in (w, X, y):
        array.flags.writeable = False
    gradient = net.gradient(w, X, y)
    assert gradient.dtype == net.outputs(w, X).dtype == net.gradient(w, X.astype(np.float64), y).dtype == dtype
    assert isinstance(net.value(w, X, y), float)
    # Products of depth 3 and sums of fewer than 10 terms of order 1: some 100 roundings.
    exact = net.gradient(w.astype(np.float64), X.astype(np.float64), y)
    np.testing.assert_allclose(gradient, exact, rtol=0, atol=100 * np.finfo(dtype).eps)


# --- the value


@every_net
def test_value_agrees_with_an_independent_formula(net):
    w, X, y = sample(net)
    Z = hidden(net, w, X)[-1]
    expected = (
        -np.mean([log_softmax(z)[label] for z, label in zip(Z, y, strict=True)])
        if net.loss == "cross_entropy"
        else np.mean([0.5 * np.sum((z - np.eye(3)[label]) ** 2) for z, label in zip(Z, y, strict=True)])
    )
    np.testing.assert_allclose(net.outputs(w, X), Z, rtol=1e-13, atol=1e-14)
    assert net.value(w, X, y) == pytest.approx(expected, rel=1e-13)
    assert net.accuracy(w, X, y) == np.mean(Z.argmax(1) == y)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cross_entropy_neither_overflows_nor_underflows(dtype):
    net = MLP((1, 2), bias=False)
    w, X, y = np.array([1e4, -1e4], dtype), np.ones((1, 1), dtype), np.array([1])
    with np.errstate(all="raise", under="ignore"):
        assert net.value(w, X, y) == 2e4
        np.testing.assert_array_equal(net.gradient(w, X, y), [1, -1])
        assert net.value(w, X, np.array([0])) == 0


@every_net
def test_permuting_hidden_units_changes_nothing(net):
    w, X, y = sample(net)
    permuted, order = w.copy(), np.array([2, 0, 3, 1])
    blocks = net.unflatten(permuted)
    blocks["layer1.weight"][...] = blocks["layer1.weight"][order]
    if net.bias:
        blocks["layer1.bias"][...] = blocks["layer1.bias"][order]
    blocks["layer2.weight"][...] = blocks["layer2.weight"][:, order]
    assert not np.array_equal(permuted, w)
    assert net.value(permuted, X, y) == pytest.approx(net.value(w, X, y), rel=1e-14)


def test_gradient_descent_learns_the_digits():
    data, net = load(DataSource("digits")), MLP((64, 32, 10))
    w = net.initial(np.random.default_rng(0), np.float32)
    assert net.accuracy(w, data.X_test, data.y_test) < 0.3
    for _ in range(100):
        w = w - np.float32(0.2) * net.gradient(w, data.X_train, data.y_train)
    assert net.accuracy(w, data.X_test, data.y_test) > 0.85


# --- one flat vector


@pytest.mark.parametrize("bias", [True, False])
def test_blocks_tile_the_vector(bias):
    net = MLP((784, 300, 100, 10), bias=bias)
    assert net.size == 784 * 300 + 300 * 100 + 100 * 10 + bias * (300 + 100 + 10)
    flat = np.concatenate([block.ravel() for block in net.unflatten(np.arange(net.size)).values()])
    np.testing.assert_array_equal(flat, np.arange(net.size))
    assert net.blocks[:2] == (
        ("layer1.weight", (300, 784)),
        ("layer1.bias", (300,)) if bias else ("layer2.weight", (100, 300)),
    )


def test_unflatten_gives_views_even_of_strided_vectors_and_masks():
    net = MLP(SIZES)
    for w in (np.zeros(net.size), np.zeros(2 * net.size)[::2], np.zeros(net.size, bool)):
        for block in net.unflatten(w).values():
            assert np.shares_memory(block, w)
            block[...] = 1
        assert w.all()


@pytest.mark.parametrize(("activation", "variance"), [("relu", 2 / 400), ("tanh", 2 / 700)])
def test_initial_point(activation, variance):
    net = MLP((400, 300, 2), activation)
    w = net.initial(np.random.default_rng(0))
    blocks = net.unflatten(w)
    assert not blocks["layer1.bias"].any()
    weight = blocks["layer1.weight"]
    # Relative standard deviation of a variance over N normals: sqrt(2/N); P(|Z| > 6.2) < 6e-10.
    assert abs(weight.var() / variance - 1) < 6.2 * np.sqrt(2 / weight.size)
    single = net.initial(np.random.default_rng(0), np.float32)
    np.testing.assert_array_equal(single, w.astype(np.float32), strict=True)


def test_initial_point_is_floating():
    with pytest.raises(TypeError, match="dtype is int64: expected a floating dtype"):
        MLP(SIZES).initial(np.random.default_rng(0), np.int64)


def test_networks_hash_and_pickle():
    assert len(set(NETS)) == 8
    assert pickle.loads(pickle.dumps(NETS)) == NETS


# --- what is refused


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([4, 3],), r"sizes is \[4, 3\].*tuple"),
        (((4,),), r"sizes is \(4,\).*at least two"),
        (((4, 0, 3),), "sizes .*positive"),
        (((4, 3), "gelu"), "activation is 'gelu'.*relu, tanh"),
        (((4, 3), "relu", "hinge"), "loss is 'hinge'.*cross_entropy, squared"),
        (((4, 1),), r"sizes\[-1\] is 1"),
    ],
)
def test_impossible_networks_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        MLP(*arguments)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"w": np.zeros(54)}, ValueError, r"w has shape \(54,\): expected \(55,\)"),
        ({"w": np.zeros((55, 1))}, ValueError, r"w has shape \(55, 1\)"),
        ({"w": np.zeros(55, int)}, TypeError, r"w is int64: expected.*astype"),
        ({"w": [0.0] * 55}, TypeError, "w is list"),
        ({"X": np.zeros((6, 4), np.uint8)}, TypeError, "X is uint8.*astype"),
        ({"X": np.zeros((6, 5))}, ValueError, r"X has shape \(6, 5\): expected \(n, 4\)"),
        ({"X": np.zeros((6, 2, 2))}, ValueError, r"X has shape \(6, 2, 2\).*reshape"),
        ({"X": np.zeros((0, 4))}, ValueError, r"X has shape \(0, 4\).*n >= 1"),
        ({"y": np.zeros(5, int)}, ValueError, r"y has shape \(5,\).*labels of shape \(6,\)"),
        ({"y": np.zeros((6, 1), int)}, ValueError, r"y has shape \(6, 1\)"),
        ({"y": np.zeros(6)}, TypeError, r"y has dtype float64.*astype\(np\.int64\)"),
        ({"y": np.full(6, 3)}, ValueError, "y has labels from 3 to 3: expected 0, ..., 2"),
        ({"y": np.full(6, -1)}, ValueError, "y has labels from -1"),
    ],
)
@pytest.mark.parametrize("loss", ["cross_entropy", "squared"])
@pytest.mark.parametrize("method", ["value", "gradient", "accuracy"])
def test_unfit_inputs_are_refused(change, error, message, loss, method):
    net = MLP(SIZES, "relu", loss)
    w, X, y = sample(net)
    with pytest.raises(error, match=message):
        getattr(net, method)(**{"w": w, "X": X, "y": y, **change})


def test_squared_loss_says_that_it_takes_targets():
    net = MLP(SIZES, "relu", "squared")
    w, X, _ = sample(net)
    with pytest.raises(ValueError, match=r"or real targets of shape \(6, 3\)"):
        net.gradient(w, X, np.zeros((6, 2)))
