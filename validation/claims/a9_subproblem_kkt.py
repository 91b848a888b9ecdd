"""A9. Each step solves its subproblem, seen from outside.

W~^t minimises <V^t, W> + alpha_t psi(W) + beta_t/2 ||W - W^0||^2, that is: -(V^t + beta_t (W~^t - W^0))/alpha_t is a
subgradient of psi at W~^t. With the weights s_i = eta_i sqrt(i), V^t = sum s_i g_i, alpha_t = sum s_i, the average
W^t = (1 - c_t) W^{t-1} + c_t W~^t and g_i taken at W^{i-1}, this is all of Algorithm 1: what passes is RMDA. The
points where the oracle was asked, its answers, and the iterates are all that is used; no prox is.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from rmda_ref.crosscheck.mutants import PROX_MUTANTS, RMDA_MUTANTS, STEP_MUTANTS, Implementation
from rmda_ref.regularizers import Nuclear
from validation.claim import Check, Claim, Curve, Measurement, Picture, Setting
from validation.convex_examples import CONVEX, convex_examples
from validation.noisy_quadratic import Array, NoisyQuadratic
from validation.symmetries import Map, Symmetry, same, symmetries

BAR = 1e-12
N_STEPS = 60
SHOWN = ("l1", "group lasso, rows", "nuclear")
RESIDUALS = ("V^t = sum s_i g_i", "W~^t solves the subproblem", "W^t is the average", "g_t is taken at W^{t-1}")


@dataclass(frozen=True, eq=False)
class Draw:
    """A problem, a start and schedules, all drawn at random."""

    problem: NoisyQuadratic
    start: Array
    step_sizes: list[float]
    momenta: list[float]

    @classmethod
    def of(cls, rng: np.random.Generator, shape: tuple[int, ...]) -> "Draw":
        problem, start = NoisyQuadratic.draw(rng, shape, N_STEPS), 2 * rng.standard_normal(shape)
        return cls(problem, start, rng.uniform(0.05, 0.5, N_STEPS).tolist(), rng.uniform(0.1, 1.0, N_STEPS).tolist())

    def states(
        self,
        implementation: Implementation,
        regularizer: Any,
        gradient: Map,
        image: Map = same,
        unit: float = 1.0,
    ) -> list[Any]:
        """The states from init on; ``image`` and ``unit`` change the start and the step sizes."""
        algorithm = implementation.RMDA(
            regularizer, lambda t: unit * self.step_sizes[t - 1], lambda t: self.momenta[t - 1]
        )
        start = algorithm.init(image(self.start))
        return [start, *implementation.steps(algorithm, start, gradient, N_STEPS)]


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    names = convex_examples(implementation, setting)
    residuals = {name: _residuals(implementation, setting.rng("A9", name), *CONVEX[name]) for name in names}
    worst = np.max(list(residuals.values()), axis=(0, 1))
    checks = [Check.at_most(name, value, BAR) for name, value in zip(RESIDUALS, worst, strict=True)]
    rng = setting.rng("A9", "symmetries")
    for symmetry in symmetries(rng, shape=(4, 5)):
        apart = difference(implementation, symmetry, Draw.of(rng, (4, 5)))
        checks.append(Check.at_most(f"symmetry: {symmetry.name}", apart, 0.0 if symmetry.exact else BAR))
    steps = range(1, N_STEPS + 1)
    curves = [Curve(name, steps, residuals[name].max(axis=1).tolist()) for name in SHOWN]
    title = "At every step W~ solves the subproblem of the paper, to rounding"
    bar = Curve("bar", (1,), (BAR,), "bar")
    picture = Picture(title, "step t", "largest of the four residuals", (*curves, bar), yscale="log")
    return Measurement(tuple(checks), (picture,))


def _residuals(
    implementation: Implementation, rng: np.random.Generator, regularizer: Any, shape: tuple[int, ...]
) -> Array:
    """The four residuals at each step, relative to the size of their terms."""
    draw = Draw.of(rng, shape)
    oracle, points, gradients = draw.problem.oracle(), [], []

    def gradient(w: Array) -> Array:
        points.append(w)
        gradients.append(oracle(w))
        return gradients[-1]

    states = draw.states(implementation, regularizer, gradient)
    rows = []
    for t in range(1, N_STEPS + 1):
        before, state = states[t - 1], states[t]
        scale, momentum = math.sqrt(t), draw.momenta[t - 1]
        weights = np.array([eta * math.sqrt(i) for i, eta in enumerate(draw.step_sizes[:t], 1)])
        terms = weights.reshape(-1, *(1 for _ in shape)) * np.array(gradients[:t])
        grad_sum, alpha = terms.sum(axis=0), weights.sum()
        subgradient = -(grad_sum + scale * (state.prox_iterate - draw.start)) / alpha
        size = sum(map(np.linalg.norm, (grad_sum, scale * state.prox_iterate, scale * draw.start))) / alpha
        told = getattr(state, "grad_sum", grad_sum)  # the state of a user's algorithm need not tell V
        average = (1 - momentum) * before.iterate + momentum * state.prox_iterate
        rows.append(
            (
                np.abs(told - grad_sum).max() / np.abs(terms).sum(axis=0).max(),
                regularizer.subdiff_distance(state.prox_iterate, subgradient)
                / (size * _condition(regularizer, state.prox_iterate)),
                _apart(state.iterate, average),
                _apart(points[t - 1], before.iterate),
            )
        )
    return np.array(rows)


def _condition(regularizer: Any, w: Array) -> float:
    """How much rounding may turn the singular vectors of w: the largest over the least nonzero singular value."""
    if not isinstance(regularizer, Nuclear):
        return 1.0
    rank = np.linalg.matrix_rank(w)
    spectrum = np.linalg.svdvals(w)
    return float(spectrum[0] / spectrum[rank - 1]) if rank else 1.0


def difference(implementation: Implementation, symmetry: Symmetry, draw: Draw) -> float:
    """Between the images of the iterates and the iterates of the images, relative to the largest."""
    plain, changed = draw.problem.oracle(), draw.problem.oracle()
    states = draw.states(implementation, symmetry.regularizer, plain)
    images = draw.states(
        implementation,
        symmetry.changed_regularizer,
        lambda w: symmetry.gradient_image(changed(symmetry.preimage(w))),
        symmetry.image,
        symmetry.unit,
    )
    expected = symmetry.image(np.array([(state.iterate, state.prox_iterate) for state in states]))
    return _apart(np.array([(state.iterate, state.prox_iterate) for state in images]), expected)


def _apart(x: Array, y: Array) -> float:
    size = np.abs(x).max() + np.abs(y).max()
    return float(np.abs(x - y).max() / size) if size else 0.0


CLAIM = Claim(
    id="A9",
    title="Optimality of every step",
    statement=(
        "At every step -(V^t + beta_t (W~^t - W^0))/alpha_t is a subgradient of psi at W~^t, with V^t = sum s_i g_i, "
        "alpha_t = sum s_i, s_i = eta_i sqrt(i), beta_t = sqrt(t); W^t = (1 - c_t) W^{t-1} + c_t W~^t; and g_t is "
        "taken at W^{t-1}: for random eta_t and c_t, and each convex regularizer of the library (in the quick "
        "profile one example a class). The iterates follow permutations, signs, translations (psi = 0), rotations "
        "within groups, and units of W and f by powers of two "
        "(bit for bit); a linear term of psi is a shift of the gradients."
    ),
    source="Huang & Lee (ICLR 2022), Algorithm 1: optimality condition of the proximal subproblem",
    bar=(
        "A handful of roundings relative to the size of the terms, a few 1e-15, and a margin of some 100. For the "
        "nuclear norm the subgradient U V^T turns by the rounding times the condition number of the nonzero singular "
        "values of W~, which is therefore part of the size."
    ),
    measure=measure,
    kills=(*STEP_MUTANTS, *PROX_MUTANTS, "weight_decay", "V_float32", "c_prev", "prox_after_mixing"),
    runs=tuple(RMDA_MUTANTS),
    theorems=("algorithm", "regularizers"),
    failure_probability=0.0,
    every_operator=True,
)
