"""B6. Where f is not quadratic, a constant step size leaves a bias of order eta in the dual average.

Let the iterates fluctuate about W* with covariance P on the active part A, W_I = 0, eta constant. To second order

    E grad_j f(W) - grad_j f(W*) = H_jA m + T_j/2,    T_j = sum_kl P_kl d^3 f/dw_j dw_k dw_l,    m = E (W - W*)_A.

The optimality of W~ on A (claim A9) makes V_A/alpha tend to grad_A f(W*): whatever the noise, so the iterates move by
m = -H_AA^{-1} T_A/2, and the inactive part of the dual average tends to

    E V_I/alpha - grad_I f(W*)  ->  (T_I - M T_A)/2,    M = H_IA H_AA^{-1},

up to -(beta_t/alpha_t) M m, when started at W^0 = W*, which is of order 1/t and computed too.

The covariance is that of the linearised recursion: with x = (W - W*)_A, y = (W~ - W*)_A and noise covariance Sigma

    y' = y - eta (H_AA x + zeta_A),    x' = (1 - c) x + c y',

a Lyapunov equation, P ~ eta P_1. So the bias is of order eta, does not go with t, and asks for a margin larger than
itself; averaging removes the noise, not this. For a logistic loss T = E p(1-p)(1-2p) (x_A^T P x_A) x, which vanishes,
projected, where E[x_I | x_A] is linear in x_A (a Gaussian or elliptical design): the design has to be skewed.

*Planted:* f is the population logistic loss of a finite design with labels drawn at W*, so that grad f(W*) = 0, minus
lam <u, W> with u in d||W*||_1. W* minimises, and the KKT residual is zero to rounding. Gradients are those of
batches of random points with random labels; there Sigma = H/batch, so that P is near eta/(2 batch) times the identity.

*Measured* with a control variate: the noise zeta of each gradient is known, its mean zero at every step, so that sum
s_i (zeta_I - M zeta_A)/alpha has mean zero and is taken off. What is left has the mean of V_I/alpha and a
variance 25 to 150 times less. That the part taken off has mean zero is checked too.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import solve_discrete_lyapunov
from scipy.special import expit, ndtr, stdtr

from rmda_ref import L1
from rmda_ref.crosscheck.mutants import Implementation
from validation.claim import Check, Claim, Curve, Measurement, Picture, Setting

N_SEEDS, N_STEPS = (100, 400), (1000, 10_000)  # quick, full
STEP_SIZES = (0.5, 1.0, 2.0), (0.25, 0.5, 1.0, 2.0)
PREDICTION_BARS, CONSTANCY_BARS = (0.25, 0.10), (0.25, 0.15)  # relative; THEORY.md asks for a constancy of 20%
MOMENTUM, LAM = 0.3, 1.0
N_POINTS, N_ACTIVE, N_INACTIVE = 40, 2, 4
ACTIVE_SIZE, BATCH, SPREAD = 1.2, 16, 1.2  # |W*_A|, five standard deviations of W at the largest eta; rms of the points
STEEPEST = 0.2  # largest |grad_i f(W*)| of an inactive coordinate, below LAM
KKT_BAR = 1e-14
# Times (eta seeds steps)^{-1/2}: the relative standard error of a mean; measured 5.4 to 6.8, per eta, rounded up.
RELATIVE_DEVIATION = 8.0
HIGHER_ORDER = 0.06  # relative: what higher orders and the transient of P leave of the prediction; measured up to .05
SPREADS = 6.0


@dataclass(frozen=True)
class PlantedLogistic:
    """Tilted population logistic regression on finitely many equally likely points; the first coordinates are active.

    ``points`` are rows, ``slope`` is grad f(W*).
    """

    points: np.ndarray
    solution: np.ndarray
    slope: np.ndarray

    @classmethod
    def random(cls, rng: np.random.Generator) -> "PlantedLogistic":
        """Points skewed: active coordinates centred exponentials, inactive ones with their squares and products."""
        active = rng.exponential(size=(N_POINTS, N_ACTIVE)) - 1
        inactive = 0.5 * (
            active @ rng.standard_normal((N_ACTIVE, N_INACTIVE)) + rng.standard_normal((N_POINTS, N_INACTIVE))
        )
        inactive += 0.3 * (active**2 - 1) @ rng.uniform(0.5, 1, (N_ACTIVE, N_INACTIVE))
        points = np.hstack((active, inactive))
        points *= SPREAD / np.sqrt((points**2).mean(axis=0))
        signs = np.resize([1.0, -1.0], N_ACTIVE)
        solution = np.concatenate((ACTIVE_SIZE * signs, np.zeros(N_INACTIVE)))
        return cls(points, solution, -LAM * np.concatenate((signs, STEEPEST * rng.uniform(-1, 1, N_INACTIVE))))

    @cached_property
    def chances(self) -> np.ndarray:
        """P(label = 1) at each point."""
        return np.asarray(expit(self.points @ self.solution))

    def gradient(self, w: np.ndarray) -> np.ndarray:
        return np.asarray((expit(w @ self.points.T) - self.chances) @ self.points / len(self.points) + self.slope)

    def sampled(self, w: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The mean gradient of a batch of random points with random labels, for each row of ``w``."""
        drawn = rng.integers(len(self.points), size=(len(w), BATCH))
        labels = rng.random(drawn.shape) < self.chances[drawn]
        errors = expit(np.take_along_axis(w @ self.points.T, drawn, axis=1)) - labels
        return np.asarray(np.einsum("sb,sbj->sj", errors, self.points[drawn]) / BATCH + self.slope)

    @cached_property
    def hessian(self) -> np.ndarray:
        weights = self.chances * (1 - self.chances) / len(self.points)
        return np.asarray(self.points.T @ (weights[:, None] * self.points))

    @property
    def seen(self) -> np.ndarray:
        """[-M, 1]."""
        h, k = self.hessian, N_ACTIVE
        return np.hstack((-np.linalg.solve(h[:k, :k], h[:k, k:]).T, np.eye(N_INACTIVE)))

    def kkt_residual(self) -> float:
        gradient = self.gradient(self.solution)
        active = np.abs(gradient[:N_ACTIVE] + LAM * np.sign(self.solution[:N_ACTIVE])).max()
        return float(max(active, np.abs(gradient[N_ACTIVE:]).max() - LAM))


def stationary_covariance(problem: PlantedLogistic, step_size: float) -> np.ndarray:
    """P, of W on the active part. The labels are drawn at W*, so that the covariance of the noise is H/BATCH."""
    k = N_ACTIVE
    h, eye = problem.hessian[:k, :k], np.eye(k)
    y = np.hstack((-step_size * h, eye))
    transition = np.vstack((MOMENTUM * y + (1 - MOMENTUM) * np.eye(k, 2 * k), y))
    drive = step_size * np.vstack((MOMENTUM * eye, eye))
    return np.asarray(solve_discrete_lyapunov(transition, drive @ h @ drive.T / BATCH)[:k, :k])


def third_derivative(problem: PlantedLogistic, covariance: np.ndarray) -> np.ndarray:
    """T: the third derivative of f at W*, contracted with a covariance of the active part."""
    x, p = problem.points, problem.chances
    squares = np.einsum("nj,jk,nk->n", x[:, :N_ACTIVE], covariance, x[:, :N_ACTIVE])
    return np.asarray((p * (1 - p) * (1 - 2 * p) * squares) @ x / len(x))


def predicted_bias(problem: PlantedLogistic, step_size: float, t: int) -> np.ndarray:
    """(T_I - M T_A)/2 - (beta_t/alpha_t) M m, from the start W*."""
    k = N_ACTIVE
    third = third_derivative(problem, stationary_covariance(problem, step_size))
    shift = -np.linalg.solve(problem.hessian[:k, :k], third[:k]) / 2  # m
    anchoring = np.sqrt(t) / (step_size * np.sqrt(np.arange(1, t + 1)).sum())  # beta/alpha
    return np.asarray(problem.seen @ third / 2 + anchoring * problem.seen[:, :k] @ shift)


# Of the seeds 0 to 5 the one with the largest bias.
PROBLEM = PlantedLogistic.random(np.random.default_rng(0))


def run(
    implementation: Implementation, setting: Setting, step_size: float, n_seeds: int, n_steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Per seed: V_I/alpha - grad_I f(W*) less its noise, and the noise taken off."""
    rng = setting.rng("B6", step_size)
    seen, k = PROBLEM.seen, N_ACTIVE
    given: list[tuple[np.ndarray, np.ndarray]] = []

    def gradient(w: np.ndarray) -> np.ndarray:
        noisy = PROBLEM.sampled(w, rng)
        given[:] = [(noisy, noisy - PROBLEM.gradient(w))]
        return noisy

    algorithm = implementation.RMDA(L1(LAM), step_size, MOMENTUM)
    state = algorithm.init(np.tile(PROBLEM.solution, (n_seeds, 1)))
    total, noise, alpha = np.zeros((n_seeds, N_INACTIVE)), np.zeros((n_seeds, N_ACTIVE + N_INACTIVE)), 0.0
    for t, _ in enumerate(implementation.steps(algorithm, state, gradient, n_steps), 1):
        drawn, zeta = given[0]
        total += np.sqrt(t) * drawn[:, k:]
        noise += np.sqrt(t) * zeta
        alpha += np.sqrt(t)
    off = noise @ seen.T / alpha
    return total / alpha - PROBLEM.slope[k:] - off, off


def _failure(n_seeds: int, n_steps: int, step_sizes: tuple[float, ...], prediction: float, constancy: float) -> float:
    """By a Gaussian approximation of the means, and Student's law for the part taken off."""
    error = RELATIVE_DEVIATION / np.sqrt(np.array(step_sizes) * n_seeds * n_steps)
    rooms = np.concatenate(((prediction - HIGHER_ORDER) / error, (constancy - HIGHER_ORDER) / error))
    return float(2 * ndtr(-rooms).sum() + 2 * len(step_sizes) * stdtr(n_seeds - 1, -SPREADS))


_SIZES = zip(N_SEEDS, N_STEPS, STEP_SIZES, PREDICTION_BARS, CONSTANCY_BARS, strict=True)
FAILURE_PROBABILITY = max(_failure(*sizes) for sizes in _SIZES)


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    n_seeds, n_steps, step_sizes = setting.size(*N_SEEDS), setting.size(*N_STEPS), setting.size(*STEP_SIZES)
    checks = [Check.at_most("KKT residual of the planted solution", PROBLEM.kkt_residual(), KKT_BAR)]
    ratios, slopes = [], []
    for step_size in step_sizes:
        predicted = predicted_bias(PROBLEM, step_size, n_steps)
        size = float(np.linalg.norm(predicted))
        biases, noise = (
            values @ predicted / size for values in run(implementation, setting, step_size, n_seeds, n_steps)
        )
        ratios.append(biases.mean() / size)
        slopes.append(biases.mean() / step_size)
        z = abs(noise.mean()) / (noise.std(ddof=1) / np.sqrt(n_seeds))
        checks += (
            Check.within(f"eta = {step_size:g}: bias over prediction", 1.0, ratios[-1], setting.size(*PREDICTION_BARS)),
            Check.at_most(f"eta = {step_size:g}: z of the noise taken off", z, SPREADS),
        )
        setting.progress(len(slopes) / len(step_sizes))
    for step_size, slope in zip(step_sizes, slopes, strict=True):
        relative = slope / np.mean(slopes)
        checks.append(
            Check.within(f"eta = {step_size:g}: bias/eta over its mean", 1.0, relative, setting.size(*CONSTANCY_BARS))
        )
    return Measurement(tuple(checks), (_picture(np.array(step_sizes), np.array(slopes) * step_sizes, n_steps),))


def _picture(step_sizes: np.ndarray, measured: np.ndarray, n_steps: int) -> Picture:
    eta = np.geomspace(step_sizes[0], step_sizes[-1], 20)
    predicted = [float(np.linalg.norm(predicted_bias(PROBLEM, e, n_steps))) for e in eta]
    return Picture(
        "Where f is not quadratic, a constant step size leaves a bias of order eta in the dual average",
        "step size eta",
        "bias of V_I/alpha",
        (
            Curve("second order", eta.tolist(), predicted, "predicted"),
            Curve(f"measured, t = {n_steps:,}", step_sizes.tolist(), measured.tolist()),
        ),
        "log",
        "log",
    )


CLAIM = Claim(
    id="B6",
    title="Bias of the dual average",
    statement=(
        "On an l1 logistic regression with a skewed finite design, constant eta and minibatch noise, E V_I/alpha - "
        "grad_I f(W*) tends to (T_I - M T_A)/2, of order eta: T is the third derivative of f contracted with the "
        "stationary covariance of W, M = H_IA H_AA^{-1}. Measured is the part along that direction. The "
        "inactive dual average of a constant step size does not "
        "tend to the gradient at the solution."
    ),
    source="Derived in validation/claims/b6_nonquadratic_bias.py",
    bar=(
        f"Bias over prediction within {PREDICTION_BARS[1]:.0%} and bias/eta constant to {CONSTANCY_BARS[1]:.0%} "
        f"(THEORY: 20%) over eta = .25, .5, 1, 2, {N_SEEDS[1]} seeds of {N_STEPS[1]:,} steps (quick: eta from .5, "
        f"{N_SEEDS[0]} of {N_STEPS[0]:,}, {PREDICTION_BARS[0]:.0%}). Of this {HIGHER_ORDER:.0%} is for higher orders, "
        "which is measured on this design, not derived (it has the largest bias of six; on two others that were tried "
        "the higher orders are larger); the rest is at least five standard "
        "errors of a mean over seeds, taken as Gaussian with the standard error measured beforehand and rounded up: a "
        f"failure has probability below {FAILURE_PROBABILITY:.0e}. The part taken off has mean zero within {SPREADS:g} "
        "standard errors (Student's law)."
    ),
    measure=measure,
    kills=("s_eta",),
    theorems=("variance",),
    failure_probability=FAILURE_PROBABILITY,
)
