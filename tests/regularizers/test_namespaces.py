"""What a regularizer tells of an array of another namespace is what it tells of NumPy's.

`tests/backends` asks this of the registry on array-api-strict; PyTorch's and JAX's arrays have ways of their own.
"""

import numpy as np
import pytest

from rmda_ref.backends.on_arrays import on_arrays
from rmda_ref.kernels.mcp import mcp
from rmda_ref.namespace import namespace, on_host
from rmda_ref.regularizers import REGISTRY

CASES = {name: case for name, case in REGISTRY.items() if case[0].driven not in ("row", "whole")}
FIRST = {type(case[0]): name for name, case in reversed(CASES.items())}.values()  # of its class
ON = [pytest.param("array_api_compat.torch", name, marks=pytest.mark.needs("torch")) for name in CASES]
# JAX compiles each operation for each shape: of a class one example is asked there.
ON += [pytest.param("jax.numpy", name, marks=pytest.mark.needs("jax")) for name in CASES if name in set(FIRST)]
ROUNDINGS = 32  # of sums of at most 12 terms, each a few roundings, and of singular vectors


def points(xp, shape, dtype):
    """Two points, the first with two zeros: as NumPy arrays and as arrays of ``xp``."""
    pair = np.random.default_rng(0).standard_normal((2, *shape)).astype(dtype)
    pair[0].reshape(-1)[:2] = 0
    return pair, [xp.asarray(each.copy()) for each in pair]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("xp", "name"), ON, indirect=["xp"])
def test_a_regularizer_is_the_same_on_other_arrays(xp, name, dtype):
    regularizer, shape = CASES[name]
    allowed = ROUNDINGS * np.finfo(dtype).eps
    (w, v), (there, v_there) = points(xp, shape, dtype)
    found = regularizer.prox(there, 0.5)
    assert namespace(found) is xp and str(found.dtype).endswith(dtype)
    np.testing.assert_allclose(on_host(found), regularizer.prox(w, 0.5), rtol=0, atol=allowed)
    assert regularizer.manifold(there) == regularizer.manifold(w)
    value, distance = regularizer.value(there), regularizer.subdiff_distance(there, v_there)
    assert isinstance(value, float) and isinstance(distance, float)
    np.testing.assert_allclose(
        (value, distance), (regularizer.value(w), regularizer.subdiff_distance(w, v)), rtol=allowed, atol=allowed
    )


def test_a_wrong_strength_is_seen(xp):
    """Half a percent off, in float32."""
    regularizer, shape = CASES["l1"]
    (w, _), (there, _) = points(xp, shape, "float32")
    off = np.abs(on_host(regularizer.prox(there, 0.5 * 1.005)) - regularizer.prox(w, 0.5)).max()
    assert off > 100 * ROUNDINGS * np.finfo("float32").eps


def test_what_a_kernel_runs_in_has_pythons_own_names(xp):
    """A namespace may import what it needs when it is first asked, within the kernel (PyTorch does)."""
    assert "__builtins__" in on_arrays(mcp, xp).__globals__
