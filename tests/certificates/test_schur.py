"""The Schur certificate: its identity and bounds, when its premise is lost, and what it refuses."""

import dataclasses
import math

import numpy as np
import pytest

from rmda_ref import L1, RMDA, GroupLasso, steps
from rmda_ref.certificates import SchurCertificate

HESSIAN = np.array([[1.0, 0.3, 0.5], [0.3, 0.8, 0.4], [0.5, 0.4, 1.0]])
SIGNS = np.array([1.0, -1.0, 0.0])


def schur(**changes):
    given = {"noise": 0.1, "reach": 2.0, "momentum": 0.5, "horizon": 50} | changes
    return SchurCertificate(L1(1.0), HESSIAN, SIGNS, **given)


def schur_run(certificate, n_steps, start=None, c=0.5, noise=0.1):
    """A lasso with minimiser (2, -3, 0) and mean gradient 0.5 at its inactive entry."""
    target = np.array([2.0, -3.0, 0.0])
    tilt = np.array([1.0, -1.0, -0.5])
    rng = np.random.default_rng(2)
    algorithm = RMDA(L1(1.0), 0.2, c)
    state = algorithm.init(np.zeros(3) if start is None else start)
    seen = [certificate.init(state.iterate)]
    states = steps(
        algorithm, state, lambda w: HESSIAN @ (w - target) - tilt + noise * rng.standard_normal(w.shape), n_steps
    )
    for after in states:
        seen.append(certificate.observe(seen[-1], after.dual_average, after.weight, after.iterate, after.prox_iterate))
    return seen[1:]


@pytest.mark.parametrize("c", [1.0, 0.3])
def test_without_noise_the_residual_is_the_gradient_at_the_minimiser(c):
    """Schur's identity, exact up to rounding: bias and feedback are all there is."""
    seen = schur_run(schur(momentum=c), 100, c=c, noise=0.0)
    assert [state.residual[0] for state in seen[20:]] == pytest.approx([0.5] * 80, abs=1e-12)


def test_the_premise_is_watched():
    """|M (W~ - W^0)| comes to its limit; with a reach below that nothing is ever certified."""
    m = HESSIAN[2:, :2] @ np.linalg.inv(HESSIAN[:2, :2])
    limit = float(np.abs(m @ np.array([2.0, -3.0]))[0])
    kept = schur_run(schur(reach=1.5 * limit + 0.3), 400)[-1]
    assert kept.certified
    assert kept.lost == 0
    assert not schur_run(schur(reach=0.5 * limit), 400)[-1].certified


def test_a_lost_sign_is_noted_once():
    certificate = schur(reach=50.0, horizon=5)
    seen = schur_run(certificate, 3000)[-1]
    assert seen.certified
    flipped = -np.ones(3)
    wrong = certificate.observe(seen, np.zeros(3), seen.weight + 10.0, seen.iterate, flipped)
    assert wrong.lost == 3001
    again = certificate.observe(wrong, np.zeros(3), wrong.weight + 10.0, seen.iterate, flipped)
    assert (again.lost, again.since) == (3001, seen.since)


def test_the_noise_of_the_residual_is_that_of_the_schur_complement():
    m = np.linalg.solve(HESSIAN[:2, :2], HESSIAN[:2, 2])
    assert schur(noise=0.7).deviations == pytest.approx([0.7 * math.hypot(1, *m)], rel=1e-14)


def observed(x, *, stays):
    """Whether it certifies where an inactive entry of W is x after step 1 (``stays``) or, after that, zero at step 2.

    Weights are sqrt(t), V is 0, and W~ is so small on the active part that there is no bias; nor noise to speak of.
    """
    certificate = schur(noise=1e-9, reach=1e-9, momentum=0.5)
    close = 1e-12 * SIGNS
    seen = certificate.init(np.zeros(3))
    for weight, inactive in [(1.0, x)] if stays else [(1.0, x), (1 + math.sqrt(2), 0.0)]:
        iterate = np.array([0.0, 0.0, inactive])
        seen = certificate.observe(dataclasses.replace(seen, since=0 * seen.since), np.zeros(3), weight, iterate, close)
    return bool(seen.certified)


def test_what_momentum_may_still_feed_back_is_counted():
    """(1) lam >= |S x| sqrt(2) (1/c + (1 - c)/(4 c^2)), c = .5; (2) F_2 = sqrt(2) S x, once in Y and once beside it."""
    s = float(1 - HESSIAN[2, :2] @ np.linalg.solve(HESSIAN[:2, :2], HESSIAN[:2, 2]))
    tail, feedback = 1 / (s * math.sqrt(2) * 2.5), (1 + math.sqrt(2)) / (2 * math.sqrt(2) * s)
    assert observed(0.999 * tail, stays=True) and not observed(1.001 * tail, stays=True)
    assert observed(0.999 * feedback, stays=False) and not observed(1.001 * feedback, stays=False)


@pytest.mark.parametrize("c", [1.0, 0.5, 0.02])
@pytest.mark.parametrize("t", [1, 7, 500])
def test_the_bound_on_what_is_left_of_momentum(c, t):
    """By summing the weights eta sqrt(i) (1 - c)^(i - t - 1), i > t."""
    i = np.arange(t + 1.0, t + 3000)
    total = float((0.3 * np.sqrt(i) * (1 - c) ** (i - t - 1)).sum())
    bound = schur(momentum=c)._fading(0.3, t)
    assert total <= bound * (1 + 1e-12)
    assert bound <= 4 * total


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"regularizer": GroupLasso(1.0, axis=0)}, TypeError, "must be L1, got GroupLasso"),
        ({"hessian": np.eye(2)}, ValueError, r"hessian has shape \(2, 2\)"),
        ({"signs": np.zeros(3)}, ValueError, "both active and inactive"),
        ({"reach": -1.0}, ValueError, "reach must be finite and at least 0"),
        ({"momentum": 0.0}, ValueError, "momentum must lie in"),
        ({"noise": np.ones(3)}, TypeError, "noise must be a number"),
    ],
)
def test_bad_parameters_of_schur_are_named(changes, error, text):
    with pytest.raises(error, match=text):
        dataclasses.replace(schur(), **changes)


def test_schur_refuses_starts_and_steps_that_its_proof_does_not_cover():
    certificate = schur()
    with pytest.raises(ValueError, match="w0 must be 0 on inactive"):
        certificate.init(np.ones(3))
    with pytest.raises(ValueError, match="w0 has shape"):
        certificate.init(np.zeros(4))
    seen = certificate.observe(certificate.init(np.zeros(3)), np.zeros(3), 1.0, np.zeros(3), np.zeros(3))
    with pytest.raises(ValueError, match="step_size fell"):
        certificate.observe(seen, np.zeros(3), 1.1, np.zeros(3), np.zeros(3))


def test_schur_keeps_nothing_that_a_stepper_changes():
    """Fed the live views of a stepper it knows what it does from the states."""
    rng, target, tilt = np.random.default_rng(3), np.array([2.0, -3.0, 0.0]), np.array([1.0, -1.0, -0.5])
    algorithm, certificate = RMDA(L1(1.0), 0.2), schur(momentum=1.0)
    stepper, state = algorithm.stepper(np.zeros(3)), algorithm.init(np.zeros(3))
    live, pure = certificate.init(stepper.iterate), certificate.init(state.anchor)
    for _ in range(20):
        grad = (state.iterate - target) @ HESSIAN - tilt + 0.1 * rng.standard_normal(3)
        stepper.step(grad)
        state = algorithm.step(state, grad)
        live = certificate.observe(live, state.dual_average, state.weight, stepper.iterate, stepper.iterate)
        pure = certificate.observe(pure, state.dual_average, state.weight, state.iterate, state.prox_iterate)
    np.testing.assert_array_equal(live.anchor, np.zeros(3))
    np.testing.assert_allclose(live.residual, pure.residual, rtol=1e-9)  # the steppers agree to rounding


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"signs": np.array([2.0, -3.0, 0.0])}, "signs must be -1, 0 or 1"),
        ({"hessian": np.triu(HESSIAN)}, "hessian must be finite and symmetric"),
        ({"hessian": np.full((3, 3), np.nan)}, "hessian must be finite and symmetric"),
        ({"hessian": np.ones((3, 3))}, "hessian must be positive definite on the active entries"),
        ({"hessian": -np.eye(3)}, "hessian must be positive definite on the active entries"),
        ({"regularizer": L1(1.0, weights=np.ones(2))}, "weights has 2 entries for 3"),
        ({"reach": np.ones(2)}, "reach has 2 entries for 1 inactive entries"),
        ({"eps": 1.0}, r"eps must lie in \[1e-100, 1\)"),
    ],
)
def test_schur_refuses_what_does_not_fit(changes, text):
    with pytest.raises(ValueError, match=text):
        dataclasses.replace(schur(), **changes)


def test_schur_refuses_another_parameter_than_that_of_the_start():
    certificate = schur()
    one, two = np.zeros(3), np.zeros((2, 3))
    with pytest.raises(ValueError, match=r"dual_average has shape \(2, 3\), w0 had \(3,\)"):
        certificate.observe(certificate.init(one), two, 1.0, one, one)
