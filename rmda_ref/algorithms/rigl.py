"""RigL: dynamic sparse training (Evci, Gale, Menick, Castro & Elsen, ICML 2020, Algorithm 1)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rmda_ref import checks
from rmda_ref.algorithms.masked_msgd import MaskedSGD, MaskedState, kept, largest
from rmda_ref.layout import Shape
from rmda_ref.namespace import Array


@dataclass(frozen=True)
class RigL(MaskedSGD):
    """Masked SGD; now and then, *instead* of a gradient step, each layer drops small weights and grows as many.

    At steps t = update_every, 2 update_every, … below update_until, with n active entries in a layer:

    - k = floor(f_decay(t) n), f_decay(t) = drop_fraction/2 (1 + cos(pi t/update_until));
    - drop the k smallest |w| among the active;
    - grow the k largest |grad|, of the dense gradient, among those not active after the drop: a dropped entry may come
      back at once. Grown weights start at 0, and so do the velocities of dropped and grown entries.

    The number of active entries never changes. Where scores are equal, entries of lower index are dropped and grown
    first. A layer all of whose entries are active is left alone. t = 1, 2, … counts the steps of all stages
    (``state.mask_t``); the mask updates are among them. The gradient is dense at every step, for simplicity: outside
    mask updates its entries outside the mask are not read.

    The first masks are uniformly random, round(density size) entries in each layer. (The authors' code differs in two
    things: it adds a little noise to |w|, and an entry dropped and grown at once keeps its weight and momentum.)

    NumPy only.

    Parameters
    ----------
    layers, step_size, momentum
        As for `MaskedSGD`. For densities see `erdos_renyi_kernel`.
    update_every : int, at least 1
        The paper's Delta T.
    update_until : int, at least 0
        The paper's T_end; 0 keeps the first masks ("static").
    drop_fraction : float
        alpha in (0, 1].
    seed : int, at least 0
        Of the first masks.

    Raises
    ------
    ValueError, TypeError
        If a hyper-parameter is out of range.

    >>> from rmda_ref.algorithms.masked_msgd import Layer
    >>> algorithm = RigL((Layer(10, 0.5),), 0.1, 1.0, update_every=1, update_until=9, drop_fraction=0.5, seed=0)
    >>> state = algorithm.init(np.arange(1.0, 11.0))
    >>> following = algorithm.step(state, np.where(state.mask, 0.0, 1.0))  # k = floor(2.42)
    >>> dropped, grown = state.mask & ~following.mask, following.mask & ~state.mask
    >>> int(state.mask.sum()), int(dropped.sum()), int(grown.sum())
    (5, 2, 2)
    """

    update_every: int
    update_until: int
    drop_fraction: float
    seed: int

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.count("update_every", self.update_every, 1, "it is the number of steps between two updates of the mask")
        checks.count("update_until", self.update_until, 0, "it is the step from which on masks stay; 0 keeps the first")
        checks.fraction("drop_fraction", self.drop_fraction, "it is the fraction of active entries dropped at first")
        checks.count("seed", self.seed, 0, "it is the seed of the first masks")

    def _first_mask(self) -> Array:
        rng = np.random.default_rng(self.seed)
        mask = np.zeros(sum(layer.size for layer in self.layers), dtype=bool)
        for layer, part in self._parts():
            mask[part.start + rng.permutation(layer.size)[: layer.n_active]] = True
        return mask

    def step(self, state: MaskedState, grad: Array) -> MaskedState:
        """One step, of the weights or of the mask, with ``grad``, the dense gradient at ``state.iterate``.

        Raises ValueError or TypeError if ``grad`` has non-finite entries or another shape or dtype, ValueError if the
        next iterate overflows; ``state`` is never modified.
        """
        checks.gradient(grad, like=state.iterate)
        t = state.mask_t + 1
        if t % self.update_every == 0 and t < self.update_until:
            return self._update(state, grad)
        return self._descend(state, grad)

    def _drop_fraction_at(self, t: int) -> float:
        """f_decay(t)."""
        return float(self.drop_fraction) / 2 * (1 + math.cos(math.pi * t / self.update_until))

    def _update(self, state: MaskedState, grad: Array) -> MaskedState:
        """Drop and grow."""
        t, mask, changed = state.mask_t + 1, state.mask.copy(), np.zeros_like(state.mask)
        for layer, part in self._parts():
            active, n_active = mask[part], int(mask[part].sum())  # a view: the mask changes with it
            if n_active == layer.size:
                continue
            k = math.floor(self._drop_fraction_at(t) * n_active)
            dropped = largest(-np.abs(state.iterate[part]), active, k)
            active[dropped] = False
            grown = largest(np.abs(grad[part]), ~active, k)
            active[grown] = True
            changed[part][dropped] = changed[part][grown] = True
        iterate, velocity = kept(state.iterate, ~changed), kept(state.velocity, ~changed)
        return MaskedState(iterate, velocity, mask, state.t + 1, t)


def erdos_renyi_kernel(shapes: Sequence[Shape], density: float) -> tuple[float, ...]:
    """The density of each layer where their numbers of active entries add up to ``density`` of all (ERK, section 3(1)).

    min(1, epsilon r) with r = (sum of the axes)/(their product), for a matrix (n_in + n_out)/(n_in n_out), Erdos-Renyi;
    epsilon is the same for all layers. So layers that would get more than 1 are dense, and the others get more.

    Parameters
    ----------
    shapes : sequence of tuple of int
        Of weights: two axes or more. Biases are not counted; give them ``Layer(size, density=1)``.
    density : float
        In (0, 1].

    Raises
    ------
    ValueError, TypeError
        If the density is out of range, or a shape has fewer than two axes or an empty one.

    >>> [round(each, 6) for each in erdos_renyi_kernel([(10, 10), (20, 10)], density=0.2)]
    [0.24, 0.18]
    >>> [round(each, 6) for each in erdos_renyi_kernel([(2, 2), (20, 10)], density=0.2)]
    [1.0, 0.184]
    """
    checks.fraction("density", density, "it is the fraction of active entries of all layers together")
    for shape in shapes:
        if len(shape) < 2 or min(shape) < 1:
            raise ValueError(
                f"shapes must have two axes or more, none empty, got {tuple(shape)}; leave biases out, they stay dense"
            )
    sizes = [math.prod(shape) for shape in shapes]
    raw = [sum(shape) / size for shape, size in zip(shapes, sizes, strict=True)]
    budget, sparse, epsilon = float(density) * sum(sizes), set(range(len(sizes))), math.inf
    while sparse:  # a layer made dense takes less than its share: epsilon grows, and dense layers stay dense
        n_dense = sum(size for i, size in enumerate(sizes) if i not in sparse)
        epsilon = (budget - n_dense) / sum(raw[i] * sizes[i] for i in sparse)
        full = {i for i in sparse if epsilon * raw[i] >= 1}
        if not full:
            break
        sparse -= full
    return tuple(epsilon * raw[i] if i in sparse else 1.0 for i in range(len(sizes)))
