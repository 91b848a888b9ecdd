"""S5. RMDA identifies the support of a logistic model on a population, whose noise is that of single samples.

f(w) = E[log(1 + e^<x, w>) - y <x, w>] with x Gaussian and P(y = 1 | x) = sigma(<x, W*>): the model is right, hence
grad f(W*) = 0, and F = f - <u, .> + lam ||.||_1 with u in d psi(W*) is minimal at W*. Nothing is quadratic and no noise
is added: a step sees one sample, whose gradient (p - y) x has at W* the covariance E[p (1 - p) x x^T] = grad^2 f(W*).
In an inactive coordinate that is E p (1 - p) =: sigma^2, by independence, and the margin is set to sigma.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from problems import Planted, PopulationLogistic
from rmda_ref import L1
from rmda_ref.crosscheck.mutants import Implementation
from validation.claim import Claim, Measurement, Picture, Setting
from validation.separation import Race, checks, curves, has_support, run_each
from validation.separation_law import DualLaw, coordinates, predicted

N_SEEDS, N_STEPS = (15, 50), (4000, 20_000)  # quick, full
DIMENSION, N_ACTIVE, ACTIVE_SIZE = 20, 5, 1.0
LAM, STEP_SIZE, RAMDA_STEP_SIZE = 0.5, 0.02, 0.002
ENTRANTS = ("RMDA, c = 1", "RMDA, c = 0.1", "RAMDA", "ProxSGD", "ProxSGD, decaying step")


@dataclass(frozen=True, eq=False)
class ManySeeds(PopulationLogistic):
    """A fresh sample for each seed, along the first axis."""

    def noisy_gradient(self, w: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        x = rng.standard_normal(w.shape)
        y = rng.random(len(w)) < expit(x @ self.target)
        return np.asarray((expit((x * w).sum(axis=-1)) - y)[:, None] * x)


def deviation(smooth: PopulationLogistic) -> float:
    """sigma: of a sample's gradient at W* in an inactive coordinate; 25 nodes a deviation integrate to rounding."""
    z = np.arange(-225, 226) / 25
    weights = np.exp(-(z**2) / 2) / np.exp(-(z**2) / 2).sum()
    p = expit(np.linalg.norm(smooth.target) * z)
    return float(np.sqrt(weights @ (p * (1 - p))))


def planted(setting: Setting) -> Planted:
    rng = setting.rng("S5", "problem")
    target = np.zeros(DIMENSION)
    target[rng.permutation(DIMENSION)[:N_ACTIVE]] = ACTIVE_SIZE * rng.choice([-1.0, 1.0], N_ACTIVE)
    smooth = ManySeeds(target)
    return Planted.with_margin(smooth, L1(LAM), deviation(smooth), rng)


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    problem, start = planted(setting), np.zeros((setting.size(*N_SEEDS), DIMENSION))
    is_right = has_support(problem.solution != 0)
    race = Race(problem, start, is_right, setting.size(*N_STEPS), STEP_SIZE, ENTRANTS, RAMDA_STEP_SIZE)
    outcomes = run_each({0: race}, implementation, setting, "S5")[0]
    title = "With single samples of a logistic population RMDA finds the support, ProxSGD never holds it"
    ylabel = "seeds with the right support, fraction"
    law = predicted(
        [_law(problem)], lambda v: (np.abs(v) <= LAM).all(axis=-1), race.n_steps, STEP_SIZE, setting.rng("S5", "law")
    )
    picture = Picture(title, "step t", ylabel, (law, *curves(outcomes)), xscale="log")
    return Measurement(tuple(checks(outcomes, "")), (picture,))


def _law(problem: Planted) -> DualLaw:
    """Covariance and Hessian are sigma^2 I across inactive coordinates, which nothing couples to the active ones."""
    assert isinstance(problem.smooth, PopulationLogistic)
    w = problem.solution
    alike = deviation(problem.smooth) ** 2 * np.eye(w.size)  # among active coordinates they are not; it does not matter
    return DualLaw(w, alike, problem.gradient(w), alike, coordinates(w == 0))


CLAIM = Claim(
    id="S5",
    title="Support of a logistic population",
    statement=(
        "On logistic regression over a Gaussian population (20 coordinates, 5 active), one fresh sample a step, with "
        "an l1 term and a tilt that plants the solution with a margin of one standard deviation of the gradient, W~ of "
        "RMDA (c = 1 and c = 0.1) and RAMDA has the right support at every step after a finite one; ProxSGD, with a "
        "constant or a decaying step, has not."
    ),
    source=(
        "Huang & Lee (ICLR 2022), manifold identification; RAMDA: Huang & Lee (NeurIPS 2024); planted by "
        "problems/planted.py"
    ),
    bar=(
        f"Every seed ({N_SEEDS[0]} quick, {N_SEEDS[1]} full) of RMDA and RAMDA right at every step after the first "
        f"tenth of {N_STEPS[0]} (quick) or {N_STEPS[1]:,} steps; ProxSGD wrong somewhere in at least 99% of the "
        "windows of 100 steps. The gradients are not Gaussian and f not quadratic, so that no failure probability is "
        "derived; as a guide, a Gaussian dual average errs by the margin at t = 400 with probability below 1e-70."
    ),
    measure=measure,
    theorems=("identification", "no-identification", "ramda"),
    failure_probability=None,
)
