"""E1. RMDA with step size eta/sqrt(t) and no momentum is Xiao's RDA.

Then s_t = (eta/sqrt(t)) sqrt(t) = eta and alpha_t = eta t, so that, G^t being the sum of gradients,
W^t = prox_{(eta t/sqrt(t)) psi}(W^0 - eta G^t/sqrt(t)). RDA with beta_t = gamma sqrt(t) takes
W^t = prox_{(t/beta_t) psi}(W^0 - G^t/beta_t): the same for gamma = 1/eta.

With c = 1 the average is W~ whatever it averages with, W and W~ are one point, and nothing restarts: the mutants
c_late, grad_at_prox and norst cannot be seen here.
"""

from typing import Any

import numpy as np

from rmda_ref import PowerDecay
from rmda_ref.crosscheck.mutants import PROX_MUTANTS, RMDA_MUTANTS, STEP_MUTANTS, Implementation
from validation.claim import Check, Claim, Curve, Measurement, Picture, Setting
from validation.convex_examples import CONVEX, convex_examples
from validation.noisy_quadratic import Array, NoisyQuadratic

BAR = 1e-11
N_SEEDS, N_STEPS = (1, 20), 25  # seeds: quick, full
UNSEEN = ("c_late", "grad_at_prox")  # besides the mutants of restarts


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    errors = np.array(
        [
            _errors(implementation, setting.rng("E1", k, name), *CONVEX[name])
            for k in range(setting.size(*N_SEEDS))
            for name in convex_examples(implementation, setting)
        ]
    ).max(axis=0)
    names = ("W^t", "W~^t", "dual average")
    curves = [Curve(name, range(1, N_STEPS + 1), error.tolist()) for name, error in zip(names, errors.T, strict=True)]
    bar = Curve("bar", (1,), (BAR,), "bar")
    title = "RMDA with step size eta/sqrt(t) and no momentum is RDA with gamma = 1/eta, to rounding"
    return Measurement(
        tuple(
            Check.at_most(f"{name}: RMDA against RDA", error.max(), BAR)
            for name, error in zip(names, errors.T, strict=True)
        ),
        (Picture(title, "step t", "difference / size of the run", (*curves, bar), yscale="log"),),
    )


def _errors(
    implementation: Implementation, rng: np.random.Generator, regularizer: Any, shape: tuple[int, ...]
) -> Array:
    """Of W, W~ and the dual average at each step, relative to the largest of each in the run of RDA."""
    problem, start = NoisyQuadratic.draw(rng, shape, N_STEPS), rng.standard_normal(shape)
    step_size = float(rng.uniform(0.1, 0.5))

    def run(algorithm: Any) -> Array:
        states = implementation.steps(algorithm, algorithm.init(start), problem.oracle(), N_STEPS)
        return np.array([(state.iterate, state.prox_iterate, state.dual_average) for state in states])

    rmda = run(implementation.RMDA(regularizer, PowerDecay(step_size, power=0.5), momentum=1.0))
    rda = run(implementation.RDA(regularizer, gamma=1 / step_size))
    within = tuple(range(2, rda.ndim))
    size = np.abs(rda).max(axis=(0, *within)) + np.abs(start).max()
    return np.asarray(np.abs(rmda - rda).max(axis=within) / size)


CLAIM = Claim(
    id="E1",
    title="RMDA contains RDA",
    statement=(
        "RMDA with eta_t = eta/sqrt(t) and c = 1 and RDA with gamma = 1/eta take the same steps, for each convex "
        "regularizer of the library (quick: one example a class): then s_t = eta, alpha_t = eta t, and beta_t of RDA "
        "is sqrt(t)/eta."
    ),
    source=(
        "Xiao (JMLR 2010), Algorithm 1 with h = ||. - W^0||^2/2 and beta_t = gamma sqrt(t); Huang & Lee (ICLR 2022), "
        "Algorithm 1"
    ),
    bar=(
        f"The two differ by the rounding of eta in {N_STEPS} steps; the prox is nonexpansive and the quadratic is "
        "stable, so that it does not grow: below 1e-13, and a margin of 100."
    ),
    measure=measure,
    kills=(*(name for name in STEP_MUTANTS | PROX_MUTANTS if name not in UNSEEN), "rda_no_gamma"),
    runs=(*RMDA_MUTANTS, "rda_no_gamma"),
    theorems=("rda",),
    failure_probability=0.0,
    every_operator=True,
)
