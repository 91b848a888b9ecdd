"""A multilayer perceptron in plain NumPy, a smooth (almost everywhere) function of one flat vector.

With the batch X as rows, ``A_0 = X`` and layers l = 1, ..., L,

    Z_l = A_{l-1} W_l^T + b_l,    A_l = sigma(Z_l) for l < L,    outputs = Z_L,

and the loss is a mean over the n samples. Backpropagation (Rumelhart, Hinton & Williams, Nature 323, 1986) is

    D_L = (prediction - target) / n,      D_{l-1} = (D_l W_l) * sigma'(Z_{l-1}),
    df/dW_l = D_l^T A_{l-1},              df/db_l = D_l^T 1.

``prediction`` is softmax(outputs) for the cross-entropy and the outputs themselves for the squared loss: each
loss meets its canonical link, so one formula for D_L serves both. ReLU is not differentiable at 0; there
sigma'(0) = 0, an element of the subdifferential [0, 1] and the choice of PyTorch, JAX and TensorFlow.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from math import prod, sqrt
from typing import Any, Literal, TypeVar, get_args

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

__all__ = ["MLP"]

Array = NDArray[np.floating[Any]]
Activation = Literal["relu", "tanh"]
Loss = Literal["cross_entropy", "squared"]
Scalar = TypeVar("Scalar", bound=np.generic)

# sigma as a function of z, and sigma' as a function of a = sigma(z): backpropagation need not keep z.
_ACTIVATIONS: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Any]]] = {
    "relu": (lambda z: np.maximum(z, 0), lambda a: a > 0),
    "tanh": (np.tanh, lambda a: 1 - a * a),
}


@dataclass(frozen=True)
class MLP:
    """The smooth part ``f(w) = mean_i loss(outputs(w, x_i), y_i)`` of a fully connected network.

    Parameters
    ----------
    sizes : tuple of int
        Width of the input, of each hidden layer and of the output, e.g. ``(784, 300, 100, 10)``.
    activation : {"relu", "tanh"}
        Of the hidden layers; the output layer is linear.
    loss : {"cross_entropy", "squared"}
        ``-log softmax(outputs)[y]``, or ``1/2 ||outputs - target||^2``; mean over the samples of the batch.
    bias : bool
        Whether layers have a bias.

    Notes
    -----
    Everywhere below ``w`` is a floating vector of shape (size,) and ``X`` a floating matrix of shape
    (n, sizes[0]), n >= 1. ``y`` holds integer labels in 0, ..., sizes[-1] - 1, shape (n,); the squared loss
    takes them one-hot, or real targets of shape (n, sizes[-1]). Arithmetic is in w's dtype. A wrong shape or
    label raises ValueError, a wrong dtype TypeError.

    Examples
    --------
    >>> net = MLP((2, 3, 2), "relu", "cross_entropy")
    >>> net.blocks
    (('layer1.weight', (3, 2)), ('layer1.bias', (3,)), ('layer2.weight', (2, 3)), ('layer2.bias', (2,)))
    >>> w, X, y = np.zeros(net.size), np.ones((4, 2)), np.array([0, 1, 1, 1])
    >>> round(net.value(w, X, y), 4)
    0.6931
    >>> net.unflatten(net.gradient(w, X, y))["layer2.bias"]
    array([ 0.25, -0.25])
    """

    sizes: tuple[int, ...]
    activation: Activation = "relu"
    loss: Loss = "cross_entropy"
    bias: bool = True

    def __post_init__(self) -> None:
        widths = self.sizes if isinstance(self.sizes, tuple) else ()
        if len(widths) < 2 or not all(isinstance(width, int) and width >= 1 for width in widths):
            raise ValueError(
                f"sizes is {self.sizes!r}: expected a tuple of at least two positive ints, as (784, 300, 10)"
            )
        for name, value, known in (("activation", self.activation, Activation), ("loss", self.loss, Loss)):
            if value not in get_args(known):
                raise ValueError(f"{name} is {value!r}: expected one of {', '.join(get_args(known))}")
        if self.loss == "cross_entropy" and widths[-1] == 1:
            raise ValueError("sizes[-1] is 1: softmax of one output is always 1; use 2 outputs for 2 classes")

    @property
    def blocks(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Name and shape of each block of w, in order; a weight is (width out, width in)."""
        return tuple(
            block
            for layer, (fan_in, fan_out) in enumerate(pairwise(self.sizes), start=1)
            for block in ((f"layer{layer}.weight", (fan_out, fan_in)), (f"layer{layer}.bias", (fan_out,)))
            if self.bias or len(block[1]) == 2
        )

    @property
    def size(self) -> int:
        """Number of parameters."""
        return sum(prod(shape) for _, shape in self.blocks)

    def unflatten(self, w: NDArray[Scalar]) -> dict[str, NDArray[Scalar]]:
        """The blocks of w by name, as views: writing to one writes to w. Any dtype, masks included."""
        if w.shape != (self.size,):
            raise ValueError(f"w has shape {w.shape}: expected ({self.size},), the parameters of {self}")
        views, start = {}, 0
        for name, shape in self.blocks:
            stop = start + prod(shape)
            views[name], start = w[start:stop].reshape(shape), stop
        return views

    def initial(self, rng: np.random.Generator, dtype: DTypeLike = np.float64) -> Array:
        """A random starting point: independent normal weights, zero biases; shape (size,).

        The variance is 2 / fan_in for ReLU (He et al., ICCV 2015, eq. 10) and 2 / (fan_in + fan_out) for tanh
        (Glorot & Bengio, AISTATS 2010, eq. 12). The stream is the same for all dtypes: the float32 point is
        the float64 point, rounded.
        """
        if not np.issubdtype(dtype, np.floating):
            raise TypeError(f"dtype is {np.dtype(dtype)}: expected a floating dtype, as np.float32")
        w = np.zeros(self.size, dtype)
        for block in self.unflatten(w).values():
            if block.ndim == 2:
                fan_out, fan_in = block.shape
                fans = fan_in if self.activation == "relu" else fan_in + fan_out
                block[...] = sqrt(2 / fans) * rng.standard_normal(block.shape)
        return w

    def outputs(self, w: Array, X: Array) -> Array:
        """Z_L, the scores before any softmax: shape (n, sizes[-1]), w's dtype."""
        return self._activations(w, X)[-1]

    def value(self, w: Array, X: Array, y: ArrayLike) -> float:
        """f(w), mean per sample; the terms are w's dtype, their sum float64."""
        Z = self.outputs(w, X)
        if self.loss == "cross_entropy":
            n = len(Z)
            return -float(_log_softmax(Z)[np.arange(n), self._labels(y, n)].mean(dtype=np.float64))
        return float(((Z - self._targets(y, Z)) ** 2).sum(dtype=np.float64)) / (2 * len(Z))

    def gradient(self, w: Array, X: Array, y: ArrayLike) -> Array:
        """The gradient of :meth:`value` at w, mean per sample: a new array of w's shape and dtype."""
        *inputs, Z = self._activations(w, X)
        prediction = np.exp(_log_softmax(Z)) if self.loss == "cross_entropy" else Z
        D = (prediction - self._targets(y, Z)) / len(Z)

        gradient = np.empty_like(w)
        of_block, weights = self.unflatten(gradient), self.unflatten(w)
        slope = _ACTIVATIONS[self.activation][1]
        for layer in range(len(inputs), 0, -1):
            A_in = inputs[layer - 1]
            np.matmul(D.T, A_in, out=of_block[f"layer{layer}.weight"])
            if self.bias:
                np.sum(D, axis=0, out=of_block[f"layer{layer}.bias"])
            if layer > 1:
                D = (D @ weights[f"layer{layer}.weight"]) * slope(A_in)
        return gradient

    def accuracy(self, w: Array, X: Array, y: ArrayLike) -> float:
        """Fraction of samples whose largest output is at the label; a tie goes to the lowest class."""
        Z = self.outputs(w, X)
        return float(np.mean(Z.argmax(axis=1) == self._labels(y, len(Z))))

    def _activations(self, w: Array, X: Array) -> list[Array]:
        """[A_0, ..., A_{L-1}, Z_L]."""
        _require_floating(w, "w")
        _require_floating(X, "X")
        if X.ndim != 2 or len(X) < 1 or X.shape[1] != self.sizes[0]:
            raise ValueError(
                f"X has shape {X.shape}: expected (n, {self.sizes[0]}) with n >= 1, one sample a row; "
                "images go in as X.reshape(len(X), -1)"
            )
        blocks, sigma = self.unflatten(w), _ACTIVATIONS[self.activation][0]
        A, depth = [X.astype(w.dtype, copy=False)], len(self.sizes) - 1
        for layer in range(1, depth + 1):
            Z = A[-1] @ blocks[f"layer{layer}.weight"].T
            if self.bias:
                Z += blocks[f"layer{layer}.bias"]
            A.append(sigma(Z) if layer < depth else Z)
        return A

    def _labels(self, y: ArrayLike, n: int, otherwise: str = "") -> NDArray[np.integer[Any]]:
        y, classes = np.asarray(y), self.sizes[-1]
        if y.shape != (n,):
            raise ValueError(f"y has shape {y.shape}: expected integer labels of shape ({n},){otherwise}")
        if not np.issubdtype(y.dtype, np.integer):
            raise TypeError(f"y has dtype {y.dtype}: expected integers, as y.astype(np.int64){otherwise}")
        if y.min() < 0 or y.max() >= classes:
            raise ValueError(
                f"y has labels from {y.min()} to {y.max()}: expected 0, ..., {classes - 1}, for sizes[-1] is "
                f"{classes}; renumber them, or widen the output"
            )
        return y

    def _targets(self, y: ArrayLike, Z: Array) -> Array:
        y = np.asarray(y)
        if self.loss == "squared" and y.shape == Z.shape:
            return y.astype(Z.dtype, copy=False)
        otherwise = f", or real targets of shape {Z.shape}" if self.loss == "squared" else ""
        one_hot: Array = np.eye(Z.shape[1], dtype=Z.dtype)[self._labels(y, len(Z), otherwise)]
        return one_hot


def _log_softmax(Z: Array) -> Array:
    # Shifted by the row's maximum: every exponent is <= 0 and one of them is 0, so nothing overflows to inf
    # and no logarithm is of 0.
    shifted: Array = Z - Z.max(axis=1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return shifted


def _require_floating(array: Array, name: str) -> None:
    if not isinstance(array, np.ndarray) or not np.issubdtype(array.dtype, np.floating):
        found = getattr(array, "dtype", type(array).__name__)
        raise TypeError(f"{name} is {found}: expected a NumPy array of floats, as {name}.astype(np.float32)")
