"""A multilayer perceptron in plain array code, a smooth (almost everywhere) function of one flat vector.

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
from functools import cached_property
from itertools import pairwise
from math import prod, sqrt
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import DTypeLike

from rmda_ref.losses.design import as_dtype, is_of, matching
from rmda_ref.losses.special import at_labels, log_softmax, one_hot
from rmda_ref.namespace import Array, moved, namespace

__all__ = ["MLP"]

Activation = Literal["relu", "tanh"]
Loss = Literal["cross_entropy", "squared"]

# sigma as a function of z, and sigma' as a function of a = sigma(z): backpropagation need not keep z.
_ACTIVATIONS: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Any]]] = {
    "relu": (lambda z: namespace(z).maximum(z, 0), lambda a: _as_factor(a > 0, a)),
    "tanh": (lambda z: namespace(z).tanh(z), lambda a: 1 - a * a),
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

    The arrays may be of any array-API namespace (CuPy, PyTorch, JAX), all of one and on one device, or TypeError is
    raised; results stay there. Only ``y`` may also be a NumPy array (or a list), which is moved to the device. The
    range of labels that are there already is checked where a number is returned, not by ``gradient``, for which the
    host would have to wait: a row with a label out of range counts there as one without a label.

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

    @cached_property
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

    def unflatten(self, w: Array) -> dict[str, Array]:
        """The blocks of w by name, for NumPy as views: writing to one writes to w. Any dtype, masks included."""
        if w.shape != (self.size,):
            raise ValueError(f"w has shape {tuple(w.shape)}: expected ({self.size},), the parameters of {self}")
        reshape = np.ndarray.reshape if isinstance(w, np.ndarray) else namespace(w).reshape  # numpy.reshape is slower
        views, start = {}, 0
        for name, shape in self.blocks:
            stop = start + prod(shape)
            views[name], start = reshape(w[start:stop], shape), stop
        return views

    def initial(self, rng: np.random.Generator, dtype: DTypeLike = np.float64) -> Array:
        """A random starting point: independent normal weights, zero biases; NumPy, shape (size,).

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

    def value(self, w: Array, X: Array, y: Array) -> float:
        """f(w), mean per sample; the terms are w's dtype, their sum float64."""
        Z, xp = self.outputs(w, X), namespace(w)
        n = int(Z.shape[0])
        if self.loss == "cross_entropy":
            return -float(xp.sum(at_labels(log_softmax(Z), self._labels(y, Z)), dtype=xp.float64)) / n
        return float(xp.sum((Z - self._targets(y, Z)) ** 2, dtype=xp.float64)) / (2 * n)

    def gradient(self, w: Array, X: Array, y: Array) -> Array:
        """The gradient of :meth:`value` at w, mean per sample: a new array of w's shape and dtype."""
        *inputs, Z = self._activations(w, X)
        xp = namespace(w)
        prediction = xp.exp(log_softmax(Z)) if self.loss == "cross_entropy" else Z
        D = (prediction - self._targets(y, Z, in_range=False)) / Z.shape[0]

        # NumPy writes each block where it belongs; other namespaces have no views, and join the blocks in the end.
        gradient = np.empty_like(w) if xp is np else None
        parts, weights = {} if gradient is None else self.unflatten(gradient), self.unflatten(w)
        slope = _ACTIVATIONS[self.activation][1]
        for layer in range(len(inputs), 0, -1):
            A_in, weight, bias = inputs[layer - 1], f"layer{layer}.weight", f"layer{layer}.bias"
            parts[weight] = xp.matmul(D.T, A_in, **_into(parts, weight))
            if self.bias:
                parts[bias] = xp.sum(D, axis=0, dtype=D.dtype, **_into(parts, bias))
            if layer > 1:
                D = (D @ weights[weight]) * slope(A_in)
        return gradient if xp is np else xp.concat([xp.reshape(parts[name], (-1,)) for name, _ in self.blocks])

    def accuracy(self, w: Array, X: Array, y: Array) -> float:
        """Fraction of samples whose largest output is at the label; a tie goes to the lowest class."""
        Z, xp = self.outputs(w, X), namespace(w)
        hits = xp.argmax(Z, axis=1) == self._labels(y, Z)
        return float(xp.mean(xp.asarray(hits, dtype=xp.float64)))

    def _activations(self, w: Array, X: Array) -> list[Array]:
        """[A_0, ..., A_{L-1}, Z_L]."""
        _require_floating(w, "w")
        _require_floating(X, "X")
        X = matching("X", X, w, "w")
        shape = tuple(X.shape)
        if len(shape) != 2 or shape[0] < 1 or shape[1] != self.sizes[0]:
            raise ValueError(
                f"X has shape {shape}: expected (n, {self.sizes[0]}) with n >= 1, one sample a row; "
                "images go in as X.reshape(len(X), -1)"
            )
        blocks, sigma = self.unflatten(w), _ACTIVATIONS[self.activation][0]
        A, depth = [namespace(w).asarray(X, dtype=w.dtype)], len(self.sizes) - 1
        for layer in range(1, depth + 1):
            Z = A[-1] @ blocks[f"layer{layer}.weight"].T
            if self.bias:
                Z += blocks[f"layer{layer}.bias"]
            A.append(sigma(Z) if layer < depth else Z)
        return A

    def _labels(self, y: Array, Z: Array, otherwise: str = "", in_range: bool = True) -> Array:
        """Labels for the outputs Z, in its namespace; those of a device are compared with the range if asked to."""
        host = isinstance(y, np.ndarray | list | tuple)
        y, n, classes = np.asarray(y) if host else matching("y", y, Z, "w"), Z.shape[0], self.sizes[-1]
        xp, shape = namespace(y), tuple(y.shape)
        if shape != (n,):
            raise ValueError(f"y has shape {shape}: expected integer labels of shape ({n},){otherwise}")
        if not is_of(y, "iu"):
            raise TypeError(f"y has dtype {y.dtype}: expected integers, as {as_dtype('y', y, 'int64')}{otherwise}")
        if (in_range or xp is np) and (xp.min(y) < 0 or xp.max(y) >= classes):
            raise ValueError(
                f"y has labels from {int(xp.min(y))} to {int(xp.max(y))}: expected 0, ..., {classes - 1}, for "
                f"sizes[-1] is {classes}; renumber them, or widen the output"
            )
        return y if namespace(Z) is xp else moved(y, Z)

    def _targets(self, y: Array, Z: Array, in_range: bool = True) -> Array:
        xp = namespace(Z)
        if not hasattr(y, "shape"):
            y = np.asarray(y)
        if self.loss == "squared" and y.shape == Z.shape:
            y = moved(y, Z) if isinstance(y, np.ndarray) else matching("y", y, Z, "w")
            return xp.asarray(y, dtype=Z.dtype)
        otherwise = f", or real targets of shape {tuple(Z.shape)}" if self.loss == "squared" else ""
        labels = self._labels(y, Z, otherwise, in_range)
        if xp is np:
            return np.eye(Z.shape[1], dtype=Z.dtype)[labels]
        return xp.asarray(one_hot(labels, Z.shape[1]), dtype=Z.dtype)


def _into(views: dict[str, Array], name: str) -> dict[str, Array]:
    """Where there is a view of that name, the keyword that has a NumPy function write into it."""
    return {"out": views[name]} if name in views else {}


def _as_factor(mask: Array, like: Array) -> Array:
    """A mask to multiply ``like`` with, which NumPy takes as it is."""
    return mask if isinstance(mask, np.ndarray) else namespace(like).asarray(mask, dtype=like.dtype)


def _require_floating(array: Array, name: str) -> None:
    dtype = getattr(array, "dtype", None)
    if dtype is None or not is_of(array, "f"):
        found = type(array).__name__ if dtype is None else dtype
        raise TypeError(
            f"{name} is {found}: expected an array of floats, as {name}.astype(np.float32) or its like elsewhere"
        )
