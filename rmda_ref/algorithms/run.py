"""Running an algorithm: gradients at the iterate, stages with restarts in between."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rmda_ref.namespace import Array
from rmda_ref.schedules import Stage

State = Any  # RMDAState, RDAState, ProxSGDState: immutable, with iterate, prox_iterate and t


def steps(algorithm: Any, state: State, gradient: Callable[[Array], Array | None], n_steps: int) -> Iterator[State]:
    """The states after each of ``n_steps`` steps from ``state``; ``gradient`` is a (noisy) oracle of grad f.

    Where it returns None, as frameworks do for a parameter that a batch did not use, the state stays as it is: clock
    and weights stand still.

    >>> import numpy as np
    >>> from rmda_ref import RMDA, Zero
    >>> algorithm = RMDA(Zero(), step_size=1.0)
    >>> [state.t for state in steps(algorithm, algorithm.init(np.ones(1)), gradient=np.sign, n_steps=3)]
    [1, 2, 3]
    """
    for _ in range(n_steps):
        grad = gradient(state.iterate)
        state = state if grad is None else algorithm.step(state, grad)
        yield state


def scheduled_steps(
    algorithm: Any,
    state: State,
    gradient: Callable[[Array], Array | None],
    n_steps: int,
    regularizer_at: Callable[[int, float], Any],
) -> Iterator[State]:
    """`steps` with a regularizer that changes: ``regularizer_at(k, prox_step)`` is that of step k = 1, 2, ….

    ``prox_step`` is the step of that prox, as `MaskDecay.lam` asks for it: alpha_k/beta_k in RMDA, eta_k in ProxSGD; in
    a diagonal metric (RAMDA, ProxAdam, ProxGen) that of an entry whose metric is 1.

    >>> import numpy as np
    >>> from rmda_ref import L1, ProxSGD
    >>> from rmda_ref.schedules import GrowingStrength
    >>> growth = GrowingStrength(increment=0.5, every=1, ceiling=1.0)
    >>> algorithm = ProxSGD(L1(0.0), step_size=1.0)
    >>> start = algorithm.init(np.array([4.0]))
    >>> run = scheduled_steps(algorithm, start, np.zeros_like, 3, lambda k, prox_step: L1(growth(k)))
    >>> [float(state.iterate[0]) for state in run]
    [3.5, 2.5, 1.5]
    """
    for k in range(1, n_steps + 1):
        algorithm = dataclasses.replace(algorithm, regularizer=regularizer_at(k, algorithm.prox_step(state)))
        state = next(steps(algorithm, state, gradient, 1))
        yield state


def staged_steps(
    algorithm: Any, w0: Array, gradient: Callable[[Array], Array], stages: Sequence[Stage]
) -> Iterator[State]:
    """The states after each step of all stages, restarting between two stages."""
    state = algorithm.init(w0)
    for k, stage in enumerate(stages):
        if k > 0:
            state = algorithm.restart(state)
        algorithm = dataclasses.replace(algorithm, step_size=stage.step_size, momentum=stage.momentum)
        for following in steps(algorithm, state, gradient, stage.n_steps):
            yield (state := following)
