"""Both of the authors' momentum rules, and what schedules refuse."""

import numpy as np
import pytest

from rmda_ref import PowerDecay, SqrtRamp, Stage, decayed_stages, ramped_stages
from rmda_ref.schedules import MaskDecay, momentum_at, step_size_at


def test_decayed_stages_are_the_paper_settings():
    stages = decayed_stages(0.1, 0.01, 0.1, n_steps=[50, 50, 100])
    assert [stage.n_steps for stage in stages] == [50, 50, 100]
    np.testing.assert_allclose([stage.step_size for stage in stages], [0.1, 0.01, 0.001], rtol=1e-15)
    np.testing.assert_allclose([stage.momentum for stage in stages], [0.01, 0.1, 1.0], rtol=1e-15)


@pytest.mark.parametrize(("first", "start"), [(1, 0.01), (2, 0.01 * np.sqrt(2))])
def test_ramped_stages_hold_and_then_ramp(first, start):
    *held, last = ramped_stages(0.1, 0.01, 0.1, n_steps=[5, 5, 5], first=first)
    assert [stage.momentum for stage in held] == [0.01, 0.01]
    assert momentum_at(last.momentum, 1) == pytest.approx(start, rel=1e-15)
    assert momentum_at(last.momentum, 10_000) == 1.0
    assert momentum_at(last.momentum, 9_999 - first) < 1.0


def test_power_decay():
    assert step_size_at(PowerDecay(0.3, 2 / 3), 8) == pytest.approx(0.3 / 4, rel=1e-15)
    assert step_size_at(PowerDecay(0.3, 0.0), 8) == 0.3


def test_mask_decay_falls_from_one_to_zero():
    linear, exponential = MaskDecay(end=12, start=2), MaskDecay(end=12, start=2, rate=0.5)
    for decay in (linear, exponential):
        assert [decay(t) for t in (0, 2, 12, 13)] == [1, 1, 0, 0]
        assert decay.lam(2, prox_step=3.0) == 0
        assert decay.lam(12, prox_step=3.0) == np.inf
        for t in range(3, 12):
            assert decay(t - 1) > decay(t) > 0
            assert 1 / (1 + 3 * decay.lam(t, prox_step=3.0)) == pytest.approx(decay(t), rel=1e-14)
    assert linear(7) == 0.5
    assert exponential(4) == pytest.approx(np.exp(-1), rel=1e-15)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PowerDecay(-1.0, 0.5), "start must lie"),
        (lambda: PowerDecay(1.0, -0.5), "power must lie"),
        (lambda: SqrtRamp(1.5), "start must lie"),
        (lambda: MaskDecay(0), "end must be at least 1"),
        (lambda: MaskDecay(5, start=5), "end must be at least 6"),
        (lambda: MaskDecay(5, rate=0.0), "rate must lie"),
        (lambda: MaskDecay(5).lam(1, prox_step=0.0), "prox_step must lie"),
        (lambda: Stage(0, 0.1), "n_steps must be at least 1"),
        (lambda: Stage(1, -0.1), "step_size must lie"),
        (lambda: Stage(1, 0.1, 0.0), "momentum must lie"),
        (lambda: decayed_stages(0.1, 0.1, 10.0, [1]), "gamma must lie"),
        (lambda: ramped_stages(0.1, 0.1, 0.0, [1]), "gamma must lie"),
    ],
)
def test_bad_values(make, message):
    with pytest.raises(ValueError, match=message):
        make()
