"""What RMDA does on one coordinate of a quadratic, without running RMDA.

Let psi = 0, the gradient h x, x = W - W*, y = W~ - W*, step size eta and momentum c constant. Then
W~^t - W^0 = -V^t / sqrt(t) and V^t = V^{t-1} + eta sqrt(t) h x_{t-1}, so that with r_t = sqrt((t-1)/t)

    y_t = r_t y_{t-1} + (1 - r_t) x_0 - eta h x_{t-1},      x_t = (1 - c) x_{t-1} + c y_t.
"""

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]


def quadratic_recurrence(rate: Vector, momentum: float, n_steps: int) -> Iterator[tuple[Vector, Vector]]:
    """x_t / x_0 and y_t / x_0 for t = 1, 2, …, per coordinate; ``rate`` is eta h."""
    x = y = np.ones_like(rate)
    for t in range(1, n_steps + 1):
        r = math.sqrt((t - 1) / t)
        y = r * y + (1 - r) - rate * x
        x = (1 - momentum) * x + momentum * y
        yield x, y
