"""A8. Restarts contract the error by the same factor in each stage.

Around the shifted target W* = b - s lam/h the gradient of f = h/2 (W - b)^2 is h x - s lam, s the sign of W*. As long
as W~ keeps that sign, the prox adds -(alpha_t/beta_t) s lam, and V^t holds -alpha_t s lam: they cancel, and x follows
the recurrence of psi = 0 (`validation.recurrences`). A stage of T steps multiplies x by p_T(eta h, c); a restart that
forgets W^0, V, alpha and t makes the next stage the same. An alpha that is kept no longer cancels.
"""

import numpy as np

from rmda_ref import L1, Stage
from rmda_ref.crosscheck.mutants import RMDA_MUTANTS, Implementation
from validation.claim import Check, Claim, Curve, Measurement, Picture, Setting
from validation.recurrences import quadratic_recurrence

BAR = 1e-11
CASES = ((1.0, 5), (0.5, 8), (0.3, 12), (0.1, 30))  # momentum, steps of a stage
N_STAGES, STEP_SIZE, LAM = 5, 0.5, 0.3
LEAST_FACTOR = 0.45  # |p_T|: a smaller one to the power of N_STAGES drowns in the rounding of W*
CANDIDATES = np.linspace(0.02, 0.6, 100)


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    checks: list[Check] = []
    curves: list[Curve] = []
    stages = np.arange(N_STAGES + 1)
    for momentum, n_steps in CASES:
        rate, factor = _rates(momentum, n_steps)
        ratios, flips = _run(implementation, setting.rng("A8", n_steps), rate, momentum, n_steps)
        predicted = factor ** stages[1:, None]
        name = f"c = {momentum:g}, T = {n_steps}"
        checks += (
            Check.at_most(f"{name}: relative error", np.abs(ratios / predicted - 1).max(), BAR),
            Check.within(f"{name}: signs lost", 0, flips, 0),
        )
        curves += (
            Curve(f"{name}: p_T^k", stages.tolist(), np.abs(factor[0] ** stages).tolist(), "predicted"),
            Curve(name, stages.tolist(), [1.0, *np.abs(ratios[:, 0]).tolist()]),
        )
    title = "Each restarted stage multiplies the error by the same factor"
    picture = Picture(title, "stages k", f"|x_kT / x_0|, eta h = {CANDIDATES[0]:g}", tuple(curves), yscale="log")
    return Measurement(tuple(checks), (picture,))


def _rates(momentum: float, n_steps: int) -> tuple[np.ndarray, np.ndarray]:
    """The rates eta h that are used, with their factors p_T."""
    *_, (factor, _) = quadratic_recurrence(CANDIDATES, momentum, n_steps)
    used = np.abs(factor) >= LEAST_FACTOR
    return CANDIDATES[used], factor[used]


def _run(
    implementation: Implementation, rng: np.random.Generator, rate: np.ndarray, momentum: float, n_steps: int
) -> tuple[np.ndarray, int]:
    """x_kT / x_0 after each stage k, and how often W~ did not have the sign of W*."""
    sign = rng.choice([-1.0, 1.0], rate.shape)
    optimum = sign * rng.uniform(1.5, 2.0, rate.shape)
    x0 = rng.choice([-1.0, 1.0], rate.shape) * rng.uniform(0.3, 0.6, rate.shape)
    curvature = rate / STEP_SIZE
    target = optimum + sign * LAM / curvature
    stages = [Stage(n_steps, STEP_SIZE, momentum)] * N_STAGES
    algorithm = implementation.RMDA(L1(LAM), STEP_SIZE, momentum)
    states = list(implementation.staged_steps(algorithm, optimum + x0, lambda w: curvature * (w - target), stages))
    ends = np.array([state.iterate for state in states[n_steps - 1 :: n_steps]])
    flips = sum(int(np.sum(np.sign(state.prox_iterate) != sign)) for state in states)
    return (ends - optimum) / x0, flips


CLAIM = Claim(
    id="A8",
    title="Restarts contract geometrically",
    statement=(
        "On an orthogonal quadratic with an l1 term, around the shifted target and with the active signs kept, K "
        "stages of T steps with restarts in between multiply the error by p_T(eta h, c)^K, where p_T is x_T/x_0 of "
        "the scalar recurrence."
    ),
    source=(
        "Huang & Lee (ICLR 2022), Algorithm 1 restarted from W^T; derived in "
        "validation/claims/a8_restart_contraction.py"
    ),
    bar=(
        f"A few roundings of W*, 1e-15, over the smallest error measured, 0.3 times {LEAST_FACTOR}^{N_STAGES}: a few "
        "1e-13, and a margin of 30."
    ),
    measure=measure,
    kills=(*RMDA_MUTANTS, "restart_late"),
    theorems=("restarts", "dynamics"),
    failure_probability=0.0,
)
