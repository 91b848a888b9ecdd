"""Mean and covariance of RMDA's iterates on a noisy quadratic, exactly, without running RMDA.

Let psi = 0 and the gradient of step t be h x_{t-1} + sigma xi_t with standard normal, independent xi_t; x = W - W*,
y = W~ - W*, and a = W^0 - W* the anchor, itself random after a restart. As in `validation.recurrences`,

    y_t = r_t y_{t-1} + (1 - r_t) a - eta_t (h x_{t-1} + sigma xi_t),    x_t = (1 - c_t) x_{t-1} + c_t y_t,

with r_t = sqrt((t-1)/t). Beside them run the sums u_t = sum s_i x_{i-1}, s_i = eta_i sqrt(i), and n_t = sum x_{i-1} of
the points where gradients were taken. All five are linear in the noise: z_t = A_t z_{t-1} + b_t xi_t is Gaussian, and

    E z_t = A_t E z_{t-1},        Cov z_t = A_t Cov z_{t-1} A_t^T + b_t b_t^T.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_discrete_lyapunov

from rmda_ref import Stage
from rmda_ref.schedules import momentum_at, step_size_at

X, Y, ANCHOR, WEIGHTED, UNIFORM = range(5)


@dataclass(frozen=True, eq=False)
class Moments:
    """After step ``t`` of a stage: of (x, y, a, u/alpha, n/t), the last two being averages."""

    t: int
    mean: np.ndarray
    covariance: np.ndarray

    @property
    def mean_square(self) -> np.ndarray:
        """E z^2 of each."""
        return np.asarray(self.mean**2 + np.diag(self.covariance))


def moments(curvature: float, sigma: float, start: float, stages: Sequence[Stage]) -> Iterator[Moments]:
    """After each step of all stages, from x_0 = ``start``; the sums begin anew with each stage."""
    mean, covariance = np.full(5, start), np.zeros((5, 5))
    for stage in stages:
        begin = np.zeros((5, 5))
        begin[[X, Y, ANCHOR], X] = 1  # a restart: the anchor is the iterate
        mean, covariance = begin @ mean, begin @ covariance @ begin.T
        weight = 0.0
        for t in range(1, stage.n_steps + 1):
            eta, c = step_size_at(stage.step_size, t), momentum_at(stage.momentum, t)
            step, noise = _transition(t, eta, c, curvature, sigma)
            mean, covariance = step @ mean, step @ covariance @ step.T + np.outer(noise, noise)
            weight += eta * math.sqrt(t)
            scale = np.array([1, 1, 1, 1 / weight, 1 / t])
            yield Moments(t, scale * mean, covariance * np.outer(scale, scale))


def _transition(t: int, eta: float, c: float, curvature: float, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """A_t and b_t."""
    r = math.sqrt((t - 1) / t)
    step = np.eye(5)
    step[Y] = [-eta * curvature, r, 1 - r, 0, 0]
    step[X] = c * step[Y]
    step[X, X] += 1 - c
    step[WEIGHTED, X], step[UNIFORM, X] = eta * math.sqrt(t), 1
    noise = np.array([c, 1, 0, 0, 0]) * -eta * sigma
    return step, noise


def floor(curvature: float, sigma: float, step_size: float, momentum: float) -> np.ndarray:
    """The stationary covariance of (x, y) as t -> infinity: the solution of P = A P A^T + b b^T at r = 1."""
    step = np.array([[1 - momentum - momentum * step_size * curvature, momentum], [-step_size * curvature, 1.0]])
    noise = step_size * sigma * np.array([momentum, 1.0])
    return np.asarray(solve_discrete_lyapunov(step, np.outer(noise, noise)))
