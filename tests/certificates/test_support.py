"""The support certificate: its formulas against other derivations, what it refuses, and when it is wrong."""

import dataclasses
import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize_scalar

from rmda_ref import L1, RDA, RMDA, GroupLasso, Nuclear, PowerDecay, steps
from rmda_ref.certificates import SupportCertificate, anytime_radius, best_rho


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
        ({"eps": 1.0}, ValueError, r"eps must lie in \[1e-100, 1\), got 1.0"),
        ({"eps": 1e-200}, ValueError, r"eps must lie in \[1e-100, 1\), got 1e-200"),
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


def test_a_dual_average_that_is_not_finite_is_refused():
    certificate = SupportCertificate(L1(1.0), 1.0)
    with pytest.raises(ValueError, match=r"dual_average has 1 non-finite entries, the first at index \(1,\)"):
        certificate.observe(certificate.init(np.zeros(2)), np.array([0.0, math.nan]), 1.0)


@pytest.mark.parametrize("eps", [1e-100, 1 - 1e-9])
def test_the_radius_is_finite_for_every_eps(eps):
    certificate = SupportCertificate(L1(1.0), 1.0, eps=eps)
    assert 0 < certificate.observe(certificate.init(np.zeros(1)), np.zeros(1), 1.0).radius < math.inf
