"""Traits of what is checked, and what rounding may do."""

from typing import Any

import numpy as np

from rmda_ref.testing.case import Case, size_of

ULPS = 256  # a prox is some dozens of operations on entries, and one sum a row, at the sizes tried here


def trait(regularizer: Any, name: str, default: Any) -> Any:
    return getattr(regularizer, name, default)


def rounding(case: Case, *sizes: float) -> float:
    return ULPS * case.eps * max(size_of(case.w), *sizes, 1e-300)


def curvature_of(regularizer: Any, step: float) -> float:
    """(1 - step rho)_+: how strongly convex the prox objective is at least."""
    rho = trait(regularizer, "weak_convexity", 0.0 if trait(regularizer, "convex", False) else np.inf)
    return max(0.0, 1 - step * rho) if rho > 0 else 1.0


def has_metric(regularizer: Any) -> bool:
    return trait(regularizer, "metric_prox", None) is not None
