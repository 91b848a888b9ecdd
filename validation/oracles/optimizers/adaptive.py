"""Adam with a proximal step in its own diagonal metric."""

import numpy as np

from validation.oracles.optimizers.histories import Array, Numbers, check_lengths, moving_averages
from validation.oracles.optimizers.penalty import Penalty


def _corrected(values: Array, beta: float) -> Array:
    """The average of values_i with weights beta^(t-i): Adam's bias-corrected moment."""
    weights = beta ** np.arange(len(values) - 1, -1, -1, dtype=np.float64)
    return np.asarray(np.tensordot(weights / weights.sum(), values, axes=1))


def prox_adam(
    w0: Array,
    grads: Array,
    lr: Numbers,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    penalty: Penalty,
) -> Array:
    """Adam, bias-corrected, with a proximal step in its metric and decoupled weight decay.

        w_t = argmin lr_t psi(x) + 1/2 |x - ((1 - lr_t weight_decay) w_{t-1} - lr_t m^_t / D_t)|^2_{D_t},
        D_t = sqrt(v^_t) + eps,

    with m^, v^ the bias-corrected moments: Deleu & Bengio, arXiv:2102.03869; the decay as in ProxAdamW of the code of
    Huang, Huang & Lee, NeurIPS 2024.

    Parameters
    ----------
    w0 : start.
    grads : gradients, shape (T, *w0.shape).
    lr : steps, T of them.
    beta1, beta2 : decay of the moments, in [0, 1).
    eps : nonnegative; 0 needs a first gradient without zeros.
    weight_decay : nonnegative.
    penalty : psi.

    Returns
    -------
    w_1, ..., w_T, shape (T, *w0.shape).
    """
    check_lengths(grads, lr=lr)
    points, w = [], w0
    for t, step in enumerate(lr, start=1):
        m, d = _corrected(grads[:t], beta1), np.sqrt(_corrected(grads[:t] ** 2, beta2)) + eps
        w = penalty.minimise(w - step * weight_decay * w - step * m / d, step, d)
        points.append(w)
    return np.stack(points)


def prox_gen(w0: Array, grads: Array, lr: Numbers, rho: Numbers, beta: float, delta: float, penalty: Penalty) -> Array:
    """ProxGen with Adam's preconditioner, without bias correction.

        w_t = argmin <m_t, x> + psi(x) + 1/(2 lr_t) |x - w_{t-1}|^2_{C_t},  C_t = sqrt(v_t) + delta,
        m_t = rho_t m_{t-1} + (1 - rho_t) g_t,  v_t = beta v_{t-1} + (1 - beta) g_t^2,  m_0 = v_0 = 0:

    Yun, Lozano & Yang, NeurIPS 2021, Algorithm 1.

    Parameters
    ----------
    w0 : start.
    grads : gradients, shape (T, *w0.shape).
    lr, rho : steps and momenta, T of each.
    beta : decay of the squares, in [0, 1).
    delta : nonnegative; 0 needs a first gradient without zeros.
    penalty : psi.

    Returns
    -------
    w_1, ..., w_T, shape (T, *w0.shape).
    """
    check_lengths(grads, lr=lr, rho=rho)
    m = moving_averages(np.zeros_like(w0), grads, 1 - np.asarray(rho))
    v = moving_averages(np.zeros_like(w0), grads**2, np.full(len(grads), 1 - beta))
    points, w = [], w0
    for step, m_t, v_t in zip(lr, m, v, strict=True):
        preconditioner = np.sqrt(v_t) + delta
        w = penalty.minimise(w - step * m_t / preconditioner, 1.0, preconditioner / step)
        points.append(w)
    return np.stack(points)
