"""Each oracle agrees with the library, and rejects a prox with another strength."""

import numpy as np
import pytest

from rmda_ref.regularizers import REGISTRY
from validation.operators import ask_oracle
from validation.oracles.operators import ORACLES
from validation.oracles.oracle import compare


def test_every_example_has_an_oracle():
    assert set(ORACLES) == set(REGISTRY)


@pytest.mark.parametrize("name", ORACLES)
def test_the_library_agrees(name):
    found = ask_oracle(name, *REGISTRY[name], n_examples=6, seed=1)
    assert found.above <= found.allowed_above
    assert found.below <= found.resolution
    assert found.value_error <= 1e-6


class Longer:
    """The same operator with the step twice as long, or pulled aside."""

    def __init__(self, regularizer):
        self._right = regularizer

    def __getattr__(self, name):
        return getattr(self._right, name)

    def prox(self, w, step, metric=None):
        u = self._right.prox(w, 2 * step, metric)
        return u + 0.1 * (w - u) if self._right.indicator else u


@pytest.mark.parametrize("method", ["prox", "value"])
def test_nan_is_no_agreement(monkeypatch, method):
    psi, shape = REGISTRY["l1"]
    monkeypatch.setattr(type(psi), method, lambda self, w, *others: np.nan * (w if method == "prox" else 1.0))
    found = ask_oracle("l1", psi, shape, n_examples=3, seed=1)
    assert (found.above if method == "prox" else found.value_error) == np.inf


@pytest.mark.parametrize("name", [name for name in ORACLES if name != "zero"])
def test_another_step_is_rejected(name):
    """Far beyond what rounding or the oracle's resolution allows, on the worst of 20 points."""
    regularizer, shape = REGISTRY[name]
    rng = np.random.default_rng(0)
    wrong = Longer(regularizer)
    worst = max(compare(ORACLES[name], wrong, 2 * rng.standard_normal(shape), 0.5).excess for _ in range(20))
    assert worst > 100 * max(1e-11, ORACLES[name].resolution)


def test_the_oracles_do_not_call_the_prox():
    """An example whose prox raises still has its oracle."""
    for name, (regularizer, shape) in REGISTRY.items():
        silent = type("Silent", (Longer,), {"prox": None, "value": None, "__getattr__": Longer.__getattr__})(
            regularizer
        )
        point = ORACLES[name].minimiser(silent, np.random.default_rng(0).standard_normal(shape), 0.5, None)
        assert point.shape == shape
