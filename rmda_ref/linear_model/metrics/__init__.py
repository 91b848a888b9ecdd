"""Metrics near the Hessian of a linear model, one a file: what proximal steps are taken in, and Newton's start from."""

from rmda_ref.linear_model.metrics.hessian import HessianMetric
from rmda_ref.linear_model.metrics.kronecker import KroneckerMetric
from rmda_ref.linear_model.metrics.separate import SeparateMetric

__all__ = ["HessianMetric", "KroneckerMetric", "SeparateMetric"]
