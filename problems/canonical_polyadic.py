"""A canonical-polyadic model of tensors learns from one of lower rank: a nonconvex f whose global minimiser is known.

The model has one output and R components (Zhou, Li & Zhu, J. Amer. Statist. Assoc. 2013, tensor regression):

    f_w(X) = <T(w), X>,    T(w) = sum_r a_r o b_r o c_r,    X of shape (I, J, K), its entries independent and N(0, 1),

and with a teacher's output as target and label noise e the smooth part is, E over X being exact,

    f(w) = E 1/2 (f_w(X) - f_w*(X) - e)^2 = 1/2 ||T(w) - T(w*)||_F^2 + constant.

With G the gradient in T (the mean of error times X over a batch), df/da_r = G(., b_r, c_r), and alike for b and c.
Hence a component whose three factors are all 0 has no gradient, in no sample: f is flat there to second order.

Many seeds are one problem, the sum of theirs: the parameters are an array (n_seeds, R, I + J + K), a row a component.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rmda_ref import checks

__all__ = ["CanonicalPolyadic"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class CanonicalPolyadic:
    """The sum over seeds of half the squared distance to a teacher's tensor.

    Parameters
    ----------
    shape : (I, J, K)
    target : array, shape (n_seeds, R, I + J + K)
        w*, all teachers; unneeded components are 0, wholly or in one factor.
    label_noise : float, at least 0
        Standard deviation of e, a normal variable.
    batch_size : int
        Fresh samples per noisy gradient and seed.

    Raises
    ------
    ValueError
        If ``target`` has another shape, or a number is out of range.

    >>> one = CanonicalPolyadic((2, 2, 1), np.array([[[1.0, 2.0, 3.0, 4.0, 1.0]]]), label_noise=0.0, batch_size=1)
    >>> one.tensor(one.target)[0, :, :, 0]
    array([[3., 4.],
           [6., 8.]])
    """

    shape: tuple[int, int, int]
    target: Array
    label_noise: float
    batch_size: int

    def __post_init__(self) -> None:
        checks.nonnegative("label_noise", self.label_noise)
        if self.target.ndim != 3 or self.target.shape[-1] != sum(self.shape):
            raise ValueError(
                f"target has shape {self.target.shape}; for tensors of shape {self.shape} give (n_seeds, components, "
                f"{sum(self.shape)})"
            )

    @property
    def n_seeds(self) -> int:
        return len(self.target)

    def factors(self, w: Array) -> tuple[Array, Array, Array]:
        """a, b and c of every component: views (n_seeds, R, I), (n_seeds, R, J), (n_seeds, R, K)."""
        first, second, _ = self.shape
        return w[..., :first], w[..., first : first + second], w[..., first + second :]

    def tensor(self, w: Array) -> Array:
        """T(w), (n_seeds, I, J, K)."""
        _, _, c = self.factors(w)
        return (self._planes(w).transpose(0, 2, 1) @ c).reshape(-1, *self.shape)

    def value(self, w: Array) -> float:
        """f summed over seeds, without the constant: 0 at the teachers."""
        return float(np.sum((self.tensor(w) - self.tensor(self.target)) ** 2)) / 2

    def gradient(self, w: Array) -> Array:
        """Of `value`."""
        return self._gradient(w, self.tensor(w) - self.tensor(self.target))

    def noisy_gradient(self, w: Array, rng: np.random.Generator) -> Array:
        """Mean over ``batch_size`` fresh tensors and label noises, for each seed."""
        away = self.tensor(w) - self.tensor(self.target)
        samples = rng.standard_normal((self.n_seeds, self.batch_size, away[0].size))
        error = samples @ away.reshape(self.n_seeds, -1, 1)
        error -= self.label_noise * rng.standard_normal(error.shape)
        return self._gradient(w, (error.transpose(0, 2, 1) @ samples / self.batch_size).reshape(away.shape))

    def _planes(self, w: Array) -> Array:
        """a_r o b_r, (n_seeds, R, I * J)."""
        a, b, _ = self.factors(w)
        planes: Array = a[..., :, None] * b[..., None, :]
        return planes.reshape(*planes.shape[:2], -1)

    def _gradient(self, w: Array, g: Array) -> Array:
        """In w, where ``g`` is the gradient in T."""
        first, second, third = self.shape
        flat = g.reshape(self.n_seeds, first * second, third)
        a, b, c = self.factors(w)
        contracted = (flat @ c.transpose(0, 2, 1)).reshape(self.n_seeds, first, second, -1)  # G(., ., c_r)
        return np.concatenate(
            [
                np.einsum("sijr,srj->sri", contracted, b),
                np.einsum("sijr,sri->srj", contracted, a),
                self._planes(w) @ flat,
            ],
            axis=-1,
        )
