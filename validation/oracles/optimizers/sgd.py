"""Stochastic gradients with momentum, without and with a proximal step."""

import numpy as np

from validation.oracles.optimizers.histories import Array, Numbers, check_lengths, decayed_sums, moving_averages
from validation.oracles.optimizers.penalty import Penalty


def msgd(w0: Array, grads: Array, lr: Numbers, mu: Numbers) -> Array:
    """SGD with heavy-ball momentum in PyTorch's form: w_t = w_{t-1} - lr_t b_t, b_t = mu_t b_{t-1} + g_t, b_0 = 0.

    Polyak, USSR Computational Mathematics 4 (1964); Sutskever et al., ICML 2013, equations (1), (2), whose velocity is
    -lr b while lr is constant.

    Parameters
    ----------
    w0 : start.
    grads : gradients, shape (T, *w0.shape).
    lr, mu : steps and momenta, T of each; mu_1 has no effect.

    Returns
    -------
    w_1, ..., w_T, shape (T, *w0.shape).
    """
    check_lengths(grads, lr=lr, mu=mu)
    buffers = decayed_sums(grads, mu)
    return np.stack([w0 - sum(lr[i] * buffers[i] for i in range(t + 1)) for t in range(len(grads))])


def prox_sgd(w0: Array, grads: Array, lr: Numbers, c: Numbers, penalty: Penalty) -> Array:
    """w_t = argmin <M_t, x> + psi(x) + |x - w_{t-1}|^2/(2 lr_t), M_t = (1 - c_t) M_{t-1} + c_t g_t, M_0 = 0.

    As in the code of Huang, Huang & Lee, NeurIPS 2024: no bias correction.

    Parameters
    ----------
    w0 : start.
    grads : gradients, shape (T, *w0.shape).
    lr, c : steps and weights of the new gradient, T of each.
    penalty : psi.

    Returns
    -------
    w_1, ..., w_T, shape (T, *w0.shape).
    """
    check_lengths(grads, lr=lr, c=c)
    points, w = [], w0
    for step, m in zip(lr, moving_averages(np.zeros_like(w0), grads, c), strict=True):
        w = penalty.minimise(w - step * m, 1.0, np.full_like(w0, 1 / step))
        points.append(w)
    return np.stack(points)
