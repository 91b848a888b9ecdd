"""A1. On a quadratic without a regularizer, RMDA is a scalar recurrence per coordinate.

Derived in `validation.recurrences`, whose numbers know nothing of V, alpha or beta.
"""

import numpy as np

from rmda_ref import Zero
from rmda_ref.crosscheck.mutants import RMDA_MUTANTS, STEP_MUTANTS, Implementation
from validation.claim import Check, Claim, Curve, Measurement, Picture, Setting
from validation.recurrences import quadratic_recurrence

BAR = 1e-12
N_SEEDS, N_STEPS, N_COORDINATES = 50, 100, 20
SHOWN = ((0.1, 1.0), (0.1, 0.2), (1.0, 0.2))  # eta h and c of the curves in the picture


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    errors = np.array([_errors(implementation, setting.rng("A1", k)) for k in range(N_SEEDS)]).max(axis=0)
    steps = range(1, N_STEPS + 1)
    return Measurement(
        (
            Check.at_most("largest error of W^t", errors[:, 0].max(), BAR),
            Check.at_most("largest error of W~^t", errors[:, 1].max(), BAR),
        ),
        (
            _trajectories(implementation),
            Picture(
                "The scalar recurrence predicts every iterate to rounding",
                "step t",
                "error / (|x_0| + |W*|)",
                (
                    Curve("W", steps, errors[:, 0].tolist()),
                    Curve("W~", steps, errors[:, 1].tolist()),
                    Curve("bar", (1,), (BAR,), "bar"),
                ),
                yscale="log",
            ),
        ),
    )


def _trajectories(implementation: Implementation) -> Picture:
    curves = []
    for rate, momentum in SHOWN:
        name = f"eta h = {rate:g}, c = {momentum:g}"
        measured, predicted = _run(implementation, 1.0, momentum, np.array([rate]), np.ones(1), np.zeros(1))
        steps = range(1, N_STEPS + 1)
        curves += [
            Curve(f"{name}: recurrence", steps, predicted[:, 0, 0].tolist(), "predicted"),
            Curve(name, steps[::4], measured[::4, 0, 0].tolist()),
        ]
    return Picture("The iterate on one coordinate of a quadratic", "step t", "x_t / x_0", tuple(curves))


def _errors(implementation: Implementation, rng: np.random.Generator) -> np.ndarray:
    """Of W and W~ at each step, relative to |x_0| + |W*|: the largest over the coordinates."""
    step_size, momentum = float(rng.uniform(0.1, 2.0)), float(rng.uniform(0.05, 1.0))
    rate = rng.uniform(0.05, 1.5, N_COORDINATES)  # eta h, inside the stability bound eta h < 4/c - 2
    x0, optimum = rng.standard_normal((2, N_COORDINATES))
    measured, predicted = _run(implementation, step_size, momentum, rate, x0, optimum)
    return np.asarray((np.abs(measured - predicted) / (np.abs(x0) + np.abs(optimum))).max(axis=-1))


def _run(
    implementation: Implementation,
    step_size: float,
    momentum: float,
    rate: np.ndarray,
    x0: np.ndarray,
    optimum: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """W and W~ of each step, measured and predicted: (steps, 2, coordinates)."""
    algorithm = implementation.RMDA(Zero(), step_size, momentum)
    states = implementation.steps(
        algorithm, algorithm.init(optimum + x0), lambda w: rate / step_size * (w - optimum), N_STEPS
    )
    measured = np.array([(state.iterate, state.prox_iterate) for state in states])
    predicted = optimum + x0 * np.array(list(quadratic_recurrence(rate, momentum, N_STEPS)))
    return measured, predicted


CLAIM = Claim(
    id="A1",
    title="Scalar recurrence on quadratics",
    statement=(
        "With psi = 0 and gradient h(W - W*), x = W - W* and y = W~ - W* follow "
        "y_t = r_t y_{t-1} + (1 - r_t) x_0 - eta h x_{t-1} and x_t = (1 - c) x_{t-1} + c y_t, "
        "where r_t = sqrt((t-1)/t), for every constant step size eta and momentum c."
    ),
    source="Huang & Lee (ICLR 2022), Algorithm 1 with psi = 0; derived in validation/recurrences.py",
    bar=(
        f"Both sides are stable (eta h < 4/c - 2), so that rounding does not grow: some {N_STEPS} roundings of 1e-16 "
        "each, relative to |x_0| + |W*|, and a margin of 100."
    ),
    measure=measure,
    kills=tuple(STEP_MUTANTS),
    runs=tuple(RMDA_MUTANTS),
    theorems=("dynamics",),
    failure_probability=0.0,
)
