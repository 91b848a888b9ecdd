"""On a CUDA device (``make test-gpu``): what the simulated tests say, said by the machine; and that it never waits."""

import numpy as np
import pytest
from laws import SUPPORTED, UNSUPPORTED, check_same, example, fused, pure

from problems import MLP
from problems.data import DataSource, load
from rmda_ref import L1, RMDA, GroupLasso
from rmda_ref.losses import MultinomialLoss
from rmda_ref.namespace import on_host

pytestmark = pytest.mark.gpu


@pytest.fixture
def cupy():
    import cupy

    return cupy


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("step", [pure, fused])
@pytest.mark.parametrize("name", SUPPORTED)
def test_a_step_is_that_of_the_host(cupy, name, step, dtype):
    check_same(name, dtype, cupy.asarray, step)


@pytest.mark.parametrize("shape", [(1000, 10), (300, 700), (3000, 1000), (2, 100_000), (64, 32, 3, 3), (10, 784)])
@pytest.mark.parametrize("axis", [0, 1, (0, 2, 3), None])
def test_groups_of_all_lengths(cupy, shape, axis):
    """Tiles and strips of full size, in full blocks of threads."""
    if isinstance(axis, tuple) and len(shape) == 2:
        pytest.skip("a matrix has no channels")
    rng = np.random.default_rng(0)
    w0, g = rng.standard_normal(shape), rng.standard_normal(shape)
    algorithm = RMDA(GroupLasso(lam=0.3, axis=axis), step_size=0.5, momentum=0.5)
    expected = algorithm.step(algorithm.init(w0), g)
    stepper = algorithm.stepper(cupy.asarray(w0))
    stepper.step(cupy.asarray(g))
    norm = np.sqrt(w0.size)  # about that of the longest group, whose sum has as many roundings
    for field in ("iterate", "prox_iterate", "grad_sum"):
        got = on_host(getattr(stepper.state, field))
        np.testing.assert_allclose(got, getattr(expected, field), rtol=0, atol=16 * norm * np.finfo(float).eps)


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_what_has_no_evaluation_says_so(cupy, name):
    algorithm, w0, _ = example(name, np.float64)
    with pytest.raises(TypeError, match=r"has no evaluation on"):
        algorithm.regularizer.prox(cupy.asarray(w0), 0.5)


@pytest.mark.parametrize(
    ("regularizer", "shape"),
    [(L1(lam=0.1), (1000,)), (GroupLasso(lam=0.1, axis=1), (100, 10)), (GroupLasso(lam=0.1, axis=0), (3000, 100))],
)
def test_a_thousand_steps_wait_for_nothing(cupy, regularizer, shape):
    """They can be captured in a graph: to wait for the device, or ask it anything, would be an error there."""
    rng = np.random.default_rng(0)
    w0, g = (rng.standard_normal(shape).astype(np.float32) for _ in range(2))
    algorithm = RMDA(regularizer, step_size=0.1, momentum=0.5)
    stepper, mine, grad = algorithm.stepper(cupy.asarray(w0)), algorithm.stepper(w0), cupy.asarray(g)
    stepper.step(grad)  # compiled and loaded
    mine.step(g)
    stream = cupy.cuda.Stream(non_blocking=True)
    stepper.synchronize()
    with stream:
        stream.begin_capture()
        for _ in range(1000):
            stepper.step(grad)
        graph = stream.end_capture()
        graph.launch(stream)
    stream.synchronize()
    for _ in range(1000):
        mine.step(g)
    # V is the sum of 1001 terms of one sign: as many roundings of float32, and W follows it.
    atol = 1001 * np.finfo(np.float32).eps * np.abs(mine.state.grad_sum).max() / 30
    np.testing.assert_allclose(on_host(stepper.iterate), mine.iterate, rtol=0, atol=atol)


def test_asking_the_device_while_capturing_is_an_error(cupy):
    """So that the test above can fail: the pure step looks at the gradient."""
    algorithm = RMDA(L1(lam=0.1), step_size=0.1)
    state, grad = algorithm.init(cupy.zeros(10)), cupy.ones(10)
    state = algorithm.step(state, grad)
    stream = cupy.cuda.Stream(non_blocking=True)
    with stream, pytest.raises(cupy.cuda.runtime.CUDARuntimeError):
        stream.begin_capture()
        try:
            algorithm.step(state, grad)
        finally:
            stream.end_capture()


def test_group_lasso_regression_of_images(cupy):
    """Multinomial regression, a group a pixel: the device finds the pixels that the host finds.

    On MNIST where RMDA_DATA_DIR names it, else on scikit-learn's digits.
    """
    images = load(DataSource.resolve(None))
    X, y = images.X_train, images.y_train
    classes, pixels = int(y.max()) + 1, X.shape[1]
    algorithm = RMDA(GroupLasso(lam=5e-3, axis=0), step_size=0.1, momentum=0.2)
    mine = algorithm.stepper(np.zeros((classes, pixels), np.float32))
    theirs = algorithm.stepper(cupy.asarray(np.zeros((classes, pixels), np.float32)))
    here, there = MultinomialLoss(X, y), MultinomialLoss(cupy.asarray(X), cupy.asarray(y))
    for batch in np.random.default_rng(0).integers(0, len(y), (1500, 64)):
        mine.step(here.gradient(mine.iterate, batch))
        theirs.step(there.gradient(theirs.iterate, cupy.asarray(batch)))
    points = mine.state.prox_iterate, theirs.state.prox_iterate
    supports = [algorithm.regularizer.manifold(point).mask for point in points]
    assert 0.1 < supports[0].mean() < 0.9
    assert (supports[0] != supports[1]).mean() <= 0.02  # a pixel whose norm is at the edge may go either way
    accuracies = here.accuracy(points[0]), there.accuracy(points[1])
    assert min(accuracies) > 0.8 and abs(accuracies[0] - accuracies[1]) < 0.01


def test_gradients_of_a_network(cupy):
    network = MLP((64, 20, 10), "relu", "cross_entropy")
    rng = np.random.default_rng(0)
    w, X, y = network.initial(rng), rng.standard_normal((32, 64)), rng.integers(0, 10, 32)
    gradient = network.gradient(cupy.asarray(w), cupy.asarray(X), cupy.asarray(y))
    np.testing.assert_allclose(on_host(gradient), network.gradient(w, X, y), rtol=0, atol=1e-13)


@pytest.mark.parametrize("storage", ["float16", "bfloat16"])
def test_half_precision(cupy, storage):
    from rmda_ref.algorithms.device_stepper import DeviceStepper

    w0 = np.random.default_rng(0).standard_normal(1000).astype(np.float32)
    algorithm = RMDA(L1(lam=0.3), step_size=0.3)
    full = algorithm.stepper(w0)
    stored = DeviceStepper(algorithm, algorithm.init(cupy.asarray(w0)), storage=storage)
    for seed in range(5):
        grad = cupy.asarray(np.random.default_rng(seed).standard_normal(1000)).astype(stored.iterate.dtype)
        full.step(on_host(grad.astype(np.float32)))
        stored.step(grad)
    unit = {"float16": 2.0**-11, "bfloat16": 2.0**-8}[storage]  # W^0 and W are each rounded once
    np.testing.assert_allclose(on_host(stored.state.iterate), full.iterate, rtol=0, atol=2 * unit * 4)


def test_too_little_memory_loses_nothing(cupy):
    state = RMDA(L1(lam=0.1), step_size=0.1).init(cupy.zeros(1 << 20, dtype=np.float32))
    pool = cupy.get_default_memory_pool()
    pool.set_limit(size=pool.total_bytes() + (1 << 20))
    try:
        with pytest.raises(MemoryError, match=r"needs at least 12,582,912 bytes"):
            RMDA(L1(lam=0.1), step_size=0.1).stepper(state)
    finally:
        pool.set_limit(size=0)
    assert not on_host(state.iterate).any()


def test_arrays_of_the_host_are_not_mixed_in(cupy):
    algorithm = RMDA(L1(lam=0.1), step_size=0.1)
    stepper = algorithm.stepper(cupy.zeros(3))
    with pytest.raises(TypeError, match=r"grad is a numpy.ndarray, the parameter a cupy.ndarray on"):
        stepper.step(np.ones(3))
    with pytest.raises(TypeError, match=r"grad is a cupy.ndarray on .*, the parameter a numpy.ndarray"):
        algorithm.step(algorithm.init(np.zeros(3)), cupy.ones(3))


def test_two_devices_are_not_mixed(cupy):
    if cupy.cuda.runtime.getDeviceCount() < 2:
        pytest.skip("not run: one device only")
    stepper = RMDA(L1(lam=0.1), step_size=0.1).stepper(cupy.zeros(3))
    with cupy.cuda.Device(1):
        grad = cupy.ones(3)
    with pytest.raises(TypeError, match="nothing is copied unasked"):
        stepper.step(grad)
