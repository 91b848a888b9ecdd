"""The laws over the registry; and for each law a wrong operator that it rejects."""

import laws
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmda_ref import L1, ElasticNet, GroupLasso
from rmda_ref.regularizers import REGISTRY

CASES = [pytest.param(*case, id=name) for name, case in REGISTRY.items()]


def points(seed, shape, dtype, zeros):
    """Two points and a metric; some entries of the first are exactly zero, sizes span four decades."""
    rng = np.random.default_rng(seed)
    w = rng.standard_normal(shape) * 10.0 ** rng.uniform(-2, 2) * (rng.random(shape) >= zeros)
    other = rng.standard_normal(shape) * 10.0 ** rng.uniform(-2, 2)
    metric = rng.uniform(0.2, 5.0, shape)
    return w.astype(dtype), other.astype(dtype), metric.astype(dtype)


@pytest.mark.parametrize("law", laws.LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize(("regularizer", "shape"), CASES)
@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    dtype=st.sampled_from([np.float32, np.float64]),
    step=st.floats(0.01, 10.0),
    zeros=st.sampled_from([0.0, 0.5, 1.0]),
)
def test_law_holds(law, regularizer, shape, seed, dtype, step, zeros):
    law(regularizer, *points(seed, shape, dtype, zeros)[:2], step, None)


@pytest.mark.parametrize(
    ("regularizer", "shape"),
    [case for case in CASES if case.values[0].metric_prox == "exact" and case.id != "blocks"]
    + [pytest.param(GroupLasso(lam=0.4, axis=1), (4, 3), id="rows")],
)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1), dtype=st.sampled_from([np.float32, np.float64]), step=st.floats(0.01, 10.0))
def test_metric_prox_is_optimal(regularizer, shape, seed, dtype, step):
    w, other, metric = points(seed, shape, dtype, zeros=0.3)
    laws.optimality(regularizer, w, other, step, metric)


class HardThreshold(L1):
    """Not the prox of lam |.|."""

    def prox(self, w, step, metric=None):
        return np.where(np.abs(w) > step * self.lam, w, 0).astype(w.dtype)


class OwnStrength(L1):
    """value and prox disagree by a factor."""

    def value(self, w):
        return 2 * super().value(w)


class Expansive(L1):
    """Overshoots."""

    def prox(self, w, step, metric=None):
        return -2 * w


class ConjugateAside(ElasticNet):
    """A conjugate without the half."""

    def conjugate(self, v):
        return 2 * super().conjugate(v)


class MetricIgnored(GroupLasso):
    """Uses the metric where there is none."""

    def prox(self, w, step, metric=None):
        return super().prox(w, step if metric is None else 2 * step)


class NanAtZero(GroupLasso):
    """0/0 on a zero group when the threshold is 0."""

    def prox(self, w, step, metric=None):
        norms = np.sqrt((w * w).sum(axis=self.axis, keepdims=True))
        with np.errstate(invalid="ignore", divide="ignore"):
            return (w * np.maximum(1 - step * self.lam / norms, 0)).astype(w.dtype)


class InPlace(L1):
    """Changes its argument."""

    def prox(self, w, step, metric=None):
        w *= 0.5
        return w


class WrongAxis(GroupLasso):
    """Groups the other axis, as an optimizer that takes rows for columns does."""

    def subdiff_distance(self, w, v):
        return GroupLasso(self.lam, axis=1 - self.axis).subdiff_distance(w, v)


WRONG = [
    (laws.optimality, HardThreshold(lam=0.7), (12,)),
    (laws.optimality, WrongAxis(lam=0.7, axis=0), (3, 4)),
    (laws.three_points, OwnStrength(lam=0.7), (12,)),
    (laws.firm_nonexpansiveness, Expansive(lam=0.7), (12,)),
    (laws.fenchel, ConjugateAside(lam=0.7, l1_ratio=0.4), (12,)),
    (laws.unit_metric, MetricIgnored(lam=0.4, axis=1), (4, 3)),
    (laws.zero_step, NanAtZero(lam=0.4, axis=1), (4, 3)),
    (laws.memory, InPlace(lam=0.7), (12,)),
]


@pytest.mark.parametrize(("law", "wrong", "shape"), WRONG, ids=lambda x: getattr(x, "__name__", type(x).__name__))
def test_law_rejects(law, wrong, shape):
    rejected = 0
    for seed in range(20):
        w, other, _ = points(seed, shape, np.float64, zeros=0.0)
        try:
            law(wrong, w, other, 0.5, None)
        except (AssertionError, ValueError):  # an in-place prox is refused by read-only input
            rejected += 1
    assert rejected >= 5


def test_every_law_has_a_wrong_operator():
    assert {law for law, _, _ in WRONG} == set(laws.LAWS)
