"""Certificates on arrays of other namespaces: what is computed there, and what says that it is for the host."""

import math

import array_api_strict as strict
import numpy as np
import pytest

from rmda_ref import (
    L1,
    MCP,
    RMDA,
    Block,
    Blocks,
    ElasticNet,
    GroupLasso,
    Nuclear,
    OverlappingGroupLasso,
    Stage,
    Zero,
)
from rmda_ref.certificates.duality import dual_value
from rmda_ref.certificates.exact import exact_trajectory, supports_agree, ulps
from rmda_ref.certificates.identification import IdentificationTracker
from rmda_ref.certificates.identification_time import predict_identification, rmda_law
from rmda_ref.certificates.margin import margin
from rmda_ref.certificates.schur import SchurCertificate
from rmda_ref.certificates.support import SupportCertificate
from rmda_ref.losses import SquaredLoss

RNG = np.random.default_rng(0)
X, Y, W = RNG.standard_normal((6, 4)), RNG.standard_normal(6), np.array([1.0, 0.0, -2.0, 0.0])
M, U = np.outer([1.0, 2.0, 0.0], [1.0, 0.0, -1.0, 2.0]), 0.1 * RNG.standard_normal((3, 4))
# Sums of at most 12 terms of order 1, a few roundings each, and singular values, 10 times that.
ALLOWED = 500 * np.finfo(float).eps


# --- duality


def dual(psi, put, change=1.0):
    loss = SquaredLoss(put(X), put(Y))
    u = loss.dual_point(put(W))
    return dual_value(loss, psi, change * u, u @ loss.X)


@pytest.mark.parametrize("psi", [L1(0.05), L1(5.0), GroupLasso(0.1, groups=[[0, 1], [2, 3]]), ElasticNet(0.3, 0.5)])
def test_dual_values_are_those_of_numpy(xp, psi):
    found, expected = dual(psi, xp.asarray), dual(psi, np.asarray)
    assert isinstance(found, float) and abs(found - expected) < ALLOWED
    assert abs(dual(psi, xp.asarray, change=1.001) - expected) > 1e6 * ALLOWED, "another dual point is seen"
    on_device = dual(psi, lambda x: strict.asarray(x, device=strict.Device("device1"))) if psi.separable else found
    assert abs(on_device - expected) < ALLOWED


def test_no_conjugate_is_told_from_no_conjugate_on_these_arrays(xp):
    assert dual(Zero(), xp.asarray) == dual(MCP(1.0), xp.asarray) == -math.inf
    overlapping = OverlappingGroupLasso(0.1, groups=[[0, 1], [1, 2], [3]])
    assert dual(overlapping, np.asarray) > -math.inf
    with pytest.raises(TypeError, match=r"OverlappingGroupLasso has no evaluation on .* arrays"):
        dual(overlapping, xp.asarray)


def test_dual_points_of_another_namespace_raise(xp):
    loss = SquaredLoss(X, Y)
    u = loss.dual_point(W)
    with pytest.raises(TypeError, match=r"^u is .* and X is numpy.ndarray"):
        dual_value(loss, L1(0.05), xp.asarray(u), u @ X)
    with pytest.raises(TypeError, match=r"^correlation is .* and X is numpy.ndarray"):
        dual_value(loss, L1(0.05), u, xp.asarray(u @ X))


# --- margins

PARTS = Blocks((Block("a", (3, 4), L1(1.0)), Block("b", (4,))))
MARGINS = {
    "l1": (L1(1.0), M, U),
    "groups": (GroupLasso(1.0, axis=0), M, U),
    "labels": (GroupLasso(1.0, groups=[[0, 1], [2, 3]]), np.array([0.0, 0.0, 1.0, 2.0]), U[0]),
    "nuclear": (Nuclear(1.0), M, U),
    "full rank": (Nuclear(1.0), np.eye(3), U[:, :3]),
    "zero": (Zero(), M, U),
    "blocks": (PARTS, np.append(M, W), np.append(U, W)),
}


@pytest.mark.parametrize("name", MARGINS)
def test_margins_are_those_of_numpy(xp, name):
    psi, w, u = MARGINS[name]
    found, expected = margin(psi, xp.asarray(w), xp.asarray(u)), margin(psi, w, u)
    assert isinstance(found, float) and (found == expected or abs(found - expected) < ALLOWED)
    if math.isfinite(expected):
        other = margin(psi, xp.asarray(w), xp.asarray(1.001 * u))
        assert abs(other - expected) > 1e6 * ALLOWED, "another subgradient is seen"
    with pytest.raises(TypeError, match=r"^u is numpy.ndarray and w is .*; use xp.asarray\(u, device=w.device\)"):
        margin(psi, xp.asarray(w), u)


# --- identification: a mask, a byte an entry, is what comes to the host


def test_a_tracker_takes_states_of_any_namespace(xp):
    reports = []
    for put in (np.asarray, xp.asarray):
        algorithm = RMDA(psi := L1(lam=1.0), step_size=0.5)
        tracker = IdentificationTracker(psi, target=psi.manifold(np.array([0.0, 2.0])))
        state = algorithm.init(put(np.zeros(2)))
        for grad in ([-3.0, 0.0], [1.0, -5.0], [1.0, -5.0]):
            state = algorithm.step(state, put(np.array(grad)))
            tracker.update(state)
        reports.append(tracker.current)
    assert reports[0] == reports[1] and reports[0].since == 2


# --- what runs on the host


def refused(name, call):
    with pytest.raises(TypeError, match=rf"^{name} is .*this certificate runs on the host.*on_host\({name}\)"):
        call()


def test_the_support_certificate_runs_on_the_host(xp):
    certificate, zeros = SupportCertificate(L1(1.0), noise=0.5), np.zeros(3)
    state = certificate.init(zeros)
    refused("w0", lambda: certificate.init(xp.asarray(zeros)))
    refused("dual_average", lambda: certificate.observe(state, xp.asarray(zeros), 1.0))
    refused("noise", lambda: SupportCertificate(L1(1.0), noise=xp.asarray(zeros + 1)))
    assert certificate.observe(state, zeros, 1.0).t == 1


def test_the_schur_certificate_runs_on_the_host(xp):
    signs, hessian, zeros = np.array([1.0, 0.0]), np.eye(2), np.zeros(2)
    certificate = SchurCertificate(L1(1.0), hessian, signs, noise=0.5, reach=1.0)
    state = certificate.init(zeros)
    refused("hessian", lambda: SchurCertificate(L1(1.0), xp.asarray(hessian), signs, noise=0.5, reach=1.0))
    refused("signs", lambda: SchurCertificate(L1(1.0), hessian, xp.asarray(signs), noise=0.5, reach=1.0))
    refused("w0", lambda: certificate.init(xp.asarray(zeros)))
    for name in ("dual_average", "iterate", "prox_iterate"):
        given = {"dual_average": zeros, "iterate": zeros, "prox_iterate": zeros, name: xp.asarray(zeros)}
        refused(name, lambda given=given: certificate.observe(state, weight=1.0, **given))


def test_exact_trajectories_run_on_the_host(xp):
    stages, zeros = [Stage(1, step_size=0.5)], np.zeros(2)
    exact = exact_trajectory(L1(1.0), zeros, lambda w: [-3.0, 0.5], stages)
    refused("w0", lambda: exact_trajectory(L1(1.0), xp.asarray(zeros), lambda w: [-3.0, 0.5], stages))
    refused("gradient", lambda: exact_trajectory(L1(1.0), zeros, lambda w: xp.asarray(zeros), stages))
    for call in (ulps, supports_agree):
        refused("prox_iterates", lambda call=call: call([xp.asarray(zeros)], exact))


def test_laws_run_on_the_host(xp):
    half = xp.asarray(np.array([0.5]))
    refused("quantiles", lambda: predict_identification(0.1, 1.0, 0.1, quantiles=half))
    refused("q", lambda: rmda_law().quantile(half))
    refused("x", lambda: rmda_law().cdf(half))
