"""The support certificate of a lasso whose active part feeds back: the bias is observed, and subtracted.

Model. f(W) = 1/2 <W, H W> - <b, W> with noise zeta_i given the past as in `rmda_ref.certificates.support`, entries
independent with deviation sigma; psi = sum lam_i |W_i|; a set A of entries and signs z on it, chosen before the run, I
the others, W^0_I = 0. With M = H_IA H_AA^{-1}, S = H_II - M H_AI and W* the minimiser whose support and signs are A, z,
the optimality of W~^t on A where its signs are z, V_A/alpha + (beta/alpha)(W~ - W^0)_A = -lam_A z, turns V_I into

    V_I^t/alpha_t = mu + N_t/alpha_t - (beta_t/alpha_t) M (W~^t - W^0)_A + F_t/alpha_t,                            (1)

mu = grad_I f(W*) constant, N_t = sum s_i (zeta_I - M zeta_A)_i the noise, of deviation sigma sqrt(1 + |M_j|^2) per step
in entry j of I, and F_t = sum s_i S W_I^{i-1} the feedback. mu is unknown; but bias and feedback are *observed*.

*Proved.* With probability at least 1 - eps, |N_t| <= alpha_t r_t in all entries at all t (method of mixtures; no signs
are needed for that). On that event, at a step t with right signs, |mu| <= |Y_t| + r_t with

    Y_t = V_I/alpha_t + (beta_t/alpha_t) M (W~^t - W^0)_A - F_t/alpha_t.

Let B bound |M (W~^s - W^0)_A| for s >= t, c_s >= c > 0, and step sizes that do not increase; while W~_I = 0, W_I^s =
prod (1 - c) W_I^t, so that |F_s| <= |F_t| + |S W_I^t| eta_t sqrt(t + 1) (1/c + (1 - c)/(2 (t + 1) c^2)) = f_t, the last
factor a bound on sum_j sqrt(1 + j/(t + 1)) (1 - c)^j. Let q_t = sup_{s >= t} beta_s/alpha_s. If

    |Y_t| + 2 r_t + q_t B + f_t/alpha_t <= lam_I     in all entries of I,

then by (1), step by step, W~^s_I = 0 for every s >= t up to the first s at which an active sign of W~^s is wrong or |M
(W~^s - W^0)_A| exceeds B. Both can be seen when they happen. q_t = beta_t/alpha_t if alpha/beta never decreases, that
is if s_t >= alpha_{t-1} (sqrt(t/(t-1)) - 1), for which s_t at least half the mean of the earlier weights is enough: so
for eta_t = eta/t^p, 0 <= p <= 1. `SchurCertificate` refuses steps at which it fails.

*Assumed, and only ever observed*: that signs stay right and that B is never exceeded. Noise loses an active sign at a
rate that does not vanish under a constant step size (claim C6): "for ever" is not promised, "as long as" is.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from rmda_ref import checks
from rmda_ref.certificates.host import host_only
from rmda_ref.certificates.support import (
    Steps,
    Vector,
    anytime_radius,
    best_rho,
    check_eps,
    next_weighted_step,
    nonincreasing,
)
from rmda_ref.namespace import Array
from rmda_ref.regularizers import L1


@dataclass(frozen=True, eq=False)
class SchurState:
    """What a certificate knows after ``t`` steps; ``since`` and ``lost`` are of the shape of the leading axes (runs).

    Attributes
    ----------
    since : the step from which on all inactive entries are certified to be zero; 0 while they are not
    lost : the first step from ``since`` on at which an active sign was wrong or the reach exceeded; 0 if none was
    residual : Y_t, what of the dual average is neither bias nor feedback: mu and noise
    radius : r_t per inactive entry
    anchor, iterate : W^0 and W^t
    feedback : F_t
    rho, square_sum, weight, step_size, t : as in `SupportState`
    """

    since: Steps
    lost: Steps
    anchor: Array
    iterate: Array
    feedback: Vector
    residual: Vector
    radius: Vector
    rho: Vector
    square_sum: float = 0.0
    weight: float = 0.0
    step_size: float = math.inf
    t: int = 0

    @property
    def certified(self) -> npt.NDArray[np.bool_]:
        """Whether the inactive entries are certified to be zero for as long as the premise holds."""
        return np.asarray(self.since > 0)


@dataclass(frozen=True, eq=False)
class SchurCertificate:
    """Certifies the support of a lasso on a quadratic with known Hessian, feedback and bias included.

    With probability at least 1 - eps: from the step ``since`` on, W~ is zero outside ``signs`` at every step up to the
    first at which the premise is ``lost`` (an active sign of W~ is wrong, or |M (W~ - W^0)_A| exceeds ``reach``). The
    proof, and what is assumed, are in `rmda_ref.certificates.schur`.

    Parameters
    ----------
    regularizer : L1
    hessian : array, shape (n, n)
        H of the quadratic, on the flattened parameter.
    signs : array of n numbers
        The signs of the solution, -1, 0 or 1, with 0 for inactive entries; chosen before the run.
    noise : float
        sigma: standard deviation of each entry of a gradient, independent entries.
    reach : float, or one per inactive entry
        B. The larger, the later the certificate comes; where it is exceeded the certificate ends.
    momentum : float in (0, 1]
        c, a lower bound of the momenta (1 means none).
    eps, horizon : see `SupportCertificate`

    Raises
    ------
    ValueError, TypeError
        If a parameter is out of range or does not fit the others.

    Notes
    -----
    Parameters have shape (..., n): leading axes are independent runs, and eps is the probability in each. All arrays
    are NumPy's, or TypeError is raised.
    """

    regularizer: L1
    hessian: Array
    signs: Array
    noise: float
    reach: Any
    momentum: float = 1.0
    eps: float = 0.05
    horizon: int = 100

    def __post_init__(self) -> None:
        if not isinstance(self.regularizer, L1):
            raise TypeError(
                f"regularizer must be L1, got {type(self.regularizer).__name__}: the subgradient on the active part "
                "must not change; see SupportCertificate for groups"
            )
        host_only(hessian=self.hessian, signs=self.signs, reach=self.reach)
        checks.positive("noise", self.noise)
        checks.weights("reach", self.reach)
        checks.fraction("momentum", self.momentum, "it bounds the momenta from below; 1 means no momentum")
        check_eps(self.eps)
        checks.count("horizon", self.horizon, 1, "it is the step at which the radius is the best")
        n = np.size(self.signs)
        if np.shape(self.hessian) != (n, n):
            raise ValueError(f"hessian has shape {np.shape(self.hessian)}; {n} signs need ({n}, {n})")
        if not np.isin(self.signs, (-1, 0, 1)).all():
            raise ValueError(f"signs must be -1, 0 or 1, got {self.signs!r}; take numpy.sign of the solution")
        if not (np.isfinite(self.hessian).all() and np.array_equal(self.hessian, np.transpose(self.hessian))):
            raise ValueError("hessian must be finite and symmetric; symmetrise it as (H + H.T)/2")
        if not self._active.any() or self._active.all():
            raise ValueError(f"signs must have both active and inactive entries, got {self.signs!r}")
        self.regularizer.check((n,))
        if np.ndim(self.reach):
            checks.one_each("reach", self.reach, n - int(self._active.sum()), "inactive entries")
        if not np.linalg.eigvalsh(self._among(self._active)).min() > 0:
            raise ValueError("hessian must be positive definite on the active entries: choose independent ones")

    @cached_property
    def _active(self) -> npt.NDArray[np.bool_]:
        return np.asarray(np.ravel(self.signs) != 0)

    @cached_property
    def _maps(self) -> tuple[Vector, Vector]:
        """M and S."""
        active, inactive = self._active, ~self._active
        across = self.hessian[np.ix_(inactive, active)]
        m = np.linalg.solve(self._among(active), across.T).T
        return m, self._among(inactive) - m @ across.T

    def _among(self, entries: npt.NDArray[np.bool_]) -> Array:
        """The block of H that belongs to ``entries``."""
        return self.hessian[np.ix_(entries, entries)]

    @cached_property
    def deviations(self) -> Vector:
        """sigma sqrt(1 + |M_j|^2) of the noise in each inactive entry."""
        return np.asarray(self.noise * np.sqrt(1 + np.sum(self._maps[0] ** 2, axis=1)))

    def init(self, w0: Array) -> SchurState:
        """The state before the first step; ValueError if ``w0`` has the wrong shape or is not 0 on inactive entries."""
        host_only(w0=w0)
        inactive = ~self._active
        if w0.shape[-1:] != inactive.shape:
            raise ValueError(f"w0 has shape {w0.shape}; its last axis must have {inactive.size} entries, one per sign")
        if np.any(w0[..., inactive] != 0):
            raise ValueError("w0 must be 0 on inactive entries: otherwise they are not zero when |V| <= alpha lam")
        runs = np.zeros(w0.shape[:-1], np.int64)
        empty = np.zeros((*w0.shape[:-1], int(inactive.sum())))
        unknown = np.full(inactive.sum(), np.inf)
        w0 = np.array(w0)  # a stepper goes on to change what it shows
        return SchurState(runs, runs, w0, w0, empty, empty, unknown, unknown)

    def observe(
        self, state: SchurState, dual_average: Array, weight: float, iterate: Array, prox_iterate: Array
    ) -> SchurState:
        """After one more step, which left V^t/alpha_t, alpha_t, W^t and W~^t; O(n |A|).

        Raises ValueError if the weight or the step size is not what one more step of this stage can lead to.
        """
        host_only(dual_average=dual_average, iterate=iterate, prox_iterate=prox_iterate)
        for name, array in (("dual_average", dual_average), ("iterate", iterate), ("prox_iterate", prox_iterate)):
            if array.shape != state.anchor.shape:
                raise ValueError(f"{name} has shape {array.shape}, w0 had {state.anchor.shape}; give those of one run")
        t = state.t + 1
        weighted_step = next_weighted_step(state.weight, weight)
        step_size = nonincreasing(weighted_step, t, state.step_size)
        if t > 1 and weighted_step < 0.5 * state.weight / (t - 1):
            raise ValueError(
                f"step_size fell to {step_size!r} at step {t}: its weight is below half the mean of the earlier ones, "
                "and the bias is not known to shrink; begin a new stage instead"
            )
        active, (m, s) = self._active, self._maps
        odds = (~active).sum() / self.eps
        variances = self.deviations**2
        rho = state.rho
        if t == 1:
            rho = best_rho(variances * weighted_step**2 * self.horizon * (self.horizon + 1) / 2, 1, odds)
        square_sum = state.square_sum + weighted_step**2
        radius = anytime_radius(variances * square_sum, rho, 1, odds) / weight
        feedback = state.feedback + weighted_step * state.iterate[..., ~active] @ s.T
        moved = (prox_iterate - state.anchor)[..., active] @ m.T
        pull = math.sqrt(t) / weight  # beta/alpha
        residual = dual_average[..., ~active] + pull * moved - feedback / weight
        premise = np.all(np.sign(prox_iterate[..., active]) == np.ravel(self.signs)[active], axis=-1)
        premise &= np.all(np.abs(moved) <= self.reach, axis=-1)
        tail = np.abs(iterate[..., ~active] @ s.T) * self._fading(step_size, t)
        bound = np.abs(residual) + 2 * radius + pull * np.asarray(self.reach) + (np.abs(feedback) + tail) / weight
        holds = premise & np.all(bound <= self._thresholds, axis=-1)
        since = np.where(state.certified | ~holds, state.since, t)
        lost = np.where(state.certified & ~premise & (state.lost == 0), t, state.lost)
        return SchurState(
            since,
            lost,
            state.anchor,
            np.array(iterate),
            feedback,
            residual,
            radius,
            rho,
            square_sum,
            weight,
            step_size,
            t,
        )

    @cached_property
    def _thresholds(self) -> Vector:
        strengths = self.regularizer.strengths((self._active.size,)) + np.zeros(self._active.size)
        return np.asarray(strengths)[~self._active]

    def _fading(self, step_size: float, t: int) -> float:
        """A bound on the weights that an inactive entry of W^t gets until momentum has faded it."""
        c = self.momentum
        return step_size * math.sqrt(t + 1) * (1 / c + (1 - c) / (2 * (t + 1) * c * c))
