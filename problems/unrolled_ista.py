"""Unrolled ISTA learns from unrolled ISTA of the same shape: a deep nonconvex f whose global minimiser is known.

ISTA for a sparse code of the measurements y repeats x <- s(W1 y + W2 x). Unrolled to K layers with weights of their own
(learned ISTA: Gregor & LeCun, ICML 2010), and with the smooth soft-thresholding s of the theory of unfolded ISTA and
ADMM (Shah et al., IEEE Trans. Signal Process. 2024: a difference of softplus), it is a deep network without a kink:

    x_0 = 0,    x_k = s(W1_k y + W2_k x_{k-1}; theta_k),    s(z; theta) = softplus(z - theta) - softplus(-z - theta),

softplus(z) = log(1 + exp(b z))/b with sharpness b; b -> infinity gives soft-thresholding. The first layer has no W2.
With the teacher's output as target and label noise e independent of y ~ N(0, I),

    f(w) = E 1/2 ||x_K(w, y) - x_K(w*, y) - e||^2 = E 1/2 ||x_K(w, y) - x_K(w*, y)||^2 + constant >= f(w*).

Many seeds are one problem, the sum of theirs, so that all take a step together: the parameters are those of all seeds,
part by part, in one flat vector. Backpropagation, from D = dL/dx_K downwards, is

    Dz = D * s'(z_k),   dL/dW1_k = Dz^T y,   dL/dW2_k = Dz^T x_{k-1},   dL/dtheta_k = D ds/dtheta,   D <- Dz W2_k.
"""

from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from rmda_ref import checks

__all__ = ["UnrolledISTA", "soft_threshold"]

Array = npt.NDArray[Any]
N_EVALUATION = 300


def soft_threshold(z: Array, theta: Array | float, sharpness: float) -> Array:
    """Smooth soft-thresholding: odd in z, with slope sigma(b (z - theta)) + sigma(-b (z + theta)).

    >>> soft_threshold(np.array([-3.0, 0.0, 3.0]), theta=1.0, sharpness=50.0).round(3)
    array([-2.,  0.,  2.])
    """
    return (_softplus(sharpness * (z - theta)) - _softplus(-sharpness * (z + theta))) / sharpness


def _softplus(z: Array) -> Array:
    """log(1 + exp(z)), several times as fast as np.logaddexp(0, z)."""
    return np.asarray(np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))))


@dataclass(frozen=True, eq=False)
class UnrolledISTA:
    """The sum over seeds of the mean squared distance to a teacher's code.

    Parameters
    ----------
    n_layers, n_measurements, n_codes : int
        K, the length of y, the length of x.
    target : array, shape (n_seeds * parameters of a network,)
        w*, all teachers: their W1 (n_seeds, K, n_codes, n_measurements), then their W2 (n_seeds, K - 1, n_codes,
        n_codes), then their theta (n_seeds, K, n_codes).
    sharpness : float, above 0
    label_noise : float, at least 0
        Standard deviation of the noise on each entry of the code.
    batch_size : int
        Fresh samples per noisy gradient and seed.

    Raises
    ------
    ValueError
        If ``target`` does not hold whole networks, or a number is out of range.

    Notes
    -----
    `value` and `gradient` are means over a fixed sample of 300 measurements a seed, without label noise: like f they
    are minimal at w*, where the gradient of every single sample is zero.
    """

    n_layers: int
    n_measurements: int
    n_codes: int
    target: Array
    sharpness: float
    label_noise: float
    batch_size: int

    def __post_init__(self) -> None:
        checks.positive("sharpness", self.sharpness)
        checks.nonnegative("label_noise", self.label_noise)
        if self.target.ndim != 1 or self.target.size % self.size or not self.target.size:
            raise ValueError(
                f"target has shape {self.target.shape}; give a vector of one or more networks of {self.size} parameters"
            )

    @property
    def size(self) -> int:
        """Number of parameters of one network."""
        layers, codes = self.n_layers, self.n_codes
        return codes * (layers * (self.n_measurements + 1) + (layers - 1) * codes)

    @property
    def n_seeds(self) -> int:
        return self.target.size // self.size

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Of W1, W2 and theta of all seeds and layers."""
        seeds, layers, codes = self.n_seeds, self.n_layers, self.n_codes
        return (
            (seeds, layers, codes, self.n_measurements),
            (seeds, layers - 1, codes, codes),
            (seeds, layers, codes),
        )

    def parts(self, w: Array) -> tuple[Array, Array, Array]:
        """W1, W2 and theta: views, in `shapes`."""
        first, second, theta = self.shapes
        end, last = prod(first), prod(theta)
        return w[:end].reshape(first), w[end:-last].reshape(second), w[-last:].reshape(theta)

    def codes(self, w: Array, y: Array) -> Array:
        """x_K of each seed's measurements: (n_seeds, n, n_measurements) -> (n_seeds, n, n_codes)."""
        return self._forward(w, y)[0][-1]

    def value(self, w: Array) -> float:
        """Summed over seeds, each the mean over its evaluation sample; 0 at the teachers."""
        y, x = self._evaluation
        return float(((self.codes(w, y) - x) ** 2).sum()) / (2 * N_EVALUATION)

    def gradient(self, w: Array) -> Array:
        """Of `value`."""
        return self._gradient(w, *self._evaluation)

    def noisy_gradient(self, w: Array, rng: np.random.Generator) -> Array:
        """Mean over ``batch_size`` fresh measurements and label noises, for each seed."""
        y = rng.standard_normal((self.n_seeds, self.batch_size, self.n_measurements))
        x = self.codes(self.target, y)
        return self._gradient(w, y, x + self.label_noise * rng.standard_normal(x.shape))

    @cached_property
    def _evaluation(self) -> tuple[Array, Array]:
        y = np.random.default_rng(0).standard_normal((self.n_seeds, N_EVALUATION, self.n_measurements))
        return y, self.codes(self.target, y)

    def _forward(self, w: Array, y: Array) -> tuple[list[Array], list[Array]]:
        """x_0, ..., x_K and z_1, ..., z_K."""
        first, second, theta = self.parts(w)
        codes, before = [np.zeros((*y.shape[:-1], self.n_codes))], []
        for k in range(self.n_layers):
            z = y @ first[:, k].transpose(0, 2, 1)
            if k > 0:
                z += codes[-1] @ second[:, k - 1].transpose(0, 2, 1)
            before.append(z)
            codes.append(soft_threshold(z, theta[:, None, k], self.sharpness))
        return codes, before

    def _gradient(self, w: Array, y: Array, x: Array) -> Array:
        _, second, theta = self.parts(w)
        codes, before = self._forward(w, y)
        result = np.empty_like(w)
        of_first, of_second, of_theta = self.parts(result)
        back = (codes[-1] - x) / y.shape[1]
        for k in range(self.n_layers - 1, -1, -1):
            above = expit(self.sharpness * (before[k] - theta[:, None, k]))
            below = expit(-self.sharpness * (before[k] + theta[:, None, k]))
            of_theta[:, k] = (back * (below - above)).sum(axis=1)
            dz = back * (above + below)
            across = dz.transpose(0, 2, 1)
            of_first[:, k] = across @ y
            if k > 0:
                of_second[:, k - 1] = across @ codes[k]
                back = dz @ second[:, k - 1]
        return result
