"""The tracker says what the trajectory says; fed from inside a fused step it says the same."""

import numpy as np
import pytest

from rmda_ref import L1, RDA, RMDA, Block, Blocks, Box, GroupLasso, Levels, ProxSGD, Support
from rmda_ref.algorithms.watch import BlocksWatch, EntriesWatch, GroupsWatch, PointWatch
from rmda_ref.backends import drivers
from rmda_ref.backends.numba import PARALLEL_FROM, interpreted
from rmda_ref.certificates import IdentificationTracker
from rmda_ref.regularizers import REGISTRY
from validation.claim import Setting
from validation.claims import d4_tracker
from validation.trial import attempt

CASES = [pytest.param(*case, id=name) for name, case in REGISTRY.items()]
RESTARTS = (5, 6)  # before these steps: a stage of one step is among them


def assert_alike(algorithm, shape, dtype=np.float64, n_steps=9):
    """The reports of a tracker fed by states and of one in a stepper, with the manifold after six steps as target."""
    rng = np.random.default_rng(0)
    w0 = rng.standard_normal(shape).astype(dtype)
    grads = (2 * rng.standard_normal((n_steps, *shape))).astype(dtype)
    state = algorithm.init(w0)
    for grad in grads[:6]:
        state = algorithm.step(state, grad)
    psi = algorithm.regularizer
    pure, fused = (IdentificationTracker(psi, psi.manifold(state.prox_iterate)) for _ in range(2))
    state, stepper = algorithm.init(w0), algorithm.stepper(w0, fused)
    for k, grad in enumerate(grads):
        if k in RESTARTS:
            state = algorithm.restart(state)
            stepper.restart()
        state = algorithm.step(state, grad)
        pure.update(state)
        stepper.step(grad)
    assert fused.stages == pure.stages
    assert [stage.n_steps for stage in pure.stages] == [5, 1, n_steps - 6]
    return stepper


@pytest.mark.parametrize(("psi", "shape"), CASES)
def test_fused_is_pure(psi, shape):
    with interpreted():
        assert_alike(RMDA(psi, step_size=0.3, momentum=0.4), shape)
        assert_alike(ProxSGD(psi, step_size=0.2, momentum=0.7), shape)


@pytest.mark.parametrize(
    ("psi", "shape", "watch"),
    [
        (L1(lam=0.7), (8 * drivers.RUN + 3 * drivers.RUN + 7,), EntriesWatch),  # a whole block, and a part with a rest
        (L1(lam=0.7), (PARALLEL_FROM // 64 + 1, 64), EntriesWatch),
        (GroupLasso(lam=0.7, axis=1), (4, 10), GroupsWatch),
        (GroupLasso(lam=0.7, groups=[[2], [0], [1]]), (3,), PointWatch),  # as many groups as entries, in another order
        (Box(-0.5, 0.5), (12,), PointWatch),
        (
            Blocks((Block("weight", (2, 3), GroupLasso(lam=0.7, axis=0)), Block("rest", (5,), L1(0.7)))),
            (11,),
            BlocksWatch,
        ),
    ],
)
def test_compiled_is_pure(psi, shape, watch):
    stepper = assert_alike(RMDA(psi, step_size=0.3, momentum=0.4), shape)
    assert type(stepper._watch) is watch


def test_a_tracked_step_is_the_untracked_one():
    rng = np.random.default_rng(0)
    algorithm = RDA(L1(lam=0.3), gamma=1.0)
    plain, tracked = algorithm.stepper(np.ones(12)), algorithm.stepper(np.ones(12), IdentificationTracker(L1(lam=0.3)))
    for grad in rng.standard_normal((5, 12)):
        plain.step(grad)
        tracked.step(grad)
        np.testing.assert_array_equal(tracked.iterate, plain.iterate)


def points(*rows):
    """A user's states, whose W~ are the rows."""

    class State:
        def __init__(self, t, w):
            self.t, self.prox_iterate = t, np.array(w, dtype=float)

    return [State(t, w) for t, w in rows]


def test_reports_by_hand():
    psi = L1(lam=1.0)
    tracker = IdentificationTracker(psi, target=psi.manifold(np.array([0.0, 1.0])))
    rows = [(1, [1, 1]), (2, [0, 2]), (3, [0, 0]), (4, [0, 1]), (5, [0, 3]), (1, [0, 1]), (2, [0, 2]), (1, [1, 0])]
    for state in points(*rows):
        tracker.update(state)
        tracker.update(state)  # given again, after a step that was skipped: the same
    seen = [(stage.n_steps, stage.since, stage.n_changes, stage.t0) for stage in tracker.stages]
    assert seen == [(5, 4, 3, 3), (2, 1, 0, 0), (1, 1, 0, 1)]
    assert [stage.manifold.mask.tolist() for stage in tracker.stages] == [[False, True], [False, True], [True, False]]
    assert tracker.current == tracker.stages[-1]


def test_a_state_before_its_first_step_only_ends_a_stage():
    algorithm = RMDA(L1(lam=0.1), step_size=0.3)
    tracker = IdentificationTracker(algorithm.regularizer)
    tracker.update(state := algorithm.init(np.ones(2)))
    assert tracker.stages == ()
    tracker.update(state := algorithm.step(state, np.ones(2)))
    tracker.update(state := algorithm.restart(state))
    tracker.update(algorithm.step(state, np.ones(2)))
    assert [stage.n_steps for stage in tracker.stages] == [1, 1] and tracker.current.t0 is None


def test_another_stepper_goes_on():
    """From the state of the first: the support that it finds is compared with the last of the first."""
    algorithm = RMDA(L1(lam=0.1), step_size=0.3)
    tracker = IdentificationTracker(algorithm.regularizer)
    first = algorithm.stepper(np.ones(3), tracker)
    first.step(np.zeros(3))
    algorithm.stepper(first.state, tracker).step(np.zeros(3))
    assert (tracker.current.n_steps, tracker.current.n_changes) == (2, 0)


def test_errors():
    psi = L1(lam=1.0)
    with pytest.raises(TypeError, match="regularizer must be"):
        IdentificationTracker("l1")
    with pytest.raises(TypeError, match=r"make it by regularizer\.manifold"):
        IdentificationTracker(psi, target=np.ones(2))
    with pytest.raises(ValueError, match="no step has been seen"):
        _ = IdentificationTracker(psi).current
    with pytest.raises(TypeError, match=r"algorithm\.stepper\(w0, tracker\)"):
        IdentificationTracker(psi).update(RMDA(psi, 0.1).stepper(np.ones(2)))
    for target, error in ((Support.of(np.ones(3, bool)), ValueError), (Levels.of(np.ones(2, int)), TypeError)):
        tracker = IdentificationTracker(psi, target)
        with pytest.raises(error, match="target"):
            RMDA(psi, 0.1).stepper(np.ones(2), tracker)
        with pytest.raises(error, match="target"):
            tracker.update(points((1, [1, 0]))[0])
    blocks = Blocks((Block("a", (2,), psi),))
    with pytest.raises(ValueError, match="blocks"):
        RMDA(blocks, 0.1).stepper(np.ones(2), IdentificationTracker(blocks, (("b", psi.manifold(np.ones(2))),)))


def test_claim():
    assert attempt(d4_tracker.CLAIM, "reference", Setting()).holds


def test_a_tracker_that_forgets_restarts_fails(monkeypatch):
    class Forgetful(IdentificationTracker):
        def observe(self, t, *rest):
            super().observe(t if not self.stages else self._t + 1, *rest)

    monkeypatch.setattr(d4_tracker, "IdentificationTracker", Forgetful)
    assert not attempt(d4_tracker.CLAIM, "reference", Setting()).holds
