"""The support certificates: their formulas against other derivations, what they refuse, and when they are wrong."""

import dataclasses
import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize_scalar

from rmda_ref import L1, RDA, RMDA, GroupLasso, Nuclear, PowerDecay, steps
from rmda_ref.certificates import SchurCertificate, SupportCertificate, anytime_radius, best_rho

HESSIAN = np.array([[1.0, 0.3, 0.5], [0.3, 0.8, 0.4], [0.5, 0.4, 1.0]])
SIGNS = np.array([1.0, -1.0, 0.0])


def run(certificate, algorithm, gradient, w0, n_steps):
    """The states of the certificate, one a step."""
    state = algorithm.init(w0)
    seen = [certificate.init(state.iterate)]
    for after in steps(algorithm, state, gradient, n_steps):
        seen.append(certificate.observe(seen[-1], after.dual_average, after.weight))
    return seen[1:]


def test_one_entry_has_the_radius_of_the_theory():
    q, rho, m, eps = 3.7, 0.6, 14, 0.05
    theory = math.sqrt((q + rho) * math.log((q + rho) * m**2 / (rho * eps**2)))
    assert anytime_radius(q, rho, 1, m / eps) == pytest.approx(theory, rel=1e-14)


@pytest.mark.parametrize("size", [1, 3])
def test_at_the_radius_the_mixture_equals_the_odds(size):
    """The mean of exp(<x, M> - |x|^2 Q/2) over x ~ N(0, I/rho), by quadrature along and across M."""
    q, rho, odds = 2.0, 0.7, 30.0
    m = anytime_radius(q, rho, size, odds)

    def mean(drift):
        density = math.sqrt(rho / (2 * math.pi))
        return quad(lambda x: density * math.exp(drift * x - x * x * (q + rho) / 2), -30, 30, epsabs=1e-13)[0]

    assert mean(m) * mean(0.0) ** (size - 1) == pytest.approx(odds, rel=1e-8)


@pytest.mark.parametrize(("size", "odds"), [(1, 20.0), (5, 300.0)])
def test_best_rho_is_the_minimiser(size, odds):
    found = minimize_scalar(
        lambda log: anytime_radius(2.0, math.exp(log), size, odds), bounds=(-8, 4), method="bounded"
    )
    assert best_rho(2.0, size, odds) == pytest.approx(math.exp(found.x), rel=1e-3)  # a minimum is flat


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0, 3.0])
@pytest.mark.parametrize(("size", "odds"), [(1, 1.0 + 1e-9), (1, 400.0), (20, 5.0)])
@pytest.mark.parametrize("rho", [1e-6, 1.0, 1e6])
def test_the_radius_never_grows_where_step_sizes_do_not(power, size, odds, rho):
    t = np.arange(1.0, 3000)
    s = t ** (0.5 - power)
    radii = anytime_radius(np.cumsum(s**2), rho, size, odds) / np.cumsum(s)
    assert (np.diff(radii) <= 1e-12 * radii[:-1]).all()  # rounding


def test_random_nonincreasing_step_sizes_do_not_make_it_grow_either():
    rng = np.random.default_rng(0)
    t = np.arange(1.0, 400)
    for _ in range(200):
        eta = np.exp(-np.cumsum(rng.exponential(rng.choice([1e-3, 0.1, 1.0]), len(t)) * (rng.random(len(t)) < 0.05)))
        s = eta * np.sqrt(t)
        radii = anytime_radius(np.cumsum(s**2), 10 ** rng.uniform(-6, 6), 1, 1.001) / np.cumsum(s)
        assert (np.diff(radii) <= 1e-12 * radii[:-1]).all()


def test_step_sizes_that_grow_can_make_it_grow():
    """So the refusal below is not for nothing."""
    s = np.array([1.0] * 50 + [100.0])
    radii = anytime_radius(np.cumsum(s**2), 1.0, 1, 20.0) / np.cumsum(s)
    assert radii[-1] > 1.5 * radii[-2]


@pytest.mark.parametrize("algorithm", [RMDA(L1(1.0), 0.3, 0.5), RMDA(L1(1.0), PowerDecay(0.3, 0.5)), RDA(L1(1.0), 2.0)])
def test_an_entry_is_certified_when_the_rule_first_holds(algorithm):
    mean, noise = np.array([0.3, -0.6, 3.0]), 0.2
    rng = np.random.default_rng(1)
    certificate = SupportCertificate(L1(1.0), noise, eps=0.1, horizon=20)
    averages, radii = [], []
    state = algorithm.init(np.zeros(3))
    seen = certificate.init(np.zeros(3))
    for t, after in enumerate(steps(algorithm, state, lambda w: mean + noise * rng.standard_normal(3), 200), 1):
        seen = certificate.observe(seen, after.dual_average, after.weight)
        averages.append(np.abs(after.dual_average))
        radii.append(seen.radius)
        assert seen.t == t
    holds = np.array(averages) + 2 * np.array(radii)[:, None] <= 1.0
    assert seen.since.tolist() == [int(np.argmax(h)) + 1 if h.any() else 0 for h in holds.T]
    assert seen.certified.tolist() == [True, True, False]


def test_the_radius_of_a_run_is_the_formula_whatever_the_step_size():
    """Of the default horizon, and of a group with its own weight and noise."""
    t = np.arange(1.0, 31)
    squares, sums = t * (t + 1) / 2, np.cumsum(np.sqrt(t))
    for eta in (1e-3, 7.0):
        certificate = SupportCertificate(GroupLasso(1.0, axis=0, weights=[1.0, 2.0]), np.array([0.5, 2.0]))
        seen = run(certificate, RMDA(certificate.regularizer, eta), np.ones_like, np.zeros((4, 2)), 30)
        for g, sigma in enumerate((0.5, 2.0)):
            rho = best_rho(sigma**2 * 5050.0, 4, 2 / 0.05)
            expected = anytime_radius(sigma**2 * squares, rho, 4, 2 / 0.05) / sums
            assert [state.radius[g] for state in seen] == pytest.approx(expected.tolist(), rel=1e-9)


def test_groups_given_by_labels_or_axes_are_certified_alike():
    gradient = np.array([[0.1, 2.0], [0.1, 2.0]])
    seen = [
        run(SupportCertificate(psi, 0.1), RMDA(psi, 0.5), lambda w: gradient, np.zeros((2, 2)), 50)[-1]
        for psi in (GroupLasso(1.0, axis=0), GroupLasso(1.0, groups=[[0, 2], [1, 3]]))
    ]
    assert seen[0].certified.tolist() == seen[1].certified.tolist() == [True, False]
    assert seen[0].since.tolist() == seen[1].since.tolist()


def test_what_does_not_start_at_zero_is_not_certified():
    psi = L1(1.0)
    last = run(SupportCertificate(psi, 0.01), RMDA(psi, 0.5), np.zeros_like, np.array([0.0, 1.0]), 100)[-1]
    assert last.certified.tolist() == [True, False]


def test_a_smaller_union_or_a_larger_eps_certifies_earlier():
    psi = L1(1.0)

    def since(**changes):
        certificate = SupportCertificate(psi, 0.5, horizon=30, **changes)
        return run(certificate, RMDA(psi, 0.5), lambda w: np.full_like(w, 0.3), np.zeros(50), 200)[-1].since[0]

    assert since(eps=0.5) < since() < since(eps=1e-6)
    assert since(n_magnitudes=1) < since()


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"regularizer": Nuclear(1.0)}, TypeError, "L1 or GroupLasso, got Nuclear"),
        ({"noise": 0.0}, ValueError, "noise must be positive"),
        ({"noise": np.array([1.0, math.nan])}, ValueError, "noise must be positive"),
        ({"eps": 0.0}, ValueError, "eps must lie in"),
        ({"horizon": 0}, ValueError, "horizon must be at least 1"),
        ({"n_magnitudes": 1.5}, TypeError, "n_magnitudes must be an integer"),
    ],
)
def test_bad_parameters_are_named(changes, error, text):
    with pytest.raises(error, match=text):
        dataclasses.replace(SupportCertificate(L1(1.0), 1.0), **changes)


def test_noise_must_fit_the_parameter():
    with pytest.raises(ValueError, match="noise has 3 entries for 2 magnitudes"):
        SupportCertificate(L1(1.0), np.ones(3)).init(np.zeros(2))


def test_a_restart_or_a_growing_step_size_is_refused():
    certificate = SupportCertificate(L1(1.0), 1.0)
    seen = certificate.observe(certificate.init(np.zeros(2)), np.ones(2), 1.0)
    with pytest.raises(ValueError, match="after a restart"):
        certificate.observe(seen, np.ones(2), 0.5)
    with pytest.raises(ValueError, match=r"step_size grew to 2\.1"):
        certificate.observe(seen, np.ones(2), 4.0)


def test_another_parameter_than_that_of_the_start_is_refused():
    certificate = SupportCertificate(L1(1.0), 1.0)
    with pytest.raises(ValueError, match=r"dual_average of shape \(1,\) has \(1,\) entries or groups, w0 had \(2,\)"):
        certificate.observe(certificate.init(np.zeros(2)), np.ones(1), 1.0)


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
    ],
)
def test_schur_refuses_what_is_no_sign_and_no_hessian(changes, text):
    with pytest.raises(ValueError, match=text):
        dataclasses.replace(schur(), **changes)


def test_schur_refuses_another_parameter_than_that_of_the_start():
    certificate = schur()
    one, two = np.zeros(3), np.zeros((2, 3))
    with pytest.raises(ValueError, match=r"dual_average has shape \(2, 3\), w0 had \(3,\)"):
        certificate.observe(certificate.init(one), two, 1.0, one, one)
