"""Changes of coordinates that RMDA must not notice: the iterates of the changed problem are the changed iterates.

W~^t minimises <V^t, W> + alpha_t psi(W) + beta_t/2 ||W - W^0||^2. Hence an isometry of W that psi does not see may
come before the step or after it. Measure W in units of 1/a and f + psi in units of 1/b: then gradients and lam grow by
b/a and step sizes by a^2/b, so that V and alpha lam grow by a, as W does; a power of two rounds nothing. A linear term
<u, W> of psi adds alpha_t u to V^t, and so does adding u to every gradient.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rmda_ref import L1, GroupLasso, Zero
from rmda_ref.namespace import namespace
from validation.noisy_quadratic import Array

Map = Callable[[Array], Array]


def same(w: Array) -> Array:
    return w


@dataclass(frozen=True, eq=False)
class Symmetry:
    """
    Parameters
    ----------
    name : what is changed.
    regularizer, changed_regularizer : psi before and after.
    image, preimage : the change of points, and its inverse, on the last axes of an array.
    gradient_image : the change of gradients.
    unit : factor of the step sizes.
    exact : whether it must hold bit for bit.
    """

    name: str
    regularizer: Any
    changed_regularizer: Any
    image: Map = same
    preimage: Map = same
    gradient_image: Map = same
    unit: float = 1.0
    exact: bool = False


@dataclass(frozen=True, eq=False)
class Tilted:
    """psi + <tilt, .>, whose prox is psi's at a shifted point."""

    regularizer: Any
    tilt: Array

    def check(self, shape: tuple[int, ...]) -> None:
        self.regularizer.check(shape)

    def prox(self, w: Any, step: float) -> Any:
        """Of an array of any namespace."""
        return self.regularizer.prox(w - step * namespace(w).asarray(self.tilt, dtype=w.dtype), step)


def symmetries(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Symmetry, ...]:
    """One of each kind, for parameters of this shape."""
    lam, rows = 0.5, GroupLasso(lam=0.5, axis=-1)
    order = rng.permutation(shape[1])
    back = np.argsort(order)
    signs = rng.choice([-1.0, 1.0], shape)
    shift, tilt = rng.standard_normal((2, *shape))
    rotation = np.linalg.qr(rng.standard_normal((shape[1], shape[1])))[0]
    a, b = 2.0**7, 2.0**-3

    def units(before: Any, after: Any) -> Symmetry:
        name = f"units, {type(before).__name__}"
        point, gradient = (lambda w: a * w), (lambda g: b / a * g)
        return Symmetry(name, before, after, point, lambda w: w / a, gradient, a * a / b, exact=True)

    return (
        Symmetry(
            "permutation", L1(lam), L1(lam), lambda w: w[..., order], lambda w: w[..., back], lambda g: g[..., order]
        ),
        Symmetry("signs", L1(lam), L1(lam), lambda w: signs * w, lambda w: signs * w, lambda g: signs * g),
        Symmetry("translation", Zero(), Zero(), lambda w: w + shift, lambda w: w - shift),
        Symmetry("rotation", rows, rows, lambda w: w @ rotation, lambda w: w @ rotation.T, lambda g: g @ rotation),
        Symmetry("linear tilt", L1(lam), Tilted(L1(lam), tilt), gradient_image=lambda g: g - tilt),
        units(L1(lam), L1(b / a * lam)),
        units(rows, GroupLasso(lam=b / a * 0.5, axis=-1)),
    )
