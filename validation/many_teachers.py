"""Many teacher-student networks of one shape as one problem, so that all seeds take a step together.

The sum over seeds of f_k(w_k) of `problems.TeacherStudent` (one hidden layer of tanh): the parameters are those of all
seeds, layer by layer, in one flat vector, and a regularizer of columns sees one block of first layers.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from problems.augmentation import InputDropout

Array = npt.NDArray[Any]
Parts = tuple[Array, Array, Array, Array]  # first weight and bias, second weight and bias; seeds come first
N_EVALUATION = 500


@dataclass(frozen=True, eq=False)
class ManyTeachers:
    """
    Parameters
    ----------
    sizes : widths of input, hidden layer and output.
    target : all teachers, in one vector.
    keep : probability with which dropout keeps an input.
    label_noise : standard deviation of the noise on each output.
    batch_size : fresh samples per noisy gradient and seed.
    """

    sizes: tuple[int, int, int]
    target: Array
    keep: float
    label_noise: float
    batch_size: int

    @property
    def n_seeds(self) -> int:
        inputs, hidden, outputs = self.sizes
        return self.target.size // (hidden * (inputs + 1) + outputs * (hidden + 1))

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Of the parts of the parameters."""
        inputs, hidden, outputs = self.sizes
        n = self.n_seeds
        return (n, hidden, inputs), (n, hidden), (n, outputs, hidden), (n, outputs)

    def parts(self, w: Array) -> Parts:
        """Views of the parts."""
        ends = np.cumsum([int(np.prod(shape)) for shape in self.shapes])
        first, bias, second, shift = (
            part.reshape(shape) for part, shape in zip(np.split(w, ends[:-1]), self.shapes, strict=True)
        )
        return first, bias, second, shift

    def value(self, w: Array) -> float:
        """Summed over seeds, each the mean over a fixed sample of inputs without label noise; 0 at the teachers."""
        x, y = self._evaluation
        return float(((self._outputs(w, x)[1] - y) ** 2).sum()) / (2 * N_EVALUATION)

    def gradient(self, w: Array) -> Array:
        """Of `value`."""
        return self._gradient(w, *self._evaluation)

    def noisy_gradient(self, w: Array, rng: np.random.Generator) -> Array:
        """Mean over ``batch_size`` fresh inputs, dropout masks and label noises, for each seed."""
        x = self._inputs(self.batch_size, rng)
        y = self._outputs(self.target, x)[1]
        return self._gradient(w, x, y + self.label_noise * rng.standard_normal(y.shape))

    @cached_property
    def _evaluation(self) -> tuple[Array, Array]:
        x = self._inputs(N_EVALUATION, np.random.default_rng(0))
        return x, self._outputs(self.target, x)[1]

    def _inputs(self, n: int, rng: np.random.Generator) -> Array:
        return InputDropout(self.keep)(rng.standard_normal((self.n_seeds, n, self.sizes[0])), rng)

    def _outputs(self, w: Array, x: Array) -> tuple[Array, Array]:
        """The hidden layer and the outputs of (seeds, n, inputs)."""
        first, bias, second, shift = self.parts(w)
        hidden = np.tanh(x @ first.transpose(0, 2, 1) + bias[:, None])
        return hidden, hidden @ second.transpose(0, 2, 1) + shift[:, None]

    def _gradient(self, w: Array, x: Array, y: Array) -> Array:
        hidden, outputs = self._outputs(w, x)
        error = (outputs - y) / x.shape[1]
        back = (error @ self.parts(w)[2]) * (1 - hidden**2)
        parts = (
            back.transpose(0, 2, 1) @ x,
            back.sum(axis=1),
            error.transpose(0, 2, 1) @ hidden,
            error.sum(axis=1),
        )
        return np.concatenate([part.reshape(-1) for part in parts])
