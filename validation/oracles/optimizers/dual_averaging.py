"""Dual averaging: every point is a minimiser around the start w0, given the weighted sum of all gradients so far."""

import numpy as np

from validation.oracles.optimizers.histories import Array, Numbers, Points, check_lengths, moving_averages
from validation.oracles.optimizers.penalty import Penalty


def _weights(lr: Numbers, t: int) -> Array:
    """s_i = lr_i sqrt(i), i = 1, ..., t."""
    return np.asarray(lr, dtype=np.float64)[:t] * np.sqrt(np.arange(1, t + 1))


def rmda(w0: Array, grads: Array, lr: Numbers, c: Numbers, penalty: Penalty) -> Points:
    """Regularized modernized dual averaging.

        W~_t = argmin <V_t, x> + alpha_t psi(x) + sqrt(t)/2 |x - w0|^2,  W_t = (1 - c_t) W_{t-1} + c_t W~_t,

    with V_t = sum_{i<=t} s_i g_i, alpha_t = sum_{i<=t} s_i, s_i = lr_i sqrt(i): Huang & Lee, ICLR 2022, Algorithm 1,
    one stage of it.

    Parameters
    ----------
    w0 : start, and centre of the stage.
    grads : gradients at W_0, ..., W_{T-1}, shape (T, *w0.shape).
    lr, c : steps and weights of the new point, T of each.
    penalty : psi.

    Returns
    -------
    W_1, ..., W_T and W~_1, ..., W~_T, each of shape (T, *w0.shape).
    """
    check_lengths(grads, lr=lr, c=c)
    structured = np.empty_like(grads)
    for t in range(1, len(grads) + 1):
        s, beta = _weights(lr, t), np.sqrt(t)
        v = np.tensordot(s, grads[:t], axes=1)
        structured[t - 1] = penalty.minimise(w0 - v / beta, float(s.sum()), np.full_like(w0, beta))
    return Points(moving_averages(w0, structured, c), structured)


def mda(w0: Array, grads: Array, lr: Numbers, c: Numbers) -> Points:
    """Modernized dual averaging: z_t = w0 - sum_{i<=t} lr_i sqrt(i/t) g_i,  x_t = (1 - c_t) x_{t-1} + c_t z_t.

    Jelassi & Defazio, arXiv:2010.10502, whose k is t - 1.

    Parameters
    ----------
    w0 : start.
    grads : gradients at x_0, ..., x_{T-1}, shape (T, *w0.shape).
    lr, c : steps and weights of the new point, T of each.

    Returns
    -------
    x_1, ..., x_T and z_1, ..., z_T, each of shape (T, *w0.shape).
    """
    check_lengths(grads, lr=lr, c=c)
    z = [w0 - sum(lr[i] * np.sqrt((i + 1) / t) * grads[i] for i in range(t)) for t in range(1, len(grads) + 1)]
    return Points(moving_averages(w0, np.stack(z), c), np.stack(z))


def rda(w0: Array, grads: Array, gamma: float, penalty: Penalty) -> Array:
    """Regularized dual averaging: w_t = argmin <mean of g_1, ..., g_t, x> + psi(x) + gamma/sqrt(t) |x - w0|^2/2.

    Xiao, JMLR 11 (2010), Algorithm 1 with beta_t = gamma sqrt(t) and h = |. - w0|^2/2; his w_{t+1} is w_t here.

    Parameters
    ----------
    w0 : start.
    grads : gradients at w_0, ..., w_{T-1}, shape (T, *w0.shape).
    gamma : positive.
    penalty : psi.

    Returns
    -------
    w_1, ..., w_T, shape (T, *w0.shape).
    """
    points = []
    for t in range(1, len(grads) + 1):
        curvature = gamma / np.sqrt(t)
        centre = w0 - grads[:t].mean(axis=0) / curvature
        points.append(penalty.minimise(centre, 1.0, np.full_like(w0, curvature)))
    return np.stack(points)


def ramda(w0: Array, grads: Array, lr: Numbers, c: Numbers, eps: float, penalty: Penalty) -> Points:
    """Regularized adaptive momentum dual averaging.

        W~_t = argmin <V_t, x> + alpha_t psi(x) + 1/2 (x - w0)' P_t (x - w0),  W_t = (1 - c_t) W_{t-1} + c_t W~_t,

    with V_t and alpha_t as in `rmda`, P_t = cube root of U_t, + eps, U_t = sum_{i<=t} s_i g_i^2, entry by entry:
    Huang, Huang & Lee, NeurIPS 2024 (arXiv:2403.14398), Algorithm 1 with the subproblem solved exactly.

    Parameters
    ----------
    w0 : start.
    grads : gradients at W_0, ..., W_{T-1}, shape (T, *w0.shape).
    lr, c : steps and weights of the new point, T of each.
    eps : nonnegative; 0 needs a first gradient without zeros.
    penalty : psi.

    Returns
    -------
    W_1, ..., W_T and W~_1, ..., W~_T, each of shape (T, *w0.shape).
    """
    check_lengths(grads, lr=lr, c=c)
    structured = np.empty_like(grads)
    for t in range(1, len(grads) + 1):
        s = _weights(lr, t)
        v, u = np.tensordot(s, grads[:t], axes=1), np.tensordot(s, np.square(grads[:t]), axes=1)
        p = np.cbrt(u) + eps
        structured[t - 1] = penalty.minimise(w0 - v / p, float(s.sum()), p)
    return Points(moving_averages(w0, structured, c), structured)


def grda(w0: Array, grads: Array, gamma: float, c: float, mu: float, penalty: Penalty) -> Array:
    """Generalized regularized dual averaging: w_n = argmin g(n, gamma) psi(x) + 1/2 |x - w0 + gamma sum_{i<=n} g_i|^2.

    g(n, gamma) = c gamma^(1/2) (n gamma)^mu: Chao & Cheng, "A generalization of regularized dual averaging and its
    dynamics" (2019); Chao et al., "Directional pruning of deep neural networks", NeurIPS 2020.

    Parameters
    ----------
    w0 : start.
    grads : gradients at w_0, ..., w_{T-1}, shape (T, *w0.shape).
    gamma : step, the same for all.
    c, mu : of the tuning function g.
    penalty : psi.

    Returns
    -------
    w_1, ..., w_T, shape (T, *w0.shape).
    """
    steps = range(1, len(grads) + 1)
    levels = [c * np.sqrt(gamma) * (n * gamma) ** mu for n in steps]
    centres = [w0 - gamma * grads[:n].sum(axis=0) for n in steps]
    return np.stack([penalty.minimise(x, g, np.ones_like(w0)) for x, g in zip(centres, levels, strict=True)])
