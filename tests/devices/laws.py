"""What holds of a step on any device, simulated or real."""

import numpy as np

from rmda_ref import RMDA
from rmda_ref.namespace import on_host
from rmda_ref.regularizers import REGISTRY

SEQUENTIAL = ("tree groups", "overlapping groups", "latent groups")  # no evaluation on a device
SUPPORTED = [name for name in REGISTRY if not name.startswith(SEQUENTIAL)]
UNSUPPORTED = [name for name in REGISTRY if name.startswith(SEQUENTIAL)]
FIELDS = ("iterate", "prox_iterate", "anchor", "grad_sum")


def example(name, dtype, steps=3):
    """An algorithm with the regularizer of that name, a start, and gradients."""
    psi, shape = REGISTRY[name]
    rng = np.random.default_rng(0)
    w0 = rng.standard_normal(shape).astype(dtype)
    w0.reshape(-1)[:2] = 0
    grads = rng.standard_normal((steps, *shape)).astype(dtype)
    return RMDA(psi, step_size=0.3, momentum=0.5), w0, grads


def bound(states, dtype):
    """How far two evaluations of a few steps may be apart.

    Less than 16 roundings a step (sums over at most 36 entries in float64, singular vectors of 4 x 3 matrices), each of
    half an ulp of the largest number about, each stretched by the prox: by 4 at most where it is not convex, in these
    examples, whose random points are nowhere near a jump.
    """
    largest = max(1.0, *(np.abs(getattr(state, field)).max() for state in states for field in FIELDS))
    return len(states) * 16 * 4 * largest * np.finfo(dtype).eps / 2


def apart(state, other):
    """The largest difference between a state on the host and one on a device."""
    return max(np.abs(getattr(state, field) - on_host(getattr(other, field))).max() for field in FIELDS)


def check_same(name, dtype, on_device, step):
    """Raise unless the steps of the device and of the host agree; ``step(algorithm, w0)`` gives a pair of functions.

    The first takes a step with a gradient, the second gives the state.
    """
    algorithm, w0, grads = example(name, dtype)
    mine, states = algorithm.init(w0), []
    take, state = step(algorithm, on_device(w0))
    for grad in grads:
        mine = algorithm.step(mine, grad)
        take(on_device(grad))
        states.append(mine)
    theirs = state()
    difference, allowed = apart(mine, theirs), bound(states, dtype)
    assert difference <= allowed, f"{name}: {difference:.3g} apart, {allowed:.3g} allowed"
    point = on_host(theirs.prox_iterate)
    assert not np.signbit(point[point == 0]).any(), f"{name}: a negative zero"


def pure(algorithm, w0):
    """`RMDA.step` on arrays of the device."""
    state = algorithm.init(w0)

    def take(grad):
        nonlocal state
        state = algorithm.step(state, grad)

    return take, lambda: state


def fused(algorithm, w0):
    """The stepper's."""
    stepper = algorithm.stepper(w0)
    return stepper.step, lambda: stepper.state
