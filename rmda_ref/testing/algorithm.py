"""What every optimizer of the library promises, checked on yours."""

from collections.abc import Callable
from typing import Any

import numpy as np

from rmda_ref.testing.case import FloatArray


class _Failed(AssertionError):
    pass


def check_algorithm(algorithm: Any, w0: FloatArray, *, n_steps: int = 20, seed: int = 0) -> None:
    """Check the promises of an optimizer with ``init(w0)``, ``step(state, grad)``, ``restart(state)``.

    States have the attributes ``iterate`` and ``prox_iterate`` (the structured point), ``t`` and whatever else; where
    there is ``stepper(w0)``, its in-place steps are compared with the pure ones.

    - A step is a function: the same state and gradient give the same state, and neither is modified.
    - A step is a transaction: a gradient that is not finite, or of another shape or dtype, raises ValueError or
      TypeError, and the state goes on as if it had not come.
    - ``prox_iterate`` is in the image of the prox: it lies in the domain of the regularizer.
    - ``restart`` begins a stage at the iterate with t = 0, and after it the past has no influence.
    - The stepper agrees with the pure steps to rounding, in float32 and float64.

    Parameters
    ----------
    algorithm : object like those of `rmda_ref.algorithms`
    w0 : array, float64, the start
    n_steps : steps to try
    seed : of the gradients

    Raises
    ------
    AssertionError
        At the first promise that is broken; the message names it, the step, and what usually breaks it.

    >>> from rmda_ref import L1, RMDA
    >>> check_algorithm(RMDA(L1(lam=0.1), step_size=0.1, momentum=0.5), np.ones(5))
    """
    grads = np.random.default_rng(seed).standard_normal((n_steps, *w0.shape))
    for dtype in (np.float64, np.float32):
        start, given = w0.astype(dtype), grads.astype(dtype)
        states = [algorithm.init(start)]
        for t, grad in enumerate(given, 1):
            _pure(algorithm, states[-1], grad, t)
            states.append(algorithm.step(states[-1], grad))
        _in_the_domain(algorithm, states)
        _restarts(algorithm, states, given)
        if hasattr(algorithm, "stepper"):
            _fused(algorithm, start, given, states)


def _require(holds: bool, promise: str, meaning: str) -> None:
    if not holds:
        raise _Failed(f"{promise}\nusually: {meaning}")


def _numbers(state: Any) -> list[Any]:
    values = [getattr(state, name) for name in sorted(vars(state))]
    return [np.array(value) for value in values if isinstance(value, np.ndarray | float | int)]


def _same(one: Any, other: Any) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(_numbers(one), _numbers(other), strict=True))


def _pure(algorithm: Any, state: Any, grad: FloatArray, t: int) -> None:
    before, given = _numbers(state), grad.copy()
    first, second = algorithm.step(state, grad), algorithm.step(state, grad)
    unchanged = all(np.array_equal(a, b) for a, b in zip(before, _numbers(state), strict=True))
    _require(
        unchanged and np.array_equal(grad, given),
        f"step {t} modified its argument",
        "an in-place operation on a buffer of the state or on the gradient",
    )
    _require(_same(first, second), f"step {t} taken twice from one state differs", "state kept outside the state")
    bad = grad.copy()
    bad.reshape(-1)[0] = np.nan
    _refuses(lambda: algorithm.step(state, bad), f"step {t} accepts a gradient with a NaN")
    _refuses(lambda: algorithm.step(state, grad[..., :-1]), f"step {t} accepts a gradient of another shape")
    _require(_same(algorithm.step(state, grad), first), f"step {t} after a refused one differs", "a half-done step")


def _refuses(call: Callable[[], Any], promise: str) -> None:
    try:
        call()
    except (ValueError, TypeError):
        return
    _require(False, promise, "a missing check: the NaN then spreads to every later step")


def _in_the_domain(algorithm: Any, states: list[Any]) -> None:
    for t, state in enumerate(states[1:], 1):
        value = float(algorithm.regularizer.value(state.prox_iterate))
        _require(np.isfinite(value), f"psi(prox_iterate) = {value} at step {t}", "the average was scored, not the prox")


def _restarts(algorithm: Any, states: list[Any], grads: FloatArray) -> None:
    fresh, late = algorithm.restart(algorithm.init(states[-1].iterate)), algorithm.restart(states[-1])
    _require(late.t == 0, f"after a restart t = {late.t}", "a clock that is not reset")
    for grad in grads[:3]:
        fresh, late = algorithm.step(fresh, grad), algorithm.step(late, grad)
        _require(
            np.array_equal(fresh.iterate, late.iterate),
            "a restarted run remembers what was before",
            "an anchor, a sum of gradients, a weight or a clock that is not reset",
        )


def _fused(algorithm: Any, start: FloatArray, grads: FloatArray, states: list[Any]) -> None:
    stepper, largest = algorithm.stepper(start), np.abs(start).max()
    for t, (grad, state) in enumerate(zip(grads, states[1:], strict=True), 1):
        stepper.step(grad)
        largest = max([largest, *(np.abs(value).max() for value in _numbers(state) if value.ndim)])
        apart = float(np.abs(stepper.iterate - state.iterate).max())
        allowed = 64 * t * np.finfo(start.dtype).eps * largest  # a few roundings a step, and a row's sum
        _require(
            apart <= allowed,
            f"the stepper departs from the pure step at step {t}, by {apart:.3g} where rounding allows {allowed:.3g}",
            "a scalar of the step that is computed twice, or the prox of another point",
        )
