"""ERK densities: one factor for all layers that are not dense, and the budget is spent."""

import math

import numpy as np
import pytest

from rmda_ref.algorithms.masked_msgd import Layer
from rmda_ref.algorithms.rigl import erdos_renyi_kernel

SHAPES = [(3, 3), (64, 32, 3, 3), (10, 200), (500, 100)]


@pytest.mark.parametrize("density", [1e-3, 0.1, 0.5, 0.9, 1.0])
def test_erdos_renyi_kernel_densities(density):
    """min(1, epsilon (sum of axes)/(product)) with one epsilon, and the budget is spent: rounding alone."""
    found = erdos_renyi_kernel(SHAPES, density)
    sizes, raw = np.array([math.prod(s) for s in SHAPES]), np.array([sum(s) / math.prod(s) for s in SHAPES])
    assert np.dot(found, sizes) == pytest.approx(density * sizes.sum(), rel=1e-14)
    assert max(found) <= 1
    ratios = (np.array(found) / raw)[np.array(found) < 1]
    if len(ratios):
        np.testing.assert_allclose(ratios, ratios[0], rtol=1e-14)
        assert (raw[np.array(found) == 1] * ratios[0] >= 1 - 1e-14).all()
    for shape, each in zip(SHAPES, found, strict=True):
        if each * math.prod(shape) > 1:
            Layer(math.prod(shape), each)


def test_for_matrices_it_is_erdos_renyi():
    """Active entries in proportion to n_in + n_out."""
    one, other = erdos_renyi_kernel([(30, 50), (20, 100)], 0.1)
    assert one * 1500 / (other * 2000) == pytest.approx(80 / 120, rel=1e-14)


@pytest.mark.parametrize(
    ("shapes", "density", "message"),
    [
        ([(3, 3)], 0.0, r"density must lie in \(0, 1\], got 0.0"),
        ([(3, 3), (3,)], 0.5, r"shapes must have two axes or more, none empty, got \(3,\); leave biases out"),
        ([(3, 0)], 0.5, r"got \(3, 0\)"),
    ],
)
def test_bad_shapes(shapes, density, message):
    with pytest.raises(ValueError, match=message):
        erdos_renyi_kernel(shapes, density)
