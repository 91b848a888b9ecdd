"""A regularizer of coefficients, seen on some of the features with the others at zero."""

import dataclasses
from functools import singledispatch
from typing import Any

import numpy as np
import numpy.typing as npt

from rmda_ref.layout import Rows
from rmda_ref.regularizers import L1, ElasticNet, GroupLasso, NonnegativeL1, Regularizer, SparseGroupLasso, Zero

Shape = tuple[int, ...]
Mask = npt.NDArray[np.bool_]


@singledispatch
def companions(psi: Regularizer, shape: Shape, features: Mask) -> Mask | None:
    """The features that share a group with those given, these included; None where psi does not split so.

    ``shape`` is that of the coefficients, features last.
    """
    return None


@companions.register(L1)
@companions.register(ElasticNet)
@companions.register(NonnegativeL1)
@companions.register(Zero)
def _(psi: Regularizer, shape: Shape, features: Mask) -> Mask | None:
    return features


@companions.register(GroupLasso)
@companions.register(SparseGroupLasso)
def _(psi: GroupLasso | SparseGroupLasso, shape: Shape, features: Mask) -> Mask | None:
    layout = psi.layout
    if isinstance(layout, Rows):
        return features if len(shape) - 1 not in layout.axes(shape) else None
    seen = np.broadcast_to(features, shape).ravel()
    starts, members, _ = layout.address(shape)
    hit = np.logical_or.reduceat(seen[members], starts[:-1])
    together = np.zeros(seen.size, bool)
    together[members[np.repeat(hit, np.diff(starts))]] = True
    found: Mask = np.asarray(together.reshape(-1, shape[-1]).any(axis=0))
    return found if (found == features).all() else companions(psi, shape, found)


@singledispatch
def restricted(psi: Any, shape: Shape, features: npt.NDArray[np.intp]) -> Any:
    """psi on the coefficients of some features, which hold their `companions`."""
    return psi


@restricted.register(L1)
@restricted.register(NonnegativeL1)
def _(psi: L1, shape: Shape, features: npt.NDArray[np.intp]) -> Any:
    if psi.weights is None or np.size(psi.weights) == 1:
        return psi
    return dataclasses.replace(psi, weights=np.reshape(psi.weights, shape)[..., features])


@restricted.register(GroupLasso)
@restricted.register(SparseGroupLasso)
def _(psi: Any, shape: Shape, features: npt.NDArray[np.intp]) -> Any:
    layout = psi.layout
    if isinstance(layout, Rows):
        if psi.weights is None or np.size(psi.weights) == 1:
            return psi
        return dataclasses.replace(psi, weights=np.reshape(psi.weights, layout.group_shape(shape))[..., features])
    index = np.arange(np.prod(shape)).reshape(shape)[..., features].ravel()
    place = np.full(int(np.prod(shape)), -1)
    place[index] = np.arange(index.size)
    lists = [place[group] for group in layout.address(shape).lists()]
    kept = [k for k, group in enumerate(lists) if group[0] >= 0]
    weights = None if psi.weights is None else np.ravel(psi.weights)[kept]
    return dataclasses.replace(psi, groups=[lists[k] for k in kept], weights=weights)
