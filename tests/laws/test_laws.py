"""The fifteen laws over the registry.

``pytest tests/laws --hypothesis-profile=full`` tries a thousand examples each, as ``python -m validation run --profile
full --only operators`` does.
"""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmda_ref.regularizers import REGISTRY
from rmda_ref.testing.case import KINDS, Case
from rmda_ref.testing.check import require
from rmda_ref.testing.laws import LAWS


def _test_of(regularizer, shape):
    """One test function an operator, so that two processes compile different ones. (And because hypothesis wraps the
    settings of a function once more for each of its parameters, which recurses too deeply after a thousand.)"""

    @pytest.mark.parametrize("law", [pytest.param(law, id=law.name) for law in LAWS if law.applies(regularizer)])
    @settings(max_examples=settings.default.max_examples, deadline=None, derandomize=True)
    @given(
        seed=st.integers(0, 2**32 - 1),
        dtype=st.sampled_from([np.float64, np.float32]),
        step=st.floats(0.01, 10.0),
        kind=st.sampled_from(KINDS),
    )
    def test(law, seed, dtype, step, kind):
        require(law, regularizer, Case.draw(seed, shape, dtype, step, kind))

    return test


for _name, _example in REGISTRY.items():
    globals()["test_" + re.sub(r"\W+", "_", _name)] = _test_of(*_example)


def test_every_layout_is_covered():
    """Each shape of kernel, and each layout, has an example."""
    plain = [regularizer for name, (regularizer, _) in REGISTRY.items() if name != "blocks"]
    layouts = {type(regularizer.layout).__name__ for regularizer in plain}
    assert {"Entries", "Rows", "Groups", "Spectrum"} <= layouts
    assert {"entrywise", "radial"} <= {regularizer.driven for regularizer in plain}


def test_laws_that_do_not_apply_are_few():
    """A trait that switches a law off is a statement about psi, never a way around it."""
    for name, (regularizer, _) in REGISTRY.items():
        without = {law.name for law in LAWS if not law.applies(regularizer)}
        allowed = {"projection"} if not regularizer.indicator else set()
        allowed |= {"fenchel"} if not regularizer.convex else set()
        allowed |= {"metric"} if regularizer.metric_prox is None else set()
        allowed |= {"structure"} if not regularizer.partly_smooth else set()
        allowed |= {"equivariance"} if not regularizer.symmetries and regularizer.homogeneity is None else set()
        assert without <= allowed, name
