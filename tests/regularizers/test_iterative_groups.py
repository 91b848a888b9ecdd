"""What latent and overlapping groups have in common: where groups do not overlap both are the group lasso."""

import numpy as np
import pytest

from rmda_ref.regularizers import GroupLasso, LatentGroupLasso, OverlappingGroupLasso

EPS = np.finfo(np.float64).eps


@pytest.mark.parametrize("penalty", [LatentGroupLasso, OverlappingGroupLasso])
@pytest.mark.parametrize("with_metric", [False, True])
def test_disjoint_groups_are_the_group_lasso(penalty, with_metric):
    """Up to some roundings of the norm of w; zeros exactly."""
    rng = np.random.default_rng(0)
    groups = [[0, 5, 7], [1, 2], [3, 4, 6, 8, 9, 10], [11]]
    psi, plain = penalty(0.4, groups), GroupLasso(0.4, groups=groups)
    for step in (0.01, 0.5, 1.0, 3.0, 30.0):
        w, v = rng.standard_normal((2, 12))
        metric = rng.uniform(0.2, 5, 12) if with_metric else None
        u, expected = psi.prox(w, step, metric), plain.prox(w, step, metric)
        np.testing.assert_allclose(u, expected, rtol=0, atol=16 * EPS * np.linalg.norm(w))
        np.testing.assert_array_equal(u == 0, expected == 0)
        assert psi.value(w) == pytest.approx(plain.value(w), rel=1e-14)
        assert psi.dual_norm(w) == pytest.approx(plain.dual_norm(w), rel=1e-14)
        assert psi.subdiff_distance(u, v) == pytest.approx(plain.subdiff_distance(u, v), rel=1e-12)
