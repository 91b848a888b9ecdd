"""What the optimizers keep of the steps so far, summed anew at every step with explicit weights."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Numbers = Sequence[float] | Array


class Points(NamedTuple):
    """Both sequences of an averaging method.

    Attributes
    ----------
    iterate : the averaged point, at which the gradient is taken, after each step, shape (T, *shape).
    structured : the minimiser of the subproblem of each step, shape (T, *shape).
    """

    iterate: Array
    structured: Array


def check_lengths(grads: Array, **sequences: Any) -> None:
    """Raise a ValueError unless each of the sequences holds one value for each of the gradients."""
    for name, values in sequences.items():
        if np.shape(values) != (len(grads),):
            raise ValueError(
                f"{name} must hold one value for each of the {len(grads)} gradients, has shape {np.shape(values)}; "
                f"write [{name}] * len(grads) for a constant"
            )


def decayed_sums(values: Array, decays: Numbers) -> Array:
    """S_t = sum_{i<=t} (prod_{i<j<=t} decay_j) values_i for every t: that is S_t = decay_t S_{t-1} + values_t."""
    sums = np.zeros_like(values)
    for t in range(len(values)):
        for i in range(t + 1):
            sums[t] += np.prod(decays[i + 1 : t + 1]) * values[i]
    return sums


def moving_averages(start: Array, values: Array, weights: Numbers) -> Array:
    """A_t = (prod_{j<=t} (1 - c_j)) start + sum_{i<=t} c_i (prod_{i<j<=t} (1 - c_j)) values_i, c the weights.

    That is A_t = (1 - c_t) A_{t-1} + c_t values_t from A_0 = start.
    """
    c = np.asarray(weights, dtype=np.float64)
    averages = decayed_sums(np.stack([c_t * value for c_t, value in zip(c, values, strict=True)]), 1 - c)
    for t in range(len(values)):
        averages[t] += np.prod(1 - c[: t + 1]) * start
    return averages
