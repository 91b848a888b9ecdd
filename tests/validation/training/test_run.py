"""Training runs: the algorithms are given what they should be given, and what is recorded is what happened."""

import numpy as np
import pytest

from problems.data import DataSource
from rmda_ref import RAMDA, RMDA, ProxSGD
from rmda_ref.schedules import SqrtRamp
from validation.training import methods
from validation.training.denormals import flushed
from validation.training.methods import METHODS, Entrant, Stages, Start
from validation.training.run import History, Training, train
from validation.training.task import Task

REGRESSION = Task(DataSource(), (10,), "group lasso", 1e-3)
NETWORK = Task(DataSource(), (12, 10), "l1", 1e-4)
STAGES = Stages((1, 1, 1))


def finals(task: Task, algorithm, changes, restarts: bool):
    """The structured point after three epochs, by pure steps and a loop of our own."""
    problem, state, rng = task.build(), algorithm.init(task.start(0)), task.rng(0, "batches")
    for k in range(3):
        if k:
            algorithm = type(algorithm)(**{**vars(algorithm), **changes(k)})
            state = algorithm.restart(state) if restarts else state
        for batch in problem.epoch(rng, task.batch_size):
            state = algorithm.step(state, batch.gradient(state.iterate))
    return state.prox_iterate


@pytest.mark.parametrize("task", [REGRESSION, NETWORK], ids=["regression", "network"])
@pytest.mark.parametrize(
    ("entrant", "make", "changes", "restarts"),
    [
        (
            Entrant("RMDA", 0.2, 0.04),
            lambda psi: RMDA(psi, 0.2, 0.04),
            lambda k: {"step_size": 0.2 * 0.1**k, "momentum": min(0.04 * 10**k, 1.0)},
            True,
        ),
        (
            Entrant("RAMDA", 0.02, 0.04),
            lambda psi: RAMDA(psi, 0.02, 0.04),
            lambda k: {
                "step_size": 0.02 * 0.1**k,
                "momentum": SqrtRamp(0.04) if k == 2 else 0.04,
                "epsilon": 1e-6 * 0.1**k,
            },
            True,
        ),
        (
            Entrant("ProxSGD", 0.2, 0.1),
            lambda psi: ProxSGD(psi, 0.2, 0.1),
            lambda k: {"step_size": 0.2 * 0.1**k},
            False,
        ),
    ],
    ids=["RMDA", "RAMDA", "ProxSGD"],
)
def test_stages_are_those_of_the_authors_code(task, entrant, make, changes, restarts):
    """F of the run is F of the same steps in a plain loop: to 1e-5, for 36 steps in float32 differ by their order."""
    expected = finals(task, make(task.build().regularizer), changes, restarts)
    history = train(Training(task, entrant, STAGES))
    assert history.objective[-1] == pytest.approx(task.build().objective(expected), rel=1e-5)


def test_a_wrong_stage_shows():
    """The same without the restart."""
    rmda = Entrant("RMDA", 0.2, 0.04)
    psi = REGRESSION.build().regularizer
    changes = lambda k: {"step_size": 0.2 * 0.1**k, "momentum": min(0.04 * 10**k, 1.0)}  # noqa: E731
    wrong = finals(REGRESSION, RMDA(psi, 0.2, 0.04), changes, restarts=False)
    found = train(Training(REGRESSION, rmda, STAGES)).objective[-1]
    assert found != pytest.approx(REGRESSION.build().objective(wrong), rel=1e-3)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_trains(method):
    task = REGRESSION if method == "prox-SVRG" else NETWORK
    history = train(Training(task, Entrant(method, 0.01, 0.1, 0.5), STAGES))
    assert history.objective[-1] < history.objective[0] * 1.5 and np.isfinite(history.objective).all()
    assert len(history.accuracy) == len(history.seconds) == 3


@pytest.mark.parametrize("method", ["RigL", "magnitude pruning"])
def test_the_density_is_the_one_asked_for(method):
    history = train(Training(NETWORK, Entrant(method, 0.01, 0.1, 0.25), Stages((20,))))
    kept = history.mask()[-1].mean()
    assert kept == pytest.approx(0.25, abs=2 / (64 * 12))  # two layers, each rounded to a whole number of weights


def test_the_same_run_gives_the_same_numbers_and_others_do_not():
    one, again, other = (train(Training(NETWORK, Entrant("RMDA", 0.1, 0.1), STAGES, seed)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.objective, again.objective)
    assert (one.objective != other.objective).all()


def test_all_algorithms_see_the_same_start_and_batches():
    first, second = NETWORK.rng(0, "batches"), NETWORK.rng(0, "batches")
    problem = NETWORK.build()
    for one, other in zip(problem.epoch(first, 128), problem.epoch(second, 128), strict=True):
        np.testing.assert_array_equal(one.X, other.X)
    np.testing.assert_array_equal(NETWORK.start(0), NETWORK.start(0))
    assert (NETWORK.start(0) != NETWORK.start(1)).any()


def test_a_run_that_diverges_is_over_and_says_so():
    history = train(Training(NETWORK, Entrant("MSGD", 1e20, 0.1), Stages((2, 2))))
    assert np.isinf(history.objective).all() and len(history.objective) == 4


def test_progress_rises_to_one():
    seen: list[float] = []
    train(Training(REGRESSION, Entrant("RMDA", 0.1, 0.1), STAGES), seen.append)
    assert seen == [1 / 3, 2 / 3, 1.0]


def test_what_a_history_says_of_its_structure():
    masks = np.array([[True, True, False], [True, False, True], [True, False, True]])
    packed = np.packbits(masks, axis=1)
    ones = np.ones(3)
    history = History(ones, ones, np.array([4, 2, 2]), packed, packed[::-1], 3, 8, ones)
    np.testing.assert_array_equal(history.mask(), masks)
    np.testing.assert_array_equal(history.mask(of_iterate=True), masks[::-1])
    np.testing.assert_array_equal(history.changes, [0, 2, 0])
    np.testing.assert_allclose(history.zero, [1 / 3] * 3)
    np.testing.assert_array_equal(history.sparsity, [0.5, 0.75, 0.75])


def test_denormals_are_zero_within_and_not_after():
    tiny = np.full(4, 1e-40, np.float32)
    with flushed():
        inside = (tiny * np.float32(0.5)).copy()
    outside = tiny * np.float32(0.5)
    assert (outside > 0).all()
    # Elsewhere than on x86, or interpreted, nothing is flushed.
    assert (inside == 0).all() or (inside == outside).all()


def test_pruning_and_rigl_take_the_layers_of_the_network():
    psi = NETWORK.build().regularizer
    layers = methods._masked_layers(Entrant("RigL", 0.1, 0.1, 0.2), Start(psi, NETWORK.start(0), 10, 0))
    assert [layer.size for layer in layers] == [64 * 12, 12, 12 * 10, 10]
    assert [layer.density for layer in layers[1::2]] == [1.0, 1.0]
    weights = layers[::2]
    assert sum(layer.n_active for layer in weights) == pytest.approx(0.2 * (64 * 12 + 120), abs=1)
