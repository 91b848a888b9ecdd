"""The convex programs agree with the library, and so with the bisections of `convex_rows`, which are psi's dual."""

import numpy as np
import pytest

from rmda_ref.regularizers import REGISTRY
from validation.oracles.convex_rows import PROGRAMS
from validation.oracles.oracle import compare


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_library_agrees(name):
    """With and without a metric, to the resolution of an interior-point method."""
    regularizer, shape = REGISTRY[name]
    rng = np.random.default_rng(0)
    for step in (0.03, 0.3, 3.0):
        for metric in (None, rng.uniform(0.2, 5, shape))[: 2 if regularizer.metric_prox else 1]:
            found = compare(PROGRAMS[name], regularizer, 2 * rng.standard_normal(shape), step, metric)
            assert abs(found.excess) <= PROGRAMS[name].resolution
            assert found.value_error <= 1e-14
