"""The library's own algorithms and proximal operators on balls.

The prox is not written again: the library's kernel is evaluated at the ends of the intervals that the balls stand for.
A soft threshold grows with its argument and, in size, shrinks with the strength; so does the factor of a group with its
norm. The ends therefore enclose every value between them, and where both ends are 0 every correct implementation has 0.
"""

import dataclasses
from typing import Any

import numpy as np

from rmda_ref.backends.on_arrays import on_arrays
from rmda_ref.crosscheck.ball import Ball, Rounding
from rmda_ref.layout import Entries
from rmda_ref.regularizers import Regularizer


def on_balls(algorithm: Any, rounding: Rounding) -> Any:
    """The algorithm, to be run on balls: its scalars and its prox carry bounds too."""
    kind = type(algorithm)

    def tick(self: Any, t: int, weight: Any) -> Any:
        now = kind.tick(self, t, weight if isinstance(weight, Ball) else rounding.number(weight))
        # 1 - c may be formed in the dtype, where c is rounded: off by a rounding of 1, not of 1 - c.
        decay = 1.0 - rounding.number(1.0 - now.decay)
        return now._replace(momentum=rounding.number(now.momentum), decay=decay)

    bounded = type(kind.__name__, (kind,), {"tick": tick})
    fields = {field.name: getattr(algorithm, field.name) for field in dataclasses.fields(algorithm)}
    return bounded(**{**fields, "regularizer": BallProx(algorithm.regularizer, rounding)})


@dataclasses.dataclass(frozen=True)
class BallProx:
    """The prox of a sum of magnitudes, of entries or of groups, on balls."""

    regularizer: Regularizer
    rounding: Rounding

    def prox(self, w: Ball, step: Any) -> Ball:
        """argmin_x step psi(x) + 1/2 ||x - w||^2, for every w and step within the balls."""
        step = step if isinstance(step, Ball) else self.rounding.number(step)
        strengths = step * self._strengths(w.shape)
        if isinstance(self.regularizer.layout, Entries):
            return self._entrywise(w, strengths)
        return self._radial(w, strengths)

    def _strengths(self, shape: tuple[int, ...]) -> Ball:
        value = np.asarray(self.regularizer.strengths(shape))
        size = np.abs(value).astype(float)
        return Ball(value.astype(np.longdouble), np.where(size > 0, self.rounding.relative * size, 0.0), self.rounding)

    def _entrywise(self, w: Ball, strengths: Ball) -> Ball:
        if not np.any(strengths.high()):
            return w
        kernel = on_arrays(type(self.regularizer).kernel, np)
        strong, weak = strengths.high(), np.maximum(strengths.low(), 0)
        ends = [kernel(end, strength, 1.0) for end in (w.low(), w.high()) for strength in (strong, weak)]
        return Ball.between(np.minimum.reduce(ends), np.maximum.reduce(ends), self.rounding).rounded()

    def _radial(self, w: Ball, strengths: Ball) -> Ball:
        layout: Any = self.regularizer.layout
        norms = layout.norms(w.value)
        # Of a sum of n squares in any order, and its square root.
        relative = self.rounding.relative * (layout.sizes(w.shape) / 2 + 2)
        inherited = layout.norms(np.broadcast_to(w.error, w.shape).astype(np.longdouble))
        errors = inherited * (1 + relative) + relative * norms
        # Squares that underflow: of n of them the sum is off by n times that, its root by no more than its own root.
        lost = layout.sizes(w.shape) * self.rounding.absolute
        errors += np.where(norms + inherited > 0, lost / np.maximum(norms, np.sqrt(lost)), 0.0)
        low, high = np.maximum(norms - errors, 0), norms + errors
        strong, weak = strengths.high(), np.maximum(strengths.low(), 0)
        if strong.ndim:
            strong, weak = strong.reshape(norms.shape), weak.reshape(norms.shape)
        smallest, largest = self._factor(low, strong), self._factor(high, weak)
        factors = Ball.between(layout.spread(smallest, w.shape), layout.spread(largest, w.shape), self.rounding)
        return factors * w

    def _factor(self, norms: Any, strengths: Any) -> Any:
        """What the kernel multiplies a row of this norm by; a zero row stays zero by any factor."""
        kernel = on_arrays(self.regularizer.radial_kernel, np)
        safe = np.where(norms > 0, norms, 1.0)
        factors = kernel(safe, strengths, *self.regularizer.parameters)
        return np.where(norms > 0, factors, np.where(strengths > 0, 0.0, 1.0))

    def check(self, shape: tuple[int, ...]) -> None:
        self.regularizer.check(shape)
