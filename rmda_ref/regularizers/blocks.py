"""Named layers of one flat vector, each with its own regularizer."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from math import hypot, prod
from typing import Literal

from rmda_ref.layout import Layout, Shape
from rmda_ref.namespace import Array, namespace
from rmda_ref.regularizers.base import Regularizer
from rmda_ref.regularizers.manifold import Manifold
from rmda_ref.regularizers.tangent import Tangent
from rmda_ref.regularizers.zero import Zero


@dataclass(frozen=True)
class Block:
    """One layer: its name, the shape of its parameter, and its regularizer (none for biases)."""

    name: str
    shape: Shape
    regularizer: Regularizer = field(default_factory=Zero)

    @property
    def size(self) -> int:
        return prod(self.shape)


@dataclass(frozen=True)
class Blocks(Regularizer):
    """psi(w) = sum_b psi_b(w_b) over consecutive blocks of one flat vector.

    Parameters
    ----------
    blocks : tuple of Block
        In the order in which they lie in the vector.

    Raises
    ------
    ValueError
        If a name occurs twice, or a regularizer does not fit the shape of its block.

    >>> import numpy as np
    >>> from rmda_ref import L1
    >>> net = Blocks((Block("weight", (2, 2), L1(lam=1.0)), Block("bias", (2,))))
    >>> net.prox(np.array([3.0, 0.5, 0.0, -2.0, 0.5, 0.5]), step=1.0)
    array([ 2. ,  0. ,  0. , -1. ,  0.5,  0.5])
    >>> net.split(np.arange(6.0))["bias"]
    array([4., 5.])
    """

    blocks: tuple[Block, ...]

    def __post_init__(self) -> None:
        names = [block.name for block in self.blocks]
        if len(set(names)) < len(names) or not names:
            raise ValueError(f"blocks need at least one block and distinct names, got {names}")
        for block in self.blocks:
            try:
                block.regularizer.check(block.shape)
            except ValueError as error:
                raise ValueError(f"block {block.name!r}: {error}") from error

    @property
    def size(self) -> int:
        """Number of entries of the flat vector."""
        return sum(block.size for block in self.blocks)

    @property
    def layout(self) -> Layout:
        raise TypeError("Blocks has one layout per block; ask blocks[i].regularizer")

    def strengths(self, shape: Shape) -> float:
        raise TypeError("Blocks has its strengths per block; ask blocks[i].regularizer")

    @property
    def convex(self) -> bool:  # type: ignore[override]  # depends on the blocks
        return all(block.regularizer.convex for block in self.blocks)

    @property
    def weak_convexity(self) -> float:
        return max(block.regularizer.weak_convexity for block in self.blocks)

    @property
    def separable(self) -> bool:  # type: ignore[override]  # depends on the blocks
        return all(block.regularizer.separable for block in self.blocks)

    @property
    def partly_smooth(self) -> bool:  # type: ignore[override]  # depends on the blocks
        return all(block.regularizer.partly_smooth for block in self.blocks)

    @property
    def metric_prox(self) -> Literal["exact"] | None:
        return "exact" if all(block.regularizer.metric_prox for block in self.blocks) else None

    def check(self, shape: Shape) -> None:
        if shape != (self.size,):
            raise ValueError(f"blocks describe a flat vector of shape ({self.size},), got {shape}; flatten it")

    def split(self, w: Array) -> Mapping[str, Array]:
        """Each block of ``w`` by name, in its shape (views of a NumPy vector)."""
        return {block.name: part for block, part in self._parts(w)}

    def _parts(self, w: Array) -> Iterator[tuple[Block, Array]]:
        self.check(tuple(w.shape))
        ends = accumulate(block.size for block in self.blocks)
        for block, end in zip(self.blocks, ends, strict=True):
            yield block, namespace(w).reshape(w[end - block.size : end], block.shape)

    def value(self, w: Array) -> float:
        return sum(block.regularizer.value(part) for block, part in self._parts(w))

    def conjugate(self, v: Array) -> float:
        """sum_b psi_b*(v_b)."""
        return sum(block.regularizer.conjugate(part) for block, part in self._parts(v))

    def subdiff_distance(self, w: Array, v: Array) -> float:
        pairs = zip(self._parts(w), self._parts(v), strict=True)
        return hypot(*(block.regularizer.subdiff_distance(part, other) for (block, part), (_, other) in pairs))

    def tangent(self, w: Array) -> Tangent | None:
        """Block by block."""
        xp = namespace(w)
        tangents = [block.regularizer.tangent(part) for block, part in self._parts(w)]
        known = [tangent for tangent in tangents if tangent is not None]
        if len(known) < len(tangents):
            return None

        def joined(parts: Iterator[Array]) -> Array:
            return xp.concat([xp.reshape(part, (-1,)) for part in parts])

        def hessian(direction: Array) -> Array:
            return joined(t.hessian(part) for t, (_, part) in zip(known, self._parts(direction), strict=True))

        def retract(new: Array) -> Array:
            return joined(t.retract(part) for t, (_, part) in zip(known, self._parts(new), strict=True))

        active, gradient = joined(t.active for t in known), joined(t.gradient for t in known)
        bend, unit = joined(t.bend for t in known), joined(t.unit for t in known)
        return Tangent(active, gradient, bend, unit, hessian, retract)

    def manifold(self, w: Array) -> Manifold:
        return tuple((block.name, block.regularizer.manifold(part)) for block, part in self._parts(w))

    def _check_metric(self, metric: Array, w: Array) -> None:
        for block in self.blocks:  # the error names the one that has none
            block.regularizer._check_has_metric()
        super()._check_metric(metric, w)

    def _prox(self, w: Array, step: float, metric: Array | None) -> Array:
        xp = namespace(w)
        parts = list(self._parts(w))
        metrics = [None] * len(parts) if metric is None else [part for _, part in self._parts(metric)]
        proxes = (b.regularizer._prox(part, step, m) for (b, part), m in zip(parts, metrics, strict=True))
        return xp.concat([xp.reshape(prox, (-1,)) for prox in proxes])

    def _prox_in(self, metric: Array) -> Callable[[Array], Array]:
        proxes = [block.regularizer._prox_in(part) for block, part in self._parts(metric)]

        def prox(w: Array) -> Array:
            parts = (of(part) for of, (_, part) in zip(proxes, self._parts(w), strict=True))
            xp = namespace(w)
            return xp.concat([xp.reshape(part, (-1,)) for part in parts])

        return prox
