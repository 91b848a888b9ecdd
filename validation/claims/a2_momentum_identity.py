"""A2. Without a regularizer, RMDA is SGD with momentum and a pull to W^0.

With psi = 0, W~^t - W^0 = -V^t / sqrt(t), so that W~^t - W^0 = r_t (W~^{t-1} - W^0) - eta_t g_t with
r_t = sqrt((t-1)/t). The average of step t - 1 gives W~^{t-1} = W^{t-1} + (1/c_{t-1} - 1)(W^{t-1} - W^{t-2}). Put both
into W^t = (1 - c_t) W^{t-1} + c_t W~^t. At t = 1, r_1 = 0 and the momentum term is not there.
"""

import math

import numpy as np

from rmda_ref import Zero
from rmda_ref.crosscheck.mutants import RMDA_MUTANTS, STEP_MUTANTS, Implementation
from validation.claim import Check, Claim, Curve, Measurement, Picture, Setting
from validation.noisy_quadratic import NoisyQuadratic

BAR = 1e-12
N_SEEDS, N_STEPS, SHAPE = 50, 100, (20,)


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    residuals = np.array([_residuals(implementation, setting.rng("A2", k)) for k in range(N_SEEDS)]).max(axis=0)
    return Measurement(
        (Check.at_most("largest residual", residuals.max(), BAR),),
        (
            Picture(
                "RMDA without a regularizer is SGD with momentum and a pull to the start, to rounding",
                "step t",
                "residual / size of the terms",
                (
                    Curve("largest of all seeds", range(1, N_STEPS + 1), residuals.tolist()),
                    Curve("bar", (1,), (BAR,), "bar"),
                ),
                yscale="log",
            ),
        ),
    )


def _residuals(implementation: Implementation, rng: np.random.Generator) -> list[float]:
    """Of the identity at each step, relative to its largest terms."""
    problem = NoisyQuadratic.draw(rng, SHAPE, N_STEPS)
    eta = rng.uniform(0.05, 1.0, N_STEPS).tolist()
    c = rng.uniform(0.05, 1.0, N_STEPS).tolist()
    algorithm = implementation.RMDA(Zero(), lambda t: eta[t - 1], lambda t: c[t - 1])
    start = algorithm.init(rng.standard_normal(SHAPE))
    states = implementation.steps(algorithm, start, problem.oracle(), N_STEPS)
    w = [start.iterate, *(state.iterate for state in states)]
    residuals = []
    for t in range(1, N_STEPS + 1):
        r = math.sqrt((t - 1) / t)
        now, before = c[t - 1], c[max(t - 2, 0)]
        terms = np.array(
            [
                w[t - 1],
                -now * eta[t - 1] * problem.gradient(t, w[t - 1]),
                now * r * (1 / before - 1) * (w[t - 1] - w[max(t - 2, 0)]),
                now * (1 - r) * (w[0] - w[t - 1]),
            ]
        )
        size = np.abs(terms).max() + np.abs(w[0]).max()
        residuals.append(float(np.abs(w[t] - terms.sum(axis=0)).max() / size))
    return residuals


CLAIM = Claim(
    id="A2",
    title="Momentum identity",
    statement=(
        "With psi = 0, for any gradients g_t, step sizes eta_t and momenta c_t: W^t = W^{t-1} - c_t eta_t g_t "
        "+ c_t r_t (1/c_{t-1} - 1)(W^{t-1} - W^{t-2}) + c_t (1 - r_t)(W^0 - W^{t-1}), r_t = sqrt((t-1)/t): "
        "SGD with momentum and a pull of about c/(2t) to the start."
    ),
    source="Huang & Lee (ICLR 2022), Algorithm 1 with psi = 0; derived in validation/claims/a2_momentum_identity.py",
    bar=(
        "Rounding of one step, magnified by c_t / c_{t-1} <= 20, relative to the largest term and W^0: 1e-14, and a "
        "margin of 100. The gradient is computed again at W^{t-1} from outside."
    ),
    measure=measure,
    kills=(*STEP_MUTANTS, "c_prev", "weight_decay", "V_float32"),
    runs=tuple(RMDA_MUTANTS),
    theorems=("dynamics", "algorithm"),
    failure_probability=0.0,
)
