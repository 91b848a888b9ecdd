"""P1. The group soft threshold in a diagonal metric solves its problem, to rounding.

For each group, y = argmin tau ||y|| + 1/2 <y - x, D (y - x)> with a positive diagonal D is the step of RAMDA. Its
optimality condition, which is also sufficient,

    y != 0:  D (y - x) + tau y/||y|| = 0,          y = 0:  ||D x|| <= tau,

is all that is used here: no prox, no root-finder, no norm of the library. The first residual is taken relative to
tau + ||D x|| (both of its terms are bounded by the sum), the second as the excess over tau, on the same scale.
"""

import numpy as np

from rmda_ref.crosscheck.mutants import Implementation
from validation.claim import Check, Claim, Curve, Measurement, Picture, Setting

BAR = 1e-12
N_PROBLEMS = {"quick": 4000, "full": 20_000, "exhaustive": 20_000}
SIZES = (1, 2, 5, 30, 200)
DECADES = 3  # the metric spans 10^-3 to 10^3 within a group
LAM, STEP = 0.7, 1.3
BINS = 10 ** np.linspace(-1, 1.2, 23)  # of ||D x||/tau, as they are drawn


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    n = setting.size(**N_PROBLEMS) // len(SIZES)
    checks: list[Check] = []
    ratios, residuals = [], []
    for size in SIZES:
        ratio, residual, wrong, zeros = _residuals(implementation, setting.rng("P1", size), n, size)
        checks += (
            Check.at_most(f"groups of {size}: KKT residual", residual.max(), BAR),
            Check.within(f"groups of {size}: zero where they must not be, or not where they must", 0, wrong, 0),
            Check.within(f"groups of {size}: zero, fraction", 1 / 2.2, zeros, 1 / n),
        )
        ratios.append(ratio)
        residuals.append(residual)
    place = np.digitize(np.concatenate(ratios), BINS)
    largest = [np.concatenate(residuals)[place == k].max(initial=0) for k in range(1, len(BINS))]
    middles = np.sqrt(BINS[1:] * BINS[:-1]).tolist()
    picture = Picture(
        "The group prox in a diagonal metric satisfies its optimality condition to rounding",
        "||D x|| / tau: a group is zero up to 1",
        "largest KKT residual",
        (Curve("residual (1e-17 for 0)", middles, [max(r, 1e-17) for r in largest]), Curve("bar", (1,), (BAR,), "bar")),
        "log",
        "log",
    )
    return Measurement(tuple(checks), (picture,))


def _residuals(
    implementation: Implementation, rng: np.random.Generator, n: int, size: int
) -> tuple[np.ndarray, np.ndarray, int, float]:
    """Of ``n`` groups: ||D x||/tau, the residual; how many are wrongly zero or nonzero; and the fraction of zeros."""
    metric = 10 ** rng.uniform(-DECADES, DECADES, (n, size))
    x = rng.standard_normal((n, size))
    tau = STEP * LAM * np.sqrt(size)
    ratios = 10 ** np.linspace(-1, 1.2, n)  # ||D x||/tau
    x *= (ratios * tau / np.linalg.norm(metric * x, axis=1))[:, None]
    y = implementation.GroupLasso(LAM, axis=1).prox(x, STEP, metric)
    pulls, sizes = np.linalg.norm(metric * x, axis=1), np.linalg.norm(y, axis=1)
    zero = ~y.any(axis=1)
    stationarity = metric * (y - x) + tau * y / np.where(zero, 1, sizes)[:, None]
    residual = np.where(zero, np.maximum(pulls - tau, 0), np.linalg.norm(stationarity, axis=1)) / (tau + pulls)
    clear = np.abs(pulls / tau - 1) > BAR  # nearer to the boundary rounding may decide
    return pulls / tau, residual, int((clear & (zero != (pulls <= tau))).sum()), float(zero.mean())


CLAIM = Claim(
    id="P1",
    title="Group prox in a diagonal metric",
    statement=(
        "y = argmin tau ||y|| + 1/2 <y - x, D (y - x)> satisfies D (y - x) + tau y/||y|| = 0, or y = 0 and "
        "||D x|| <= tau, in groups of 1 to 200 entries whose metric spans six decades, on both sides of the threshold."
    ),
    source=(
        "The subproblem of RAMDA (Huang & Lee, NeurIPS 2024) with a group lasso, solved exactly; optimality condition"
    ),
    bar=(
        "Rounding: a few 1e-15 of tau + ||D x||, and a margin of 100. The metric's condition, 1e6 in a group, must not "
        "enter. A group is zero exactly where ||D x|| <= tau, in 1/2.2 of the groups as they are drawn."
    ),
    measure=measure,
    kills=("no_sqrt_size", "group_axis"),
    runs=("no_sqrt_size", "group_axis"),
    theorems=("regularizers", "ramda"),
    failure_probability=0.0,
)
