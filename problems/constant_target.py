"""A deep ReLU network is trained towards a constant: no bad stationary point, and the minimiser has no weight.

With W_l, b_l the weights and biases of layers l = 1, ..., L, x uniform on [-1, 1]^d and label noise e independent of x
(mean 0),

    F(w) = f(w) + psi(w),    f(w) = E 1/2 (net(w, x) - xi - e)^2,    psi(w) = lam sum_l (group norms of W_l).

*Its minimum is known.* f >= E e^2/2 and psi >= 0, and both bounds are met exactly where every weight is 0 and b_L = xi
(psi = 0 leaves net = b_L). So F* = E e^2/2; the hidden biases are free.

*It has no other stationary point.* Let r = net - xi, h the last hidden layer, so that net = W_L h + b_L, and psi_L the
part of psi in W_L. Stationary in b_L means E r = 0. Stationary in W_L, along W_L itself, means E r (W_L h) =
-psi_L(W_L), as psi_L is homogeneous. Hence

    E r^2 = E r (W_L h) + (b_L - xi) E r = -psi_L(W_L) <= 0:    W_L = 0 and E r^2 = 0, so that b_L = xi.

With W_L = 0 nothing is passed back: f has no gradient in the other layers, whatever is taken for the slope of ReLU at
its kink, and psi alone makes their weights 0. Units that are dead for every x are no exception. At each such point
grad f is 0 in all weights: the margin is the full strength of psi. This says what the limits can be; it does not say
that an algorithm converges.

*Where the noise of a gradient goes.* At such a point dL/dW_L = -e h, with h = relu(b_{L-1}) the same for every x, and
the gradient of every other weight is 0. Without label noise all gradients vanish there; with it, those of W_L do not
unless each unit of the last hidden layer is dead.

Convergence of SGD for constant targets, without psi: Jentzen & Riekert (Z. Angew. Math. Phys. 73, 2022, one hidden
layer); Hutzenthaler, Jentzen, Pohl, Riekert & Scarpa (arXiv 2112.07369, deep networks).

Many seeds are one problem, the sum of theirs: the parameters are those of all seeds in one flat vector, first the
weights of every layer and then the biases of every layer.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from rmda_ref import checks

__all__ = ["ConstantTarget"]

Array = npt.NDArray[Any]
N_EVALUATION = 500


@dataclass(frozen=True)
class ConstantTarget:
    """The sum over seeds of f, for ReLU networks with one output.

    Parameters
    ----------
    n_seeds : int
    sizes : tuple of int
        Width of the input and of each hidden layer.
    constant : float
        xi.
    label_noise : float, at least 0
        Standard deviation of e, a normal variable.
    batch_size : int
        Fresh samples per noisy gradient and seed.

    Raises
    ------
    ValueError
        If a number is out of range.

    >>> ConstantTarget(n_seeds=3, sizes=(4, 8), constant=1.0, label_noise=0.5, batch_size=8).shapes
    ((3, 8, 4), (3, 1, 8), (3, 8), (3, 1))
    """

    n_seeds: int
    sizes: tuple[int, ...]
    constant: float
    label_noise: float
    batch_size: int

    def __post_init__(self) -> None:
        checks.nonnegative("label_noise", self.label_noise)
        if len(self.sizes) < 2 or min(self.sizes) < 1:
            raise ValueError(f"sizes is {self.sizes}: give the widths of the input and of one or more hidden layers")

    @cached_property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Of the weights of each layer in turn, and then of the biases of each layer in turn."""
        layers = list(pairwise((*self.sizes, 1)))
        return (*((self.n_seeds, o, i) for i, o in layers), *((self.n_seeds, o) for _, o in layers))

    @property
    def optimal_value(self) -> float:
        """F*, summed over seeds."""
        return self.n_seeds * self.label_noise**2 / 2

    def parts(self, w: Array) -> tuple[list[Array], list[Array]]:
        """The weights W_1, ..., W_L and the biases b_1, ..., b_L: views, in `shapes`."""
        views = [w[start:end].reshape(shape) for (start, end), shape in zip(self._places, self.shapes, strict=True)]
        return views[: len(self.sizes)], views[len(self.sizes) :]

    def random_start(self, rng: np.random.Generator) -> Array:
        """Weights of He's variance 2 / fan_in, biases uniform on +-1/sqrt(fan_in), as PyTorch's.

        He et al. (ICCV 2015, eq. 10); the hidden biases are what label noise acts through in the end.
        """
        w = np.empty(self._places[-1][1])
        for weight, bias in zip(*self.parts(w), strict=True):
            fan_in = weight.shape[-1]
            weight[...] = np.sqrt(2 / fan_in) * rng.standard_normal(weight.shape)
            bias[...] = rng.uniform(-1, 1, bias.shape) / np.sqrt(fan_in)
        return w

    def value(self, w: Array) -> float:
        """f summed over seeds, each the mean over a fixed sample of 500 inputs, in which e enters by its variance."""
        error = self._forward(w, self._evaluation)[-1] - self.constant
        return float((error**2).sum()) / (2 * N_EVALUATION) + self.optimal_value

    def gradient(self, w: Array) -> Array:
        """Of `value`."""
        return self._gradient(w, self._evaluation, self.constant)

    def noisy_gradient(self, w: Array, rng: np.random.Generator) -> Array:
        """Mean over ``batch_size`` fresh inputs and label noises, for each seed."""
        x = rng.uniform(-1, 1, (self.n_seeds, self.batch_size, self.sizes[0]))
        noise = self.label_noise * rng.standard_normal((self.n_seeds, self.batch_size, 1))
        return self._gradient(w, x, self.constant + noise)

    @cached_property
    def _places(self) -> list[tuple[int, int]]:
        """Where each part begins and ends."""
        return list(pairwise(accumulate(map(prod, self.shapes), initial=0)))

    @cached_property
    def _evaluation(self) -> Array:
        return np.random.default_rng(0).uniform(-1, 1, (self.n_seeds, N_EVALUATION, self.sizes[0]))

    def _forward(self, w: Array, x: Array) -> list[Array]:
        """The input, the hidden layers, the output."""
        layers = [x]
        for weight, bias in zip(*self.parts(w), strict=True):
            z = layers[-1] @ weight.transpose(0, 2, 1) + bias[:, None]
            layers.append(np.maximum(z, 0) if len(layers) < len(self.sizes) else z)
        return layers

    def _gradient(self, w: Array, x: Array, y: Array | float) -> Array:
        result = np.empty_like(w)
        (weights, _), (of_weights, of_biases) = self.parts(w), self.parts(result)
        *inputs, output = self._forward(w, x)
        back = (output - y) / x.shape[1]
        for layer in range(len(weights) - 1, -1, -1):
            of_weights[layer][...] = back.transpose(0, 2, 1) @ inputs[layer]
            of_biases[layer][...] = back.sum(axis=1)
            if layer > 0:
                back = (back @ weights[layer]) * (inputs[layer] > 0)
        return result
