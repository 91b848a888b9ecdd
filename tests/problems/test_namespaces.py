"""Networks and problems on arrays of other namespaces: the numbers of NumPy, and nothing copied unasked."""

from itertools import product

import array_api_strict as strict
import numpy as np
import pytest

from problems import MLP, PopulationLogistic, Quadratic, TeacherStudent, mlp
from problems.data import DataSource, load
from problems.multinomial_regression import MultinomialRegression
from rmda_ref.namespace import namespace, on_host

DEVICE = strict.Device("device1")  # the host cannot read its arrays as NumPy's
NETS = [MLP((4, 5, 4, 3), *rest) for rest in product(("relu", "tanh"), ("cross_entropy", "squared"), (True, False))]
every_net = pytest.mark.parametrize("net", NETS, ids=lambda n: f"{n.activation}-{n.loss}-bias={n.bias}")
# Three products of numbers of order 1, in sums of fewer than 10 terms: some 100 roundings, as in test_mlp.
ROUNDINGS = 100


def sample(net, dtype="float64"):
    rng = np.random.default_rng(0)
    w = (net.initial(rng) + 0.3 * rng.standard_normal(net.size)).astype(dtype)
    return w, rng.standard_normal((6, net.sizes[0])).astype(dtype), rng.integers(0, net.sizes[-1], 6)


def worst(found, expected):
    """The largest difference, in roundings of numbers of order 1."""
    eps = np.finfo(np.asarray(expected[0]).dtype).eps
    return max(float(np.abs(np.subtract(one, other)).max()) for one, other in zip(found, expected, strict=True)) / eps


def results(net, w, X, y, read=np.asarray):
    return [
        read(net.gradient(w, X, y)),
        read(net.outputs(w, X)),
        net.value(w, X, y),
        net.accuracy(w, X, y),
    ]


# --- the network


@every_net
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_network_is_that_of_numpy(xp, net, dtype):
    w, X, y = sample(net, dtype)
    there = xp.asarray(w), xp.asarray(X)
    expected = results(net, w, X, y)
    for labels in (xp.asarray(y), y, xp.asarray(y.astype(np.int32))):
        gradient = net.gradient(*there, labels)
        assert namespace(gradient) is xp and gradient.dtype == getattr(xp, dtype) and gradient.shape == w.shape
        assert worst(results(net, *there, labels, on_host), expected) < ROUNDINGS
    for name, block in net.unflatten(there[0]).items():
        np.testing.assert_array_equal(on_host(block), net.unflatten(w)[name])


def test_real_targets_are_taken_on_any_namespace(xp):
    net = NETS[2]
    w, X, _ = sample(net)
    y = np.random.default_rng(1).standard_normal((6, 3))
    for targets in (xp.asarray(y), y):
        there = net.gradient(xp.asarray(w), xp.asarray(X), targets)
        assert worst([on_host(there)], [net.gradient(w, X, y)]) < ROUNDINGS


def one_hot_off_by_one(patch):
    right = mlp.one_hot
    patch.setattr(mlp, "one_hot", lambda y, n: right((y + 1) % n, n))


def bias_forgotten(patch):
    right = MLP.gradient

    def wrong(self, w, X, y):
        parts = self.unflatten(right(self, w, X, y))
        xp = namespace(w)
        return xp.concat([xp.reshape(p if "layer2.bias" not in n else 0 * p, (-1,)) for n, p in parts.items()])

    patch.setattr(MLP, "gradient", wrong)


def slope_of_tanh(patch):
    patch.setitem(mlp._ACTIVATIONS, "relu", (mlp._ACTIVATIONS["relu"][0], mlp._ACTIVATIONS["tanh"][1]))


@pytest.mark.parametrize("mistake", [one_hot_off_by_one, bias_forgotten, slope_of_tanh])
def test_a_wrong_network_is_seen(xp, mistake, monkeypatch):
    net = MLP((4, 5, 4, 3))
    w, X, y = sample(net)
    expected = results(net, w, X, y)
    mistake(monkeypatch)
    assert worst(results(net, xp.asarray(w), xp.asarray(X), xp.asarray(y), on_host), expected) > 1e6 * ROUNDINGS


@every_net
def test_a_network_stays_on_the_device(net):
    w, X, y = sample(net)
    there = [strict.asarray(x, device=DEVICE) for x in (w, X)]
    for labels in (y, strict.asarray(y, device=DEVICE)):
        gradient = net.gradient(*there, labels)
        assert gradient.device == net.outputs(*there).device == DEVICE
        back = gradient.to_device(strict.Device("CPU_DEVICE"))
        found = [np.asarray(back), net.value(*there, labels), net.accuracy(*there, labels)]
        expected = [net.gradient(w, X, y), net.value(w, X, y), net.accuracy(w, X, y)]
        assert worst(found, expected) < ROUNDINGS


@every_net
def test_a_gradient_does_not_wait_for_the_device(net, monkeypatch):
    w, X, y = map(strict.asarray, sample(net))

    def read(self):
        raise AssertionError("the host reads a number")

    for name in ("__bool__", "__float__", "__int__", "__index__"):
        monkeypatch.setattr(type(w), name, read)
    assert net.gradient(w, X, y).shape == w.shape
    with pytest.raises(AssertionError, match="the host reads"):
        net.value(w, X, y)


def test_mixtures_raise(xp):
    net = MLP((4, 5, 4, 3))
    w, X, y = sample(net)
    for call in (net.value, net.gradient, net.accuracy):
        with pytest.raises(TypeError, match=r"^X is numpy.ndarray and w is .*; use xp.asarray\(X, device=w.device\)"):
            call(xp.asarray(w), X, xp.asarray(y))
        with pytest.raises(TypeError, match=r"^X is .* and w is numpy.ndarray.*on_host\(X\)"):
            call(w, xp.asarray(X), y)
        with pytest.raises(TypeError, match=r"^y is .* and w is numpy.ndarray.*on_host\(y\)"):
            call(w, X, xp.asarray(y))


def test_bad_arguments_are_named_on_any_namespace(xp):
    net = MLP((4, 5, 4, 3))
    w, X, y = map(xp.asarray, sample(net))
    for call in (net.value, net.gradient, net.accuracy):
        with pytest.raises(ValueError, match="labels from 1 to 3"):
            call(w, X, 1 + np.arange(6) % 3)
        with pytest.raises(TypeError, match=r"y has dtype .*float64: expected integers, as xp.astype\(y, xp.int64\)"):
            call(w, X, xp.asarray(y, dtype=xp.float64))
        with pytest.raises(ValueError, match=r"X has shape \(6, 3\): expected \(n, 4\)"):
            call(w, X[:, :3], y)
        with pytest.raises(TypeError, match=r"w is .*int64: expected an array of floats"):
            call(xp.asarray(w, dtype=xp.int64), X, y)
    with pytest.raises(ValueError, match="labels from"):
        net.value(w, X, y + 3)
    assert on_host(net.gradient(w, X, y + 3)).any(), "its range is not asked for: the host does not wait"


# --- problems


def oracles(make):
    """What a problem computes at one point: value, gradient, and a noisy gradient of a fixed seed."""
    problem, w = make
    return [problem.value(w), problem.gradient(w), problem.noisy_gradient(w, np.random.default_rng(0))]


PROBLEMS = {
    "logistic": lambda put: (PopulationLogistic(put(np.array([1.0, -2.0, 0.5])), 3), put(np.array([0.3, 0.1, -1.0]))),
    "quadratic": lambda put: (
        Quadratic.correlated(put(np.array([[1.0, -2.0], [0.5, 0.0]])), 0.5, 0.3),
        put(np.arange(8.0).reshape(2, 2, 2) / 4),
    ),
    "teacher": lambda put: (
        TeacherStudent(NETS[2], put(sample(NETS[2])[0]), label_noise=0.3),
        put(0.5 * sample(NETS[2])[0]),
    ),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_problem_is_where_its_target_is(xp, name):
    found, expected = oracles(PROBLEMS[name](xp.asarray)), oracles(PROBLEMS[name](np.asarray))
    assert isinstance(found[0], float) and all(namespace(gradient) is xp for gradient in found[1:])
    assert worst([found[0], *map(on_host, found[1:])], expected) < ROUNDINGS
    problem, w = PROBLEMS[name](xp.asarray)
    other = problem.noisy_gradient(w, np.random.default_rng(1))  # other noise is seen
    assert worst([on_host(other)], [expected[2]]) > 1e6 * ROUNDINGS


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_problem_stays_on_the_device(name):
    for gradient in oracles(PROBLEMS[name](lambda x: strict.asarray(x, device=DEVICE)))[1:]:
        assert gradient.device == DEVICE


def test_a_hessian_elsewhere_raises(xp):
    with pytest.raises(TypeError, match=r"hessian is numpy.ndarray and target is .*; use xp.asarray\(hessian"):
        Quadratic(xp.asarray(np.ones(2)), np.eye(2))


def test_regression_is_where_it_is_asked_to_be(xp):
    data = load(DataSource("digits"))
    plain, there = MultinomialRegression.on(data), MultinomialRegression.on(data, asarray=xp.asarray)
    w = 0.1 * np.random.default_rng(0).standard_normal((10, 65)).astype(np.float32)
    w[:, 3] = 0
    v = xp.asarray(w)
    assert namespace(there.start()) is xp and there.start().dtype == xp.float32
    # Sums of 1500 samples in float32, pairwise or not: below 1500 eps of their size, of order 1.
    allowed = 1500 * np.finfo(np.float32).eps
    assert abs(there.objective(v) - plain.objective(w)) < allowed
    assert abs(there.kkt_residual(v) - plain.kkt_residual(w)) < allowed
    assert there.accuracy(v) == pytest.approx(plain.accuracy(w), abs=1 / plain.test.n_samples)  # a tie may part
    np.testing.assert_array_equal(there.support(v), plain.support(w))
    ours, theirs = (next(problem.epoch(np.random.default_rng(0), 64)) for problem in (plain, there))
    assert np.abs(on_host(theirs.gradient(v)) - ours.gradient(w)).max() < allowed
    assert np.abs(on_host(theirs.gradient(v)) - plain.batch(np.arange(64)).gradient(w)).max() > 10 * allowed
