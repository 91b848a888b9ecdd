"""What a stepper on a device promises: refused gradients, errors that name what to do, a state that stays as it was."""

import numpy as np
import pytest
from laws import example
from simulated import on_device

from rmda_ref import L1, RMDA, load_state, save_state
from rmda_ref.certificates import IdentificationTracker
from rmda_ref.regularizers import Blocks, GroupLasso
from rmda_ref.regularizers.blocks import Block

ALGORITHM = RMDA(L1(lam=0.4), step_size=lambda t: 0.3 / t, momentum=0.5)
RNG = np.random.default_rng(0)
W0, GRADS = RNG.standard_normal(9), RNG.standard_normal((4, 9))
FIELDS = ("anchor", "iterate", "prox_iterate", "grad_sum")
BAD = GRADS[0] + np.where(np.arange(9) == 7, np.nan, 0)


@pytest.fixture
def stepper(simulated):
    return ALGORITHM.stepper(on_device(W0))


def after(grads):
    state = ALGORITHM.init(W0)
    for grad in grads:
        state = ALGORITHM.step(state, grad)
    return state


def assert_state(stepper, expected):
    state = stepper.state
    assert (state.t, state.weight) == (expected.t, expected.weight)
    for name in FIELDS:
        np.testing.assert_allclose(np.asarray(getattr(state, name)), getattr(expected, name), rtol=0, atol=1e-14)


@pytest.mark.parametrize("good", [0, 1, 2])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_bad_gradient_stops_the_device(stepper, good, bad):
    """The host hears of it later; the state is that before it, and goes on from there."""
    for grad in GRADS[:good]:
        stepper.step(on_device(grad))
    stepper.step(on_device(np.where(np.arange(9) == 8, bad, GRADS[0])))
    stepper.step(on_device(GRADS[3]))
    with pytest.raises(
        ValueError, match=rf"grad of step {good + 1} has non-finite entries, no step was taken since; nothing"
    ):
        stepper.synchronize()
    assert stepper.t == good
    assert_state(stepper, after(GRADS[:good]))
    stepper.step(on_device(GRADS[3]))
    assert_state(stepper, after([*GRADS[:good], GRADS[3]]))


def test_the_first_bad_gradient_is_the_one_that_is_named(stepper):
    for grad in (GRADS[0], BAD, GRADS[1], BAD):
        stepper.step(on_device(grad))
    with pytest.raises(ValueError, match="grad of step 2 "):
        stepper.synchronize()
    assert_state(stepper, after(GRADS[:1]))


@pytest.mark.parametrize("ask", [lambda s: s.state, lambda s: s.restart(), lambda s: s.restart(step_size=0.1)])
def test_whoever_waits_hears_of_it(stepper, ask):
    stepper.step(on_device(BAD))
    with pytest.raises(ValueError, match="grad of step 1 has non-finite entries"):
        ask(stepper)
    assert stepper.algorithm is ALGORITHM
    assert_state(stepper, after([]))


def test_a_bad_block_stops_all_blocks(simulated):
    psi = Blocks((Block("matrix", (2, 3), GroupLasso(lam=0.1, axis=0)), Block("bias", (3,))))
    stepper = RMDA(psi, step_size=0.3).stepper(on_device(W0))
    stepper.step(on_device(BAD))
    np.testing.assert_array_equal(np.asarray(stepper.iterate), W0)


@pytest.mark.parametrize("checked", [True, False])
@pytest.mark.parametrize("name", ["nuclear", "total variation", "top-k, norms"])
def test_no_prox_is_taken_of_a_bad_point(simulated, name, checked):
    """Where the prox is a pass of its own it would loop, or fail, on NaN: it gets zeros, and nothing comes of it."""
    from rmda_ref.algorithms.device_stepper import DeviceStepper

    algorithm, w0, grads = example(name, np.float64)
    stepper = DeviceStepper(algorithm, algorithm.init(on_device(w0)), checked=checked)
    stepper.step(on_device(grads[0] * np.nan))
    stepper.step(on_device(grads[1]))
    with pytest.raises(ValueError, match="grad of step 1 has non-finite entries"):
        stepper.synchronize()
    np.testing.assert_array_equal(np.asarray(stepper.state.iterate), w0)


def test_without_the_check_it_spoils_the_state(simulated):
    from rmda_ref.algorithms.device_stepper import DeviceStepper

    stepper = DeviceStepper(ALGORITHM, ALGORITHM.init(on_device(W0)), checked=False)
    stepper.step(on_device(BAD))
    stepper.synchronize()
    assert np.isnan(np.asarray(stepper.iterate)[7])


def test_a_stage_goes_on_from_a_state(stepper):
    """Steps, a restart with another step size, steps; from a snapshot the pure algorithm goes on."""
    expected = after(GRADS[:2])
    for grad in GRADS[:2]:
        stepper.step(on_device(grad))
    stepper.restart(momentum=1.0)
    other = RMDA(L1(lam=0.4), ALGORITHM.step_size, 1.0)
    expected = other.step(other.restart(expected), GRADS[2])
    stepper.step(on_device(GRADS[2]))
    assert_state(stepper, expected)
    again = other.stepper(stepper.state)
    again.step(on_device(GRADS[3]))
    assert_state(again, other.step(expected, GRADS[3]))


def test_before_the_first_step_the_state_is_the_one_given(simulated):
    """With momentum W~ is another point than W: it is neither lost nor taken for it."""
    given = after(GRADS[:2])
    moved = type(given)(*(on_device(getattr(given, name)) for name in FIELDS), given.weight, given.t)
    stepper = ALGORITHM.stepper(moved)
    assert_state(stepper, given)
    stepper.step(on_device(BAD))
    with pytest.raises(ValueError, match="grad of step 3 "):
        stepper.synchronize()
    assert_state(stepper, given)


def test_a_saved_state_goes_on_bit_for_bit(stepper, tmp_path):
    stepper.step(on_device(GRADS[0]))
    save_state(tmp_path / "state.npz", stepper.state)
    loaded = ALGORITHM.stepper(load_state(tmp_path / "state.npz", asarray=on_device))
    for grad in GRADS[1:]:
        for one in (stepper, loaded):
            one.step(on_device(grad))
    np.testing.assert_array_equal(np.asarray(loaded.iterate), np.asarray(stepper.iterate))
    np.testing.assert_array_equal(np.asarray(loaded.state.grad_sum), np.asarray(stepper.state.grad_sum))


def test_buffers_are_its_own(simulated):
    w0 = on_device(W0)
    stepper = ALGORITHM.stepper(w0)
    stepper.step(on_device(GRADS[0]))
    np.testing.assert_array_equal(np.asarray(w0), W0)
    before = np.array(stepper.state.iterate)
    state = stepper.state
    stepper.step(on_device(GRADS[1]))
    np.testing.assert_array_equal(np.asarray(state.iterate), before)


def test_arrays_of_the_host_are_not_mixed_in(stepper):
    for grad, error, message in (
        (
            GRADS[0],
            TypeError,
            r"grad is a numpy.ndarray, the parameter a array_api_strict.Array on .*; convert one, nothing",
        ),
        (on_device(GRADS[0][:3]), ValueError, r"grad has shape \(3,\), the parameter \(9,\)"),
        (on_device(GRADS[0].astype(np.float32)), TypeError, r"grad has dtype .*float32, the parameter .*float64"),
    ):
        with pytest.raises(error, match=message):
            stepper.step(grad)
    with pytest.raises(TypeError, match=r"grad is a array_api_strict.Array on .*, the parameter a numpy.ndarray"):
        ALGORITHM.stepper(W0).step(on_device(GRADS[0]))
    assert_state(stepper, after([]))


def test_two_devices_are_not_mixed(stepper):
    import array_api_strict as strict

    elsewhere = strict.asarray(GRADS[0], device=strict.Device("device1"))
    with pytest.raises(
        TypeError, match=r"on .*device1.*, the parameter a .*CPU.*; convert one, nothing is copied unasked"
    ):
        stepper.step(elsewhere)
    with pytest.raises(TypeError, match=r"device1"):
        ALGORITHM.step(ALGORITHM.init(on_device(W0)), elsewhere)
    assert_state(stepper, after([]))


def test_too_little_memory(simulated, monkeypatch):
    """The message says how much is needed: V, W and W^0 of 9 float64 numbers."""
    import array_api_strict as strict

    state = ALGORITHM.init(on_device(W0))

    def full(*arguments, **options):
        raise MemoryError("Out of memory allocating 72 bytes")

    monkeypatch.setattr(strict, "astype", full)
    with pytest.raises(
        MemoryError, match=r"of shape \(9,\) needs at least 216 bytes: Out of memory allocating 72 bytes"
    ):
        ALGORITHM.stepper(state)
    np.testing.assert_array_equal(np.asarray(state.iterate), W0)


def test_a_restart_without_room_changes_nothing(stepper, monkeypatch):
    import array_api_strict as strict

    stepper.step(on_device(GRADS[0]))
    real, calls = strict.astype, []

    def soon_full(*arguments, **options):
        calls.append(arguments)
        if len(calls) > 3:  # those of the snapshot
            raise MemoryError("Out of memory allocating 72 bytes")
        return real(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(strict, "astype", soon_full)
        with pytest.raises(MemoryError, match="needs at least 216 bytes"):
            stepper.restart(momentum=1.0)
    assert stepper.algorithm is ALGORITHM
    assert_state(stepper, after(GRADS[:1]))


def test_a_tracker_would_wait(simulated):
    with pytest.raises(TypeError, match=r"a tracker looks at every step .* leave it out"):
        ALGORITHM.stepper(on_device(W0), IdentificationTracker(ALGORITHM.regularizer))


def test_other_arrays_have_no_stepper():
    with pytest.raises(TypeError, match=r"the fused stepper, unlike step, has no evaluation on array_api_strict.Array"):
        ALGORITHM.stepper(on_device(W0))
    from rmda_ref.algorithms.device_stepper import DeviceStepper

    with pytest.raises(TypeError, match=r"a stepper on a device needs CuPy arrays, got a numpy.ndarray"):
        DeviceStepper(ALGORITHM, ALGORITHM.init(W0))
