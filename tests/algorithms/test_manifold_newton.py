"""Newton on the manifold: it decreases, it identifies, it converges quadratically, and with few steps."""

import numpy as np
import pytest

from rmda_ref import L1, ElasticNet, GroupLasso, Nuclear
from rmda_ref.algorithms.manifold_newton import ManifoldNewton
from rmda_ref.linear_model.problem import Problem
from rmda_ref.losses import LogisticLoss, MultinomialLoss, SquaredLoss

RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 12)) @ (np.eye(12) + 0.5)
SCORES = X[:, :3] @ RNG.standard_normal((3, 3))
PROBLEMS = {
    "lasso": Problem(SquaredLoss(X, SCORES[:, 0] + 0.1, fit_intercept=True), L1(0.05)),
    "elastic net logistic": Problem(LogisticLoss(X, np.sign(SCORES[:, 0] - 0.3)), ElasticNet(0.05, 0.7)),
    "row groups": Problem(MultinomialLoss(X, SCORES.argmax(axis=1), fit_intercept=True), GroupLasso(0.02, axis=0)),
    "feature groups": Problem(LogisticLoss(X, np.sign(SCORES[:, 1])), GroupLasso(0.03, groups=np.arange(12) // 3)),
    "nuclear, without a tangent": Problem(SquaredLoss(X, SCORES), Nuclear(0.5)),
}


def states(problem, n_steps):
    method = ManifoldNewton(problem.regularizer)
    found = [method.init(problem.model, problem.start, prox_step=1.0)]
    for _ in range(n_steps):
        found.append(method.step(problem.model, found[-1]))
    return found


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_objective_never_rises_and_ends_at_a_kkt_point(name):
    problem = PROBLEMS[name]
    found = states(problem, 40)
    objectives = np.array([state.objective for state in found])
    # A step may be taken for a rise of 8 eps of the objective, which is below 10 here.
    assert (np.diff(objectives) <= 8 * np.finfo(float).eps * 10).all()
    last = found[-1]
    # The gradient is a sum of 60 terms of size 10: 1e-13; without Newton steps the last digits come linearly.
    bar = 1e-11 if problem.regularizer.tangent(last.iterate) is not None else 1e-6
    assert problem.at(last.iterate, last.predictor).kkt_residual <= bar


def test_convergence_is_quadratic_once_the_manifold_is_found():
    problem = PROBLEMS["elastic net logistic"]
    residuals = [problem.at(state.iterate, state.predictor).kkt_residual for state in states(problem, 12)]
    near = [k for k, residual in enumerate(residuals) if residual < 1e-3]
    assert residuals[near[0] + 2] < 1e-7, residuals


def test_proximal_steps_alone_are_much_slower():
    class WithoutTangent(L1):
        def tangent(self, w):
            return None

    def n_steps(psi):
        problem = Problem(PROBLEMS["lasso"].loss, psi)
        residuals = [problem.at(state.iterate, state.predictor).kkt_residual for state in states(problem, 60)]
        return next((k for k, residual in enumerate(residuals) if residual < 1e-11), 60)

    assert n_steps(L1(0.05)) < n_steps(WithoutTangent(0.05)), "Newton's steps must matter"


def test_scales_of_features_do_not_matter_to_the_lasso():
    scales = 10.0 ** np.linspace(-4, 4, 12)
    plain = Problem(SquaredLoss(X, SCORES[:, 0]), L1(0.05))
    scaled = Problem(SquaredLoss(X * scales, SCORES[:, 0]), L1(0.05, weights=scales))
    w, v = (states(problem, 20)[-1].iterate for problem in (plain, scaled))
    np.testing.assert_allclose(v * scales, w, rtol=0, atol=1e-8)  # condition 1e3 times gradients to 1e-12
    np.testing.assert_array_equal(v != 0, w != 0)
