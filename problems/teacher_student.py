"""A network that learns from a network of the same shape: a nonconvex f whose global minimiser is known.

    f(w) = E 1/2 ||net(w, x) - net(w*, x) - e||^2,       x = dropout(z),  z ~ N(0, I),  e ~ N(0, label_noise^2 I).

The teacher sees the same input as the student, after dropout, and e is independent of x, so that
f(w) = E 1/2 ||net(w, x) - net(w*, x)||^2 + constant >= f(w*): infinitely many samples, one known global minimum.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from problems.augmentation import InputDropout
from problems.mlp import MLP
from rmda_ref.namespace import Array, moved

N_EVALUATION = 2000


@dataclass(frozen=True, eq=False)
class TeacherStudent:
    """The mean squared distance to a teacher, under input dropout and label noise.

    Parameters
    ----------
    network : MLP with the squared loss
    target : array, shape (network.size,), of any array-API namespace
        w*, the teacher's parameters. Its namespace and device are those of the problem, as in `Quadratic`.
    keep : float in (0, 1]
        Probability with which dropout keeps an input.
    label_noise : float, at least 0
        Standard deviation of the noise on each output.
    batch_size : int
        Fresh samples per noisy gradient.

    Notes
    -----
    `value` and `gradient` are means over a fixed sample of 2000 inputs without label noise: like f they are
    minimal at w*, where the gradient of every single sample is zero.
    """

    network: MLP
    target: Array
    keep: float = 0.8
    label_noise: float = 0.0
    batch_size: int = 8

    def __post_init__(self) -> None:
        if self.network.loss != "squared":
            raise ValueError(f"network has the loss {self.network.loss!r}; a teacher needs the squared loss")
        if self.target.shape != (self.network.size,):
            raise ValueError(f"target has shape {self.target.shape}; the network has {self.network.size} parameters")
        if not self.label_noise >= 0:
            raise ValueError(f"label_noise must be at least 0, got {self.label_noise!r}")

    def _inputs(self, n: int, rng: np.random.Generator) -> Array:
        return moved(InputDropout(self.keep)(rng.standard_normal((n, self.network.sizes[0])), rng), self.target)

    @cached_property
    def _evaluation(self) -> tuple[Array, Array]:
        x = self._inputs(N_EVALUATION, np.random.default_rng(0))
        return x, self.network.outputs(self.target, x)

    def value(self, w: Array) -> float:
        """Mean over the evaluation sample; 0 at the teacher."""
        return self.network.value(w, *self._evaluation)

    def gradient(self, w: Array) -> Array:
        """Mean gradient over the evaluation sample."""
        return self.network.gradient(w, *self._evaluation)

    def noisy_gradient(self, w: Array, rng: np.random.Generator) -> Array:
        """Mean gradient over ``batch_size`` fresh inputs, dropout masks and label noises."""
        x = self._inputs(self.batch_size, rng)
        y = self.network.outputs(self.target, x)
        return self.network.gradient(w, x, y + moved(self.label_noise * rng.standard_normal(tuple(y.shape)), y))
