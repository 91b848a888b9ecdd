"""What RigL and gradual pruning share: layers, starts, the clock of the schedules."""

import numpy as np
import pytest

from rmda_ref.algorithms.gradual_pruning import GradualPruning
from rmda_ref.algorithms.masked_msgd import Layer

PLAIN = GradualPruning((Layer(40, 0.5), Layer(8, 1.0)), 0.1, 1.0, start=9, every=9, n_updates=9)


def test_the_start_is_copied():
    w0 = np.zeros(48)
    state = PLAIN.init(w0)
    w0[:] = 7.0
    assert (state.iterate != 7.0).all()


def test_a_schedule_counts_within_the_stage():
    algorithm = GradualPruning((Layer(2, 1.0),), lambda t: 1 / t, 1.0, start=9, every=9, n_updates=9)
    state = algorithm.step(algorithm.step(algorithm.init(np.zeros(2)), np.ones(2)), np.ones(2))
    assert state.iterate[0] == -1.5
    assert algorithm.step(algorithm.restart(state), np.ones(2)).iterate[0] == -2.5


@pytest.mark.parametrize(
    ("size", "density", "error", "message"),
    [
        (0, 1.0, ValueError, "size must be at least 1, got 0"),
        (2.0, 1.0, TypeError, "size must be an integer"),
        (10, 0.0, ValueError, r"density must lie in \(0, 1\], got 0.0"),
        (10, 1.5, ValueError, r"density must lie in \(0, 1\], got 1.5"),
        (10, 0.05, ValueError, "density=0.05 keeps none of 10 entries; give at least 1/10"),
    ],
)
def test_bad_layers(size, density, error, message):
    with pytest.raises(error, match=message):
        Layer(size, density)


@pytest.mark.parametrize(
    ("w0", "error", "message"),
    [
        (np.zeros(47), ValueError, r"layers describe a flat w0 of shape \(48,\), got \(47,\)"),
        (np.zeros((48, 1)), ValueError, r"got \(48, 1\); flatten it"),
        (np.full(48, np.nan), ValueError, "w0 has 48 non-finite entries"),
        (np.zeros(48, np.int64), TypeError, "w0 has dtype int64"),
        ([0.0] * 48, TypeError, "expected an array, got list"),
    ],
)
def test_bad_starts(w0, error, message):
    with pytest.raises(error, match=message):
        PLAIN.init(w0)


def test_arrays_of_other_namespaces_are_refused():
    strict = pytest.importorskip("array_api_strict")
    with pytest.raises(TypeError, match=r"GradualPruning, which sorts, has no evaluation on array_api_strict.Array"):
        PLAIN.init(strict.asarray(np.zeros(48)))
