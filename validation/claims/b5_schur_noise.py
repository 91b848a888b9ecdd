"""B5. What the inactive dual average sees is the Schur noise, not the noise of its own gradients.

Let f be a quadratic with Hessian H, the gradient at W be f* + H (W - W*) + zeta with E zeta zeta^T = Sigma, A the
support of W*, I the rest, eta constant. Once the active signs of W~ are right and W_I = 0, claim A10 says

    V_I/alpha_t - f*_I = N_t/alpha_t - (beta_t/alpha_t) M (W~ - W^0)_A,   N_t = sum s_i (zeta_I - M zeta_A),

with M = H_IA H_AA^{-1}. The noise of the active part reaches I through the design. So (claim B1)

    Cov V_I/alpha_t  ~  t(t+1)/(2 H_t^2) C  ~  (9/8) C/t,    C = Sigma_II - M Sigma_AI - Sigma_IA M^T + M Sigma_AA M^T,

not with Sigma_II for C, from which C_ii may differ either way: it is less where M zeta_A explains zeta_I (for
Sigma = H, C is the Schur complement of H), and more where it adds to it.

The other term has standard deviation of order 1/t. Together they are exactly Gaussian: with x = (W - W*)_A, y = (W~ -
W*)_A, r_t = sqrt((t-1)/t) (`validation.recurrences`, here with a matrix for h)

    y_t = r_t y_{t-1} - eta (H_AA x_{t-1} + zeta_A) + const,    x_t = (1-c) x_{t-1} + c y_t,
    N_t = N_{t-1} + s_t (zeta_I - M zeta_A),

a linear recursion of (x, y, N), whose covariance is computed here to rounding. At t = 1 it is Sigma_II still; C takes
over as W~ settles, after 1/(eta h) steps.

Two runs: a *quiet* one, from W*, where signs and zeros are right at every step and the law is exact from the first; and
a *loud* one, from zero, with noise as large as the margin, where first the support has to be found. What W_I != 0
leaves of that in V_I/alpha is S sum s_i W_I^{i-1}/alpha = O(t^{-3/2}).
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtr, chdtrc, ndtr

from rmda_ref import L1
from rmda_ref.crosscheck.mutants import Implementation
from validation.claim import Check, Claim, Curve, Measurement, Picture, Setting

N_ACTIVE, N_INACTIVE = 4, 6
N_SEEDS, BARS = (4000, 12_000), (0.15, 0.10)  # quick, full; THEORY.md asks for 15% of 3000
N_STEPS = (300, 1000)
STEP_SIZE, MOMENTUM, LAM = 0.4, 0.5, 1.0
ACTIVE_SIZE, STEEPEST = 8.0, 0.5  # |W*_A|, and the largest |f*_I|: the margin is at least LAM - STEEPEST
QUIET, LOUD = 0.05, 0.5  # sigma: a tenth of the least margin, and all of it
LOOKS = (1, 2, 5, 10, 30, 100, 300, 1000)
SETTLED = 300  # from here on the loud run is compared
CURVATURE = 0.02  # relative: what the early W_I != 0 leaves of the variance then; measured .012 with 60,000 seeds
MISLED = 1.4  # the naive variance is too large by more than this factor somewhere, and too small elsewhere


@dataclass(frozen=True)
class NoisyLasso:
    """A correlated lasso whose first coordinates are active, and the factor of a correlated unit noise."""

    hessian: np.ndarray
    solution: np.ndarray
    slope: np.ndarray  # grad f(W*)
    covariance: np.ndarray  # Sigma/sigma^2, of unit diagonal

    @classmethod
    def random(cls, rng: np.random.Generator) -> "NoisyLasso":
        dimension = N_ACTIVE + N_INACTIVE
        hessian = np.corrcoef(rng.standard_normal((15, dimension)), rowvar=False)
        covariance = np.corrcoef(rng.standard_normal((15, dimension)), rowvar=False)
        signs = rng.choice([-1.0, 1.0], N_ACTIVE)
        solution = np.concatenate((ACTIVE_SIZE * signs, np.zeros(N_INACTIVE)))
        slope = -LAM * np.concatenate((signs, STEEPEST * rng.uniform(-1, 1, N_INACTIVE)))
        return cls(np.asarray(hessian), solution, slope, np.asarray(covariance))

    @property
    def seen(self) -> np.ndarray:
        """[-M, 1]: what the inactive part sees of a noise."""
        h = self.hessian
        return np.hstack((-np.linalg.solve(h[:N_ACTIVE, :N_ACTIVE], h[:N_ACTIVE, N_ACTIVE:]).T, np.eye(N_INACTIVE)))

    @property
    def schur_variances(self) -> np.ndarray:
        """The diagonal of C, for sigma = 1; the naive one is 1."""
        return np.asarray(np.einsum("ij,jk,ik->i", self.seen, self.covariance, self.seen))


PROBLEM = NoisyLasso.random(np.random.default_rng(6))  # chosen for C_ii from .58 to 2.21: naively 1


def leading(t: np.ndarray) -> np.ndarray:
    """t(t+1)/(2 H_t^2)."""
    roots = np.cumsum(np.sqrt(np.arange(1, np.max(t) + 1)))[t - 1]
    return np.asarray(t * (t + 1) / (2 * roots**2))


def variances(problem: NoisyLasso, n_steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Exact, for sigma = 1 and each t: of V_I/alpha, and of W~_A."""
    k, size = N_ACTIVE, N_ACTIVE * 2 + N_INACTIVE
    h, seen, eye = problem.hessian[:k, :k], problem.seen, np.eye(k)
    covariance, alpha = np.zeros((size, size)), 0.0
    averages, prox_iterates = [], []
    for t in range(1, n_steps + 1):
        weight = STEP_SIZE * np.sqrt(t)
        alpha += weight
        transition, drive = np.eye(size), np.zeros((size, k + N_INACTIVE))
        transition[k : 2 * k, : 2 * k] = np.hstack((-STEP_SIZE * h, np.sqrt((t - 1) / t) * eye))
        transition[:k, : 2 * k] = MOMENTUM * transition[k : 2 * k, : 2 * k]
        transition[:k, :k] += (1 - MOMENTUM) * eye
        drive[:k, :k], drive[k : 2 * k, :k] = -MOMENTUM * STEP_SIZE * eye, -STEP_SIZE * eye
        drive[2 * k :] = weight * seen
        covariance = transition @ covariance @ transition.T + drive @ problem.covariance @ drive.T
        read = np.hstack((np.zeros((N_INACTIVE, k)), np.sqrt(t) * seen[:, :k], np.eye(N_INACTIVE))) / alpha
        averages.append(np.einsum("ij,jk,ik->i", read, covariance, read))
        prox_iterates.append(np.diag(covariance)[k : 2 * k])
    return np.array(averages), np.array(prox_iterates)


PREDICTED, _ACTIVE = variances(PROBLEM, max(N_STEPS))


def _failure(n_seeds: int, bar: float, n_steps: int) -> float:
    """By the chi-square law, and the probability that the quiet run is anywhere not what it is taken for."""
    n, looks = n_seeds - 1, [t for t in LOOKS if t <= n_steps]
    rooms = [bar] * len(looks) + [bar - CURVATURE for t in looks if t >= SETTLED]
    off = N_INACTIVE * sum(chdtr(n, n * (1 - room)) + chdtrc(n, n * (1 + room)) for room in rooms)
    margins = LAM - np.abs(PROBLEM.slope[N_ACTIVE:])
    wrong = 2 * ndtr(-margins / (QUIET * np.sqrt(PREDICTED[:n_steps]))).sum()
    lost = ndtr(-ACTIVE_SIZE / (LOUD * np.sqrt(_ACTIVE[:n_steps]))).sum()  # a sign, even when loud
    return float(off + n_seeds * (wrong + lost))


FAILURE_PROBABILITY = max(_failure(*sizes) for sizes in zip(N_SEEDS, BARS, N_STEPS, strict=True))


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    bar, n_steps = setting.size(*BARS), setting.size(*N_STEPS)
    looks = np.array([t for t in LOOKS if t <= n_steps])
    quiet = run(implementation, setting, PROBLEM.solution, QUIET, looks)
    loud = run(implementation, setting, np.zeros_like(PROBLEM.solution), LOUD, looks)
    predicted = PREDICTED[looks - 1]
    checks: list[Check] = []
    for name, measured, first in (("quiet", quiet, 1), ("loud", loud, SETTLED)):
        for t, ratios in zip(looks, measured / predicted, strict=True):
            if t >= first:
                worst = ratios[np.argmax(np.abs(ratios - 1))]
                checks.append(Check.within(f"{name}, t = {t}: variance over the law, worst", 1.0, worst, bar))
    schur = PROBLEM.schur_variances
    over, under = schur.argmin(), schur.argmax()
    for name, measured in (("quiet", quiet), ("loud", loud)):
        naive = measured[-1] / leading(looks)[-1]
        checks += (
            Check(f"{name}: a variance overstated by Sigma_ii", 1 / schur[over], 1 / naive[over], MISLED, np.inf),
            Check(f"{name}: a variance understated by Sigma_ii", schur[under], naive[under], MISLED, np.inf),
        )
    return Measurement(tuple(checks), (_picture(looks, quiet, loud),))


def run(
    implementation: Implementation, setting: Setting, start: np.ndarray, sigma: float, looks: np.ndarray
) -> np.ndarray:
    """Sample variances of V_I/alpha over sigma^2 (look, coordinate); V is summed here from the gradients given."""
    rng = setting.rng("B5", sigma)
    factor = sigma * np.linalg.cholesky(PROBLEM.covariance).T
    shape = (setting.size(*N_SEEDS), len(start))
    given: list[np.ndarray] = []

    def gradient(w: np.ndarray) -> np.ndarray:
        noisy = (w - PROBLEM.solution) @ PROBLEM.hessian + PROBLEM.slope + rng.standard_normal(shape) @ factor
        given[:] = [noisy]
        return np.asarray(noisy)

    algorithm = implementation.RMDA(L1(LAM), STEP_SIZE, MOMENTUM)
    state = algorithm.init(np.broadcast_to(start, shape).copy())
    total, alpha, found = np.zeros((shape[0], N_INACTIVE)), 0.0, []
    for t, _ in enumerate(implementation.steps(algorithm, state, gradient, int(looks[-1])), 1):
        total += np.sqrt(t) * given[0][:, N_ACTIVE:]
        alpha += np.sqrt(t)
        if t in looks:
            found.append((total / alpha).var(axis=0, ddof=1) / sigma**2)
    return np.array(found)


def _picture(looks: np.ndarray, quiet: np.ndarray, loud: np.ndarray) -> Picture:
    """The coordinate whose variance Sigma_ii understates most."""
    i = int(PROBLEM.schur_variances.argmax())
    t = np.unique(np.geomspace(1, looks[-1], 60).astype(int))
    return Picture(
        "The inactive dual average comes to have the variance of the Schur noise, not of its own gradients",
        "step t",
        "t var(V_i/alpha) / sigma^2",
        (
            Curve("exact law", t.tolist(), (t * PREDICTED[t - 1, i]).tolist(), "predicted"),
            Curve("Schur noise alone", t.tolist(), (t * leading(t) * PROBLEM.schur_variances[i]).tolist(), "context"),
            Curve("naive: Sigma_ii", t.tolist(), (t * leading(t)).tolist(), "bar"),
            Curve("quiet", looks.tolist(), (looks * quiet[:, i]).tolist()),
            Curve("loud", looks.tolist(), (looks * loud[:, i]).tolist()),
        ),
        xscale="log",
    )


CLAIM = Claim(
    id="B5",
    title="Schur noise in the dual average",
    statement=(
        "On a correlated lasso with correlated gradient noise Sigma, V_I/alpha has, once signs and zeros are right, "
        "the covariance t(t+1)/(2 H_t^2) C ~ (9/8) C/t, C = Sigma_II - M Sigma_AI - Sigma_IA M^T + M Sigma_AA M^T, M = "
        "H_IA H_AA^{-1}, and not Sigma_II in place of C; with the terms of order 1/t^2, computed "
        "by a recursion, the law is exact. Checked are the variances, its diagonal."
    ),
    source="Claim A10 with claim B1; derived in validation/claims/b5_schur_noise.py",
    bar=(
        "A sample variance of n Gaussian seeds is chi-square: within "
        f"{BARS[1]:.0%} of the law for {N_SEEDS[1]:,} seeds (THEORY: 15% of 3000), {BARS[0]:.0%} for {N_SEEDS[0]:,} "
        f"(quick), of which {CURVATURE:.0%} is left to the curvature of the loud run. With a union bound over "
        f"coordinates and t, and over the steps for signs and zeros, a failure has probability below "
        f"{FAILURE_PROBABILITY:.0e}. The naive variance is {1 / PROBLEM.schur_variances.min():.2f} times too large for "
        f"one coordinate and {PROBLEM.schur_variances.max():.2f} times too small for another; asked is {MISLED:g}, "
        "which the other checks imply."
    ),
    measure=measure,
    kills=("s_eta", "thr_eta"),
    theorems=("variance",),
    failure_probability=FAILURE_PROBABILITY,
)
