"""Identification times of a run, against a continuous-time law.

The law of `rmda_ref.certificates.identification_time` is that of a Brownian motion which may cross a boundary at any
time; a run looks at it at the steps only. A random walk with increments of standard deviation s crosses a boundary
about as Brownian motion crosses one that is r s farther away, r = -zeta(1/2)/sqrt(2 pi) = 0.5826, the mean overshoot of
a Gaussian walk (Chernoff 1965, Siegmund 1985), up to O(s^2). For RMDA s = sigma eta sqrt(t) at step t: that is a bias
of -r sigma beta_t/alpha_t, hence of d = -r eta sigma in a law that knows of such biases.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from rmda_ref.certificates.identification_time import rmda_law

Vector = npt.NDArray[np.float64]

_N = np.arange(1.0, 100_001)
_ZETA_HALF = np.sum(_N**-0.5) - 2 * np.sqrt(_N[-1]) - 0.5 / np.sqrt(_N[-1])  # Euler and Maclaurin: off by 1e-9
OVERSHOOT = float(-_ZETA_HALF / np.sqrt(2 * np.pi))


def last_nonzero(states: Iterable[Any], progress: Callable[[int], None] = lambda t: None) -> npt.NDArray[np.int64]:
    """T0 per entry of W~: the last step at which it is not zero, 0 if there is none."""
    last = np.zeros(1, np.int64)
    for t, state in enumerate(states, 1):
        last = np.where(state.prox_iterate != 0, t, last)
        if t % 1000 == 0:
            progress(t)
    return last


def frequencies(times: npt.NDArray[np.int64], n_steps: int) -> Vector:
    """The fraction of ``times`` that are at most t, for t = 0, …, n_steps - 1."""
    return np.asarray(np.cumsum(np.bincount(times, minlength=n_steps + 1))[:n_steps] / times.size)


def dkw(n: int, probability: float) -> float:
    """What sup |F_n - F| exceeds with at most this ``probability`` (Dvoretzky, Kiefer, Wolfowitz; Massart 1990)."""
    return float(np.sqrt(np.log(2 / probability) / (2 * n)))


def rmda_cdf(margin: float, n_steps: int, bias: float = 0.0) -> Vector:
    """P(T0 <= t) for RMDA, t = 0, …, n_steps - 1; ``margin`` is delta/sigma and ``bias`` T_b delta^2/sigma^2.

    {T0 <= t} is {T0 < t + 1}, and the clock i(i + 1)/2 of the step i = t + 1 is that of time i + 1/2.
    """
    return np.asarray(
        rmda_law(bias - 1.5 * OVERSHOOT * margin).cdf((np.arange(n_steps) + 1.5) * margin**2), dtype=np.float64
    )


def rda_cdf(margin: float, n_steps: int) -> Vector:
    """P(T0 <= t) for RDA: Brownian motion first passes 1 + k u at U, k = 0.5826 margin (Bachelier and Levy)."""
    u = 1 / (np.arange(1, n_steps + 1) * margin**2)
    k, root = OVERSHOOT * margin, np.sqrt(u)
    return np.asarray(1 - ndtr(-(1 + k * u) / root) - np.exp(-2 * k) * ndtr((k * u - 1) / root))
