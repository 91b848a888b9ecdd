"""Proximal kernels, one a file: plain functions of an entry, a norm or a row.

Each solves ``argmin_x  strength * psi(x) + 1/2 <x - row, metric * (x - row)>`` in one of three shapes:

========= =========================================== =============================================
shape     signature                                   used for
========= =========================================== =============================================
entrywise ``kernel(x, strength, metric, *p) -> y``    penalties that are sums over entries
radial    ``kernel(norm, strength, *p) -> factor``    penalties of a row's Euclidean norm
row       ``kernel(row, strength, metric, *p)``       everything else, in place on one row
========= =========================================== =============================================

A kernel imports ``math`` and ``register_jitable``, nothing else. `rmda_ref.backends` drives it over arrays.
An entrywise or radial kernel without branches (``abs``, ``min``, ``max`` and arithmetic only) also runs on whole
arrays of any array-API namespace.
"""

from rmda_ref.kernels.elastic_net_shrink import elastic_net_shrink
from rmda_ref.kernels.group_soft_threshold import group_soft_threshold
from rmda_ref.kernels.metric_group_soft_threshold import metric_group_soft_threshold
from rmda_ref.kernels.soft_threshold import soft_threshold

__all__ = ["elastic_net_shrink", "group_soft_threshold", "metric_group_soft_threshold", "soft_threshold"]
