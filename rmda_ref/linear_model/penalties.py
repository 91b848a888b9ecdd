"""Penalties by name, as regularizers of coefficients of shape (n_features,) or (n_outputs, n_features)."""

from typing import Any

import numpy as np
import numpy.typing as npt

from rmda_ref import checks
from rmda_ref.layout import Shape
from rmda_ref.regularizers import L1, ElasticNet, GroupLasso, Nuclear, Regularizer, SparseGroupLasso, Zero

NAMES = ("l1", "elasticnet", "group_lasso", "sparse_group_lasso", "nuclear", "none")


def penalty_of(penalty: Any, alpha: float, l1_ratio: float, groups: Any, shape: Shape) -> Regularizer:
    """The regularizer of a name, or the one given if it fits; ``alpha`` is the strength of the named ones.

    Raises
    ------
    ValueError, TypeError
        For a name that is unknown, a strength or groups that do not fit.
    """
    checks.nonnegative("alpha", alpha)
    if isinstance(penalty, Regularizer):
        penalty.check(shape)
        return penalty
    if alpha == 0 and penalty in NAMES:
        penalty_of(penalty, 1.0, l1_ratio, groups, shape)  # what does not fit is refused all the same
        return Zero()
    match penalty:
        case "none" | None:
            return Zero()
        case "l1":
            return L1(alpha)
        case "elasticnet":
            net = ElasticNet(alpha, l1_ratio)
            return L1(alpha) if l1_ratio == 1 else net
        case "group_lasso":
            return GroupLasso(alpha, **_groups(groups, shape))
        case "sparse_group_lasso":
            return SparseGroupLasso(alpha, l1_ratio, **_groups(groups, shape))
        case "nuclear":
            if len(shape) < 2:
                raise ValueError("penalty='nuclear' is for several outputs, whose coefficients form a matrix; use 'l1'")
            return Nuclear(alpha)
    raise ValueError(f"penalty must be one of {', '.join(NAMES)} or a Regularizer, got {penalty!r}")


def _groups(groups: Any, shape: Shape) -> dict[str, Any]:
    """Groups of features as those of the coefficients: a feature's coefficients for all outputs are together."""
    n_features = shape[-1]
    if groups is None:
        return {"axis": 0} if len(shape) > 1 else {"groups": np.arange(n_features)}
    labels = np.tile(_labels(groups, n_features), int(np.prod(shape[:-1])))
    return {"groups": labels}


def _labels(groups: Any, n_features: int) -> npt.NDArray[np.intp]:
    """One label a feature, from a size of consecutive groups, labels, or lists of features."""
    if isinstance(groups, int | np.integer) and not isinstance(groups, bool):
        checks.count("groups", int(groups), 1, "as an int it is the size of consecutive groups of features")
        return np.arange(n_features) // int(groups)
    if len(groups) > 0 and all(np.ndim(group) == 0 for group in groups):
        labels = np.asarray(groups)
        if labels.shape != (n_features,) or labels.dtype.kind not in "iu":
            raise ValueError(
                f"groups as labels must be {n_features} integers, one a feature, got shape {labels.shape} and dtype "
                f"{labels.dtype}; lists of features name the members of each group"
            )
        return np.unique(labels, return_inverse=True)[1]
    counts, labels = np.zeros(n_features, np.intp), np.zeros(n_features, np.intp)
    for number, group in enumerate(groups):
        members = np.asarray(group)
        if members.ndim != 1 or members.dtype.kind not in "iu" or members.size == 0:
            raise ValueError(f"groups must be lists of feature indices, none of them empty, got {group!r}")
        if members.min() < 0 or members.max() >= n_features:
            raise ValueError(f"groups name feature {members.max()}, but X has {n_features}: 0 to {n_features - 1}")
        np.add.at(counts, members, 1)
        labels[members] = number
    if (counts != 1).any():
        feature = int(np.flatnonzero(counts != 1)[0])
        times = "in no group" if counts[feature] == 0 else "in more than one group, or twice in one"
        raise ValueError(f"groups must hold each of the {n_features} features once, but feature {feature} is {times}")
    return labels
