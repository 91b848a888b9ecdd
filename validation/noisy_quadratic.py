"""A noisy quadratic whose noise is drawn beforehand, so that its gradients can be computed again from outside."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class NoisyQuadratic:
    """The gradient of step t at w is curvature (w - minimiser) + noise[t - 1], entry by entry."""

    curvature: Array
    minimiser: Array
    noise: Array

    @classmethod
    def draw(cls, rng: np.random.Generator, shape: tuple[int, ...], n_steps: int) -> "NoisyQuadratic":
        """A well-conditioned one: curvatures in [0.2, 1.5], minimiser and noise standard normal."""
        normal = rng.standard_normal
        return cls(rng.uniform(0.2, 1.5, shape), normal(shape), normal((n_steps, *shape)))

    def gradient(self, t: int, w: Array) -> Array:
        return np.asarray(self.curvature * (w - self.minimiser) + self.noise[t - 1])

    def oracle(self) -> Callable[[Array], Array]:
        """The gradients of steps 1, 2, … as a function of the iterate alone."""
        clock = count(1)
        return lambda w: self.gradient(next(clock), w)
