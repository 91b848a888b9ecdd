"""An anytime certificate that inactive groups stay inactive for ever.

Model. The gradient of an inactive group g is g_i = mu_g + zeta_i, with a mean mu_g that does not depend on the iterates
(*no feedback*) and noise that is sub-Gaussian given the past: E exp <x, zeta_i> <= exp(sigma_g^2 |x|^2 / 2) for every x
in R^k. W^0_g = 0. Weights s_i > 0 are fixed beforehand, alpha_t = sum s_i, Q_t = sigma_g^2 sum s_i^2, and there are m
groups. Then W~^t_g = 0 exactly when ||V^t_g|| <= alpha_t strength_g.

*The radius* (method of mixtures; Robbins 1970, Abbasi-Yadkori, Pal & Szepesvari 2011). Put M_t = sum s_i zeta_i. For
every x, D_t(x) = exp(<x, M_t> - |x|^2 Q_t / 2) is a nonnegative supermartingale that starts at 1. So is its mean over x
~ N(0, I/rho), by Tonelli, and completing the square gives it:

    D_t = (rho/(Q_t + rho))^{k/2} exp(|M_t|^2 / (2 (Q_t + rho))).

By Ville's inequality D_t reaches m/eps at some t with probability at most eps/m. With a union over the groups,
therefore, with probability at least 1 - eps, for *all* t and all g at once,

    |M_t| < sqrt((Q_t + rho) (k ln((Q_t + rho)/rho) + 2 ln(m/eps))) = alpha_t r_t.

*The certificate.* On that event, |V^t_g/alpha_t| <= strength_g - r_t - R_t with R_t = sup_{s >= t} r_s implies |mu_g|
<= strength_g - R_t, hence |V^s_g/alpha_s| <= |mu_g| + r_s <= strength_g and W~^s_g = 0 for every s >= t. One event
serves every t and g, so that looking at every step costs nothing.

*R_t = r_t where step sizes do not increase*: r_t is nonincreasing. Let u = Q_t/rho and f(u) = (1 + u) (k ln(1 + u) + 2
ln(m/eps)), so that r_t^2 = rho f/alpha_t^2. Since m/eps >= 1, d ln f/d ln u <= (1 - e^{-y}) (1 + 1/y) at y = ln(1 + u),
at most 1.2984 (at y = 1.79): f grows at most like Q^1.3. So r_{t+1} <= r_t if (alpha_{t+1}/alpha_t)^2 >=
(Q_{t+1}/Q_t)^1.3, for which, as (1 + b)^0.65 <= 1 + 0.65 b, it is enough that

    F = sum_{i<=t} s_i (s_i - 0.65 s_{t+1}) >= 0.

It holds for nonincreasing weights (RDA). For s_i = eta_i sqrt(i) with eta_i nonincreasing put x_i = eta_i/eta_{t+1} >=
1, n = t + 1: F/eta_n^2 = sum (i x_i^2 - 0.65 sqrt(i n) x_i). A term is least at x_i = 1 where sqrt(i) >= 0.325 sqrt(n),
else less than that by (0.325 sqrt(n) - sqrt(i))^2 at most, for i < 0.106 n only. With H_t <= (2/3) sqrt(t) (t + 3/4)
(trapezoids below a concave function),

    F/eta_n^2 >= sqrt(t n) (sqrt(t n)/2 - 0.4334 (t + 3/4)) - 0.0112 n^2  [the last term only for n > 9],

positive for t >= 2; for t = 1, F/eta_2^2 = x_1^2 - 0.65 sqrt(2) x_1 > 0. `SupportCertificate` refuses step sizes that
increase; that future ones do not is an assumption.
"""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import lambertw

from rmda_ref import checks
from rmda_ref.certificates.host import host_only
from rmda_ref.layout import Groups, Rows
from rmda_ref.namespace import Array
from rmda_ref.regularizers import L1, GroupLasso

Vector = npt.NDArray[np.float64]
Steps = npt.NDArray[np.int64]

SMALLEST = 1e-100  # eps
GROWTH = 1e-6  # of a step size recovered from alpha: rounding, which the proof has room for


def anytime_radius(square_sum: Any, rho: Any, size: Any, odds: float) -> Any:
    """The bound on |M_t| for all t: sqrt((Q + rho) (k ln((Q + rho)/rho) + 2 ln(odds))).

    Parameters
    ----------
    square_sum : Q_t, the sum of the variances of the terms of M_t, per entry
    rho : positive, in units of Q_t
    size : k, the number of entries
    odds : m/eps

    >>> round(float(anytime_radius(4.0, rho=1.0, size=1, odds=20.0)), 4)
    6.1648
    """
    return np.sqrt((square_sum + rho) * (size * np.log1p(square_sum / rho) + 2 * math.log(odds)))


def best_rho(square_sum: Any, size: Any, odds: float) -> Any:
    """The rho with the least radius at Q_t = ``square_sum``.

    With u = Q/rho, d/du ((1 + 1/u) (k ln(1 + u) + 2 ln(odds))) = 0 says u - ln(1 + u) = 2 ln(odds)/k, which the lower
    branch of Lambert's W solves.

    >>> rho = best_rho(4.0, size=1, odds=20.0)
    >>> all(anytime_radius(4.0, rho, 1, 20.0) < anytime_radius(4.0, other, 1, 20.0) for other in (0.9 * rho, 1.1 * rho))
    True
    """
    u = -lambertw(-np.exp(-1 - 2 * math.log(odds) / np.asarray(size, dtype=np.float64)), -1).real - 1
    return square_sum / u


@dataclass(frozen=True, eq=False)
class SupportState:
    """What a certificate knows after ``t`` steps.

    Attributes
    ----------
    since : the step from which on a magnitude is certified to be zero for ever; 0 while it is not
    radius : r_t per magnitude (a number where all are alike)
    rho : the constant of the mixture, in units of Q_t; fixed by the first step
    square_sum : sum of s_i^2
    weight : alpha_t
    step_size : eta_t
    t : steps seen
    """

    since: Steps
    radius: float | Vector = math.inf
    rho: float | Vector = math.nan
    square_sum: float = 0.0
    weight: float = 0.0
    step_size: float = math.inf
    t: int = 0
    eligible: npt.NDArray[np.bool_] = field(default_factory=lambda: np.ones((), bool), repr=False)  # W^0_g = 0

    @property
    def certified(self) -> npt.NDArray[np.bool_]:
        """Which entries or groups are certified to be zero for ever."""
        return np.asarray(self.since > 0)


@dataclass(frozen=True, eq=False)
class SupportCertificate:
    """Certifies, while RMDA (or RDA) runs, which entries or groups will never again be nonzero.

    With probability at least 1 - eps, no magnitude that is certified at some step is nonzero at any later step of the
    stage. The proof is in `rmda_ref.certificates.support`; it assumes

    - noise zeta_g that is sub-Gaussian given the past, E exp <x, zeta_g> <= exp(noise^2 |x|^2 / 2) *for every x*, with
      the known ``noise``, and step sizes fixed beforehand that do not increase;
    - no feedback: the mean gradient of an inactive magnitude does not depend on the iterates (`SchurCertificate` does
      without, on quadratics);
    - W^0 = 0 where something is to be certified: other magnitudes are never certified.

    After a restart, W^0 and V are new: start again from `init`, with its own eps.

    Parameters
    ----------
    regularizer : L1 or GroupLasso
    noise : float, or array with one number per magnitude
        sigma of that bound: for Gaussian noise the root of the largest eigenvalue of the covariance *of a group*. Only
        where its entries are independent is that the standard deviation of one; correlated, it is up to sqrt(k) of it.
    eps : float in [1e-100, 1)
        The probability with which the certificate may be wrong somewhere, at some time.
    horizon : int, at least 1
        The step at which the radius is the best, for the first step size. Rather too short than too long: compared
        with the best, the radius is about 1.1 times as large at ten times the horizon, 2.5 times at a tenth of it.
    n_magnitudes : int, optional
        m, for the union bound: all magnitudes of the parameter by default. Where independent runs are stacked along a
        leading axis, the number in one run makes eps the probability per run.

    Raises
    ------
    ValueError, TypeError
        If a parameter is out of range, or the regularizer is neither.

    >>> import numpy as np
    >>> from rmda_ref import RMDA, steps
    >>> rng = np.random.default_rng(0)
    >>> mean = np.array([-5.0, 0.2, -0.4])
    >>> algorithm = RMDA(L1(lam=1.0), step_size=0.1)
    >>> certificate = SupportCertificate(algorithm.regularizer, noise=0.5)
    >>> state = algorithm.init(np.zeros(3))
    >>> seen = certificate.init(state.anchor)
    >>> def gradient(w):
    ...     return mean + np.array([1.0, 0.0, 0.0]) * w + 0.5 * rng.standard_normal(3)
    >>> for state in steps(algorithm, state, gradient, 300):
    ...     seen = certificate.observe(seen, state.dual_average, state.weight)
    >>> seen.certified
    array([False,  True,  True])
    """

    regularizer: L1 | GroupLasso
    noise: Any
    eps: float = 0.05
    horizon: int = 100
    n_magnitudes: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.regularizer, L1 | GroupLasso):
            raise TypeError(
                f"regularizer must be L1 or GroupLasso, got {type(self.regularizer).__name__}; only of norms of "
                "entries or groups does the dual average alone tell which are zero"
            )
        check_noise(self.noise)
        check_eps(self.eps)
        checks.count("horizon", self.horizon, 1, "it is the step at which the radius is the best")
        if self.n_magnitudes is not None:
            checks.count("n_magnitudes", self.n_magnitudes, 1, "it is the number of entries or groups in a run")

    def init(self, w0: Array) -> SupportState:
        """The state before the first step from W^0 = ``w0``.

        Raises ValueError if ``w0`` or ``noise`` does not fit the regularizer, TypeError if ``w0`` is no NumPy array.
        """
        host_only(w0=w0)
        self.regularizer.check(w0.shape)
        eligible = self._magnitudes(w0) == 0
        checks.one_each("noise", None if np.ndim(self.noise) == 0 else self.noise, eligible.size, "magnitudes")
        return SupportState(np.zeros(eligible.shape, np.int64), eligible=eligible)

    def observe(self, state: SupportState, dual_average: Array, weight: float) -> SupportState:
        """After one more step, which left V^t/alpha_t = ``dual_average`` and alpha_t = ``weight``; in O(n).

        Raises ValueError if the weight or the step size is not what one more step of this stage can lead to, or the
        dual average has another shape than W^0; TypeError if it is no NumPy array.
        """
        host_only(dual_average=dual_average)
        t = state.t + 1
        weighted_step = next_weighted_step(state.weight, weight)
        step_size = nonincreasing(weighted_step, t, state.step_size)
        shape = dual_average.shape
        self.regularizer.check(shape)
        magnitudes, sizes = self._magnitudes(dual_average), self.regularizer.layout.sizes(shape)
        if magnitudes.shape != state.since.shape:
            raise ValueError(
                f"dual_average of shape {shape} has {magnitudes.shape} entries or groups, w0 had {state.since.shape}; "
                "give the one of the run that init was told of"
            )
        checks.finite("dual_average", dual_average)
        variance = np.square(self.noise) if np.ndim(self.noise) == 0 else np.reshape(self.noise, magnitudes.shape) ** 2
        odds = (self.n_magnitudes or magnitudes.size) / self.eps
        rho = state.rho
        if t == 1:
            rho = best_rho(variance * weighted_step**2 * self.horizon * (self.horizon + 1) / 2, sizes, odds)
        square_sum = state.square_sum + weighted_step**2
        radius = anytime_radius(variance * square_sum, rho, sizes, odds) / weight
        strengths = self.regularizer.strengths_like(magnitudes, shape)
        holds = state.eligible & (magnitudes <= strengths - 2 * radius)
        since = np.where(state.certified | ~holds, state.since, t)
        return SupportState(since, radius, rho, square_sum, weight, step_size, t, state.eligible)

    def _magnitudes(self, x: Array) -> Vector:
        """One a group, or one an entry."""
        layout = self.regularizer.layout
        return np.asarray(layout.norms(x) if isinstance(layout, Rows | Groups) else np.abs(x))


def check_eps(eps: float) -> None:
    """Raise unless ``eps`` is a probability below 1, and not so small that its square underflows in `best_rho`."""
    remedy = "it is the probability with which the certificate may be wrong"
    if not SMALLEST <= checks.fraction("eps", eps, remedy) < 1:
        raise ValueError(f"eps must lie in [{SMALLEST:g}, 1), got {eps!r}; {remedy}")


def check_noise(noise: Any) -> None:
    """Raise unless ``noise`` is one positive number, or an array of them."""
    host_only(noise=noise)
    values = np.asarray(noise)
    if values.dtype.kind not in "fiu" or not (np.isfinite(values).all() and (values > 0).all()):
        raise ValueError(
            f"noise must be positive and finite, got {noise!r}; it bounds the standard deviation of the gradient in "
            "every direction of a group"
        )


def next_weighted_step(before: float, after: float) -> float:
    """s_t = alpha_t - alpha_{t-1}; ValueError unless it is positive."""
    if not before < after < math.inf:
        raise ValueError(
            f"weight must grow at every step, got {after!r} after {before!r}; observe each step once, and after a "
            "restart begin again with init"
        )
    return float(after) - before


def nonincreasing(weighted_step: float, t: int, before: float) -> float:
    """eta_t = s_t/sqrt(t); ValueError if it is larger than ``before``."""
    step_size = weighted_step / math.sqrt(t)
    if step_size > before * (1 + GROWTH):
        raise ValueError(
            f"step_size grew to {step_size!r} from {before!r} at step {t}; the radius is known to shrink only for "
            "step sizes that do not increase: begin a new stage instead"
        )
    return step_size
