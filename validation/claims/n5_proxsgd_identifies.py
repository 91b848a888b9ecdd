"""N5. Proximal SGD does identify where the noise stays below the margin; a slow average of gradients puts it there.

An l1 problem without correlations: on an inactive coordinate the gradient of the smooth part is h w - u + zeta, where
|u| = lam - delta. (1) Bounded noise, |zeta| <= .9 delta. Say u >= 0 (else mirror). From w > 0 the step to
prox_{eta lam}(w - eta (h w - u + zeta)) is at most

    (1 - eta h) w - eta (delta - .9 delta),      and from w < 0 the same for |w|, with 2 lam - delta for delta;

from 0 it stays 0, because |zeta - u| <= lam - .1 delta. Hence zero is reached, for ever, after at most

    T = ceil(log(1 + 10 h |w_0|/delta) / -log(1 - eta h)) steps,

whatever the noise does: nothing random is left. Active coordinates keep within .9 delta/h of the target. (2) Gaussian
noise of deviation sigma = delta is no such noise (claim C4), but M^t = (1 - c) M^{t-1} + c g_t has only the deviation
sigma sqrt(c/(2 - c)): for c = .01 the margin is 14 deviations. So what RMDA must beat is noise *above* the margin, and
"ProxSGD never identifies" without that condition is false.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr

from problems.tilt import subgradient
from rmda_ref import L1
from rmda_ref.crosscheck.mutants import Implementation
from validation.claim import Check, Claim, Curve, Measurement, Picture, Setting
from validation.separation import last_wrong_step, seeds_right_throughout, shown_steps, wrong_windows

N_SEEDS, N_AVERAGED, N_STEPS = (50, 200), (25, 100), (3000, 20_000)  # quick, full
DIMENSION, N_ACTIVE, ACTIVE_SIZE, START = 20, 6, 3.0, 1.0
LAM, MARGIN, STEP_SIZE, SLOW = 1.0, 0.5, 0.1, 0.01
CURVATURE = np.linspace(0.5, 1.5, DIMENSION)
BELOW, ABOVE = 0.9, 1.5  # bounds of the noise, in margins

N_INACTIVE = DIMENSION - N_ACTIVE
LIMIT = float(np.ceil(np.log1p(CURVATURE * START / (MARGIN * (1 - BELOW))) / -np.log1p(-STEP_SIZE * CURVATURE)).max())
_AVERAGED = MARGIN * np.sqrt(SLOW / (2 - SLOW))
FAILURE_PROBABILITY = float(N_AVERAGED[1] * N_STEPS[1] * N_INACTIVE * 2 * ndtr(-MARGIN / _AVERAGED))


@dataclass(frozen=True)
class Case:
    """A noise, a momentum c, and whether ProxSGD identifies."""

    name: str
    noise: Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]
    momentum: float
    n_seeds: tuple[int, int]
    identifies: bool


def bounded(size: float) -> Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]:
    return lambda rng, shape: size * MARGIN * rng.uniform(-1, 1, shape)


def gaussian(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return MARGIN * rng.standard_normal(shape)


CASES = (
    Case(f"|noise| <= {BELOW:g} delta", bounded(BELOW), 1.0, N_SEEDS, True),
    Case(f"|noise| <= {ABOVE:g} delta", bounded(ABOVE), 1.0, N_SEEDS, False),
    Case(f"sigma = delta, c = {SLOW:g}", gaussian, SLOW, N_AVERAGED, True),
    Case("sigma = delta, c = 1", gaussian, 1.0, N_AVERAGED, False),
)


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    n_steps = setting.size(*N_STEPS)
    checks: list[Check] = []
    curves: list[Curve] = []
    for case in CASES:
        right = _right(implementation, setting, case, n_steps)
        n = right.shape[1]
        if case.identifies:
            checks.append(Check(f"{case.name}: seeds right", n, seeds_right_throughout(right), n, n))
        else:
            checks.append(Check(f"{case.name}: windows wrong, worst seed", 1.0, wrong_windows(right), 0.99, 1.0))
        if case is CASES[0]:
            last = last_wrong_step(right)
            checks.append(Check(f"{case.name}: last wrong step against its bound", LIMIT - 1, last, 0, LIMIT - 1))
        shown = shown_steps(n_steps)
        curves.append(Curve(case.name, shown, [float(right[t - 1].mean()) for t in shown]))
    bound = Curve("bound on T0, derived", (LIMIT, LIMIT), (0.0, 1.0), "predicted")
    title = "Where the noise stays below the margin, or is averaged below it, ProxSGD identifies too"
    picture = Picture(title, "step t", "seeds with the right support, fraction", (bound, *curves), "log")
    return Measurement(tuple(checks), (picture,))


def _right(implementation: Implementation, setting: Setting, case: Case, n_steps: int) -> np.ndarray:
    """(n_steps, n_seeds): whether ProxSGD had the right support."""
    rng = setting.rng("N5", "problem")
    target = np.zeros(DIMENSION)
    target[rng.permutation(DIMENSION)[:N_ACTIVE]] = ACTIVE_SIZE * rng.choice([-1.0, 1.0], N_ACTIVE)
    tilt, active = subgradient(L1(LAM), target, MARGIN, rng), target != 0
    noise = setting.rng("N5", case.name)

    def gradient(w: np.ndarray) -> Any:
        return CURVATURE * (w - target) - tilt + case.noise(noise, w.shape)

    algorithm = implementation.ProxSGD(L1(LAM), STEP_SIZE, case.momentum)
    start = np.where(active, 0.0, START) * rng.choice([-1.0, 1.0], (setting.size(*case.n_seeds), DIMENSION))
    states = implementation.steps(algorithm, algorithm.init(start), gradient, n_steps)
    return np.array([((state.prox_iterate != 0) == active).all(axis=1) for state in states])


CLAIM = Claim(
    id="N5",
    title="ProxSGD identifies below the margin",
    statement=(
        "With gradient noise bounded by .9 delta ProxSGD has the right support from a derived step on, for ever; with "
        "noise bounded by 1.5 delta it has not. With Gaussian noise sigma = delta it has not, but with gradients "
        "averaged by c = .01 it has. That ProxSGD does not identify needs noise above the margin."
    ),
    source="derived in validation/claims/n5_proxsgd_identifies.py; ProxSGD with averages: Yang et al. (ICLR 2020)",
    bar=(
        f"All of {N_SEEDS[1]} seeds with bounded noise and {N_AVERAGED[1]} with averages ({N_SEEDS[0]} and "
        f"{N_AVERAGED[0]} quick) right at every step after the first tenth, the first also from the derived step on: "
        "that bound holds for every noise. An average beyond the margin has probability "
        f"{FAILURE_PROBABILITY:.0e} (Gaussian, union over steps, coordinates and seeds). The others wrong in at least "
        "99% of the windows of 100 steps: a coordinate leaves zero with probability 1/6 (bounded) or .16 a step."
    ),
    measure=measure,
    kills=("proxsgd_thr_one",),
    runs=("proxsgd_thr_one",),
    theorems=("no-identification", "limits"),
    failure_probability=FAILURE_PROBABILITY,
)
