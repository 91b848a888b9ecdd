"""Penalties of magnitudes one by one: of entries, of group norms, or of singular values."""

from abc import abstractmethod
from math import prod
from typing import Any

import numpy as np

from rmda_ref import checks
from rmda_ref.layout import Entries, Groups, Norms, Rows, Segments, Shape, Spectrum
from rmda_ref.namespace import Array, namespace, on_host
from rmda_ref.regularizers.base import Regularizer, norm
from rmda_ref.regularizers.manifold import Manifold, Rank, Support


class ScalarPenalty(Regularizer):
    """psi(w) = sum_i strength_i phi(z_i), with z the magnitudes that the layout gives.

    A subclass has ``lam``, a ``layout`` (`Entries`, `Rows`, `Groups` or `Spectrum`), ``weights`` or None, an entrywise
    kernel, and phi on [0, inf) with its derivative: `penalty`, `slope`, `slope_at_zero`. What follows from them is
    here. Singular values are not told apart: their weights must be equal.
    """

    lam: float
    weights: Any = None

    def __post_init__(self) -> None:
        checks.nonnegative("lam", self.lam)
        if self.weights is not None:
            checks.weights("weights", self.weights)

    @property
    def separable(self) -> bool:  # type: ignore[override]  # depends on the layout
        return isinstance(self.layout, Entries)

    @abstractmethod
    def penalty(self, z: Array) -> Array:
        """phi(z) for each of the magnitudes z >= 0."""

    @abstractmethod
    def slope(self, z: Array) -> Array:
        """phi'(z) for each of the magnitudes z > 0."""

    @property
    @abstractmethod
    def slope_at_zero(self) -> float:
        """phi'(0+), which may be infinite."""

    @property
    def strength(self) -> float:
        """Factor of phi that all magnitudes share: 1 where lam shapes phi instead."""
        return float(self.lam)

    @property
    def seen(self) -> Entries | Norms | Spectrum:
        """The layout of magnitudes: groups are seen by their norms."""
        layout = self.layout
        return Norms(layout) if isinstance(layout, Rows | Groups | Segments) else layout

    @property
    def symmetries(self) -> frozenset[str]:
        match self.layout:
            case Entries():
                return frozenset({"signs"} if self.weights is not None else {"signs", "entries"})
            case Spectrum():
                return frozenset({"spectrum"})
            case _:
                return frozenset({"rotation"})

    def default_weights(self, shape: Shape) -> float | Array:
        """Weights where none are given: one number, or one a magnitude."""
        return 1.0

    def check(self, shape: Shape) -> None:
        self.layout.check(shape)
        if isinstance(self.layout, Spectrum):
            checks.one_each("weights", self.weights, min(shape[0], prod(shape[1:])), "singular values")
            if self.weights is not None and np.unique(self.weights).size > 1:
                # By rank they are no separate penalties: neither prox nor subdifferential is one value at a time.
                raise ValueError(f"weights of singular values must be equal, got {self.weights!r}; change lam instead")
        elif isinstance(self.layout, Entries):
            checks.one_each("weights", self.weights, prod(shape), "entries")
        elif isinstance(self.layout, Rows | Groups | Segments):
            checks.one_each("weights", self.weights, prod(self.layout.group_shape(shape)), "groups")

    def strengths(self, shape: Shape) -> float | Array:
        """A number where all magnitudes have the same, else one for each."""
        weights = self.default_weights(shape) if self.weights is None else np.ravel(self.weights)
        return self.strength * (float(weights) if np.ndim(weights) == 0 else np.asarray(weights, dtype=np.float64))

    def strengths_like(self, z: Array, shape: Shape) -> float | Array:
        """`strengths` as an array that meets the magnitudes ``z`` of a parameter of this shape."""
        strengths = self.strengths(shape)
        if isinstance(strengths, float):
            return strengths
        return namespace(z).asarray(strengths.reshape(z.shape), dtype=z.dtype)

    def value(self, w: Array) -> float:
        z = self.seen.magnitudes(w)
        return float(namespace(w).sum(self.strengths_like(z, w.shape) * self.penalty(z)))

    def subdiff_distance(self, w: Array, v: Array) -> float:
        """From ``v`` to the subdifferential at ``w``; to the limiting one where psi is not convex."""
        xp = namespace(w)
        z, along, across = self.seen.coordinates(w, v)
        strengths = self.strengths_like(z, w.shape) + xp.zeros_like(z)
        active = z > 0
        at_active = self.slope_distance(xp.where(active, z, xp.ones_like(z)), along, strengths)
        some = strengths > 0  # 0 times an infinite slope is 0 here
        bound = xp.where(some, xp.where(some, strengths, xp.ones_like(z)) * self.slope_at_zero, strengths)
        at_zero = xp.abs(along) - bound
        at_zero = xp.where(at_zero > 0, at_zero, xp.zeros_like(z))
        return float(np.hypot(norm(xp.where(active, at_active, at_zero)), across))

    def slope_distance(self, z: Array, along: Array, strengths: Array) -> Array:
        """Distance from ``along`` to strength phi' at magnitudes z > 0; overridden where phi has a kink."""
        return namespace(z).abs(along - strengths * self.slope(z))

    def manifold(self, w: Array) -> Manifold:
        """Which magnitudes are nonzero, or how many singular values."""
        layout = self.layout
        if isinstance(layout, Spectrum):
            return Rank(layout.rank(w))
        active = w != 0
        if isinstance(layout, Rows | Groups | Segments):
            active = layout.norms(namespace(w).astype(active, w.dtype)) > 0
        return Support.of(on_host(active))
