"""Claims about the library's own tools fail when a tool is wrong, as those about the algorithm do with its mutants."""

import dataclasses

import numpy as np
from numba.extending import register_jitable

from problems.numerical_margin import Interior, Nearest
from rmda_ref import L1, GroupLasso
from rmda_ref.algorithms import ProxSGD
from rmda_ref.certificates import SchurCertificate, SupportCertificate, schur, support
from rmda_ref.crosscheck.mutants import REFERENCE
from validation.claim import Setting
from validation.claims import (
    c4_proxsgd_exit,
    c9_prediction_limits,
    d1_support_certificate,
    d2_schur_certificate,
    d3_exact_trajectory,
    d5_planted_generator,
    g2_ramda_support,
    n6_flicker_misleads,
)
from validation.planted_network import PlantedNetworks


def failing(claim, implementation=REFERENCE):
    """The quantities of the checks that fail."""
    return [check.quantity for check in claim.measure(implementation, Setting()).checks if not check.holds]


def test_d1_sees_a_certificate_without_the_union(monkeypatch):
    def alone(*given, n_magnitudes):
        return SupportCertificate(*given, n_magnitudes=1)

    monkeypatch.setattr(d1_support_certificate, "SupportCertificate", alone)
    monkeypatch.setattr(d1_support_certificate, "CASES", d1_support_certificate.CASES[:1])
    found = failing(d1_support_certificate)
    assert any("radius off" in name for name in found) and any("at another step" in name for name in found)


def test_d1_sees_a_certificate_that_asks_for_one_radius(monkeypatch):
    """By strengths that are larger by the radius."""
    true = support.SupportCertificate.observe

    def generous(self, state, dual_average, weight):
        seen = true(self, state, dual_average, weight)
        near = np.abs(dual_average) <= 1 - seen.radius
        return dataclasses.replace(seen, since=np.where((seen.since == 0) & near, seen.t, seen.since))

    monkeypatch.setattr(support.SupportCertificate, "observe", generous)
    monkeypatch.setattr(d1_support_certificate, "CASES", d1_support_certificate.CASES[:1])
    assert any("at another step" in name for name in failing(d1_support_certificate))


def test_d2_sees_a_certificate_with_a_small_radius(monkeypatch):
    small = property(lambda self: 0.9 * self.noise * np.sqrt(1 + np.sum(self._maps[0] ** 2, axis=1)))
    monkeypatch.setattr(SchurCertificate, "deviations", small)
    assert any("at another step than they must be" in name for name in failing(d2_schur_certificate))


def test_d2_sees_another_union(monkeypatch):
    monkeypatch.setattr(schur, "anytime_radius", lambda q, rho, k, odds: support.anytime_radius(q, rho, k, odds / 2))
    assert any("Y and radius off" in name for name in failing(d2_schur_certificate))


@register_jitable
def hard(x, strength, metric):
    return x if abs(x) > strength / metric else 0 * x


def test_d3_sees_another_kernel(monkeypatch):
    """Hard thresholding, in the exact trajectory and in the runs alike."""
    monkeypatch.setattr(L1, "kernel", hard)
    d3_exact_trajectory.exact.cache_clear()
    try:
        found = failing(d3_exact_trajectory)
    finally:
        d3_exact_trajectory.exact.cache_clear()
    assert "steps at which W~ is the soft threshold, exactly" in found


def test_d5_sees_a_search_that_looks_in_one_direction(monkeypatch):
    def nearest(self, rng):
        direction = self.basis[:, 0] if self.basis.size else np.zeros_like(self.u)
        return Nearest(self.room(direction) if self.basis.size else np.inf, direction)

    monkeypatch.setattr(Interior, "nearest", nearest)
    monkeypatch.setattr(d5_planted_generator, "QUICK", ("nonnegative l1", "total variation"))
    assert any("margin by pushing" in name for name in failing(d5_planted_generator))


def test_g2_sees_a_strength_that_both_have_wrong(monkeypatch):
    wrong = {
        name: (psi, *others)
        for (name, (_, *others)), psi in zip(
            g2_ramda_support.REGULARIZERS.items(), (L1(0.6), GroupLasso(0.55, axis=-1)), strict=True
        )
    }
    monkeypatch.setattr(g2_ramda_support, "REGULARIZERS", wrong)
    assert sum("not as |V| <= alpha lam says" in name for name in failing(g2_ramda_support)) == 2


class LateIdentifier(ProxSGD):
    """Stays at zero from step 576 on."""

    def step(self, state, grad):
        after = super().step(state, grad)
        if after.t > 575:
            after = dataclasses.replace(after, iterate=0 * after.iterate)
        return after


def test_c4_looks_at_the_end_too():
    found = failing(c4_proxsgd_exit, dataclasses.replace(REFERENCE, ProxSGD=LateIdentifier))
    assert found and all("z of the last exits" in name for name in found)


def test_c9_puts_the_prediction_of_the_library_to_the_test(monkeypatch):
    true = c9_prediction_limits.predict_identification
    monkeypatch.setattr(
        c9_prediction_limits, "predict_identification", lambda m, n, s, **more: true(m, 2 * n, s, **more)
    )
    assert any("P(T0 <= median)" in name for name in failing(c9_prediction_limits))


def test_n6_sees_the_wrong_inputs(monkeypatch):
    """The mirror image of what the iterate keeps: as many."""
    true = PlantedNetworks.inputs

    def mirrored(self, w):
        kept = true(self, w)
        return kept if np.array_equal(w, self.smooth.target) else kept[..., ::-1]

    monkeypatch.setattr(PlantedNetworks, "inputs", mirrored)
    assert failing(n6_flicker_misleads) == ["RMDA: seeds with the needed inputs in the end, fraction"]
