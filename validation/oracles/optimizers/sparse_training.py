"""Training of one layer with a mask, and momentum on what is active."""

import math

import numpy as np
from numpy.typing import NDArray

from validation.oracles.optimizers.histories import Array, Numbers, check_lengths
from validation.oracles.optimizers.sgd import msgd

Mask = NDArray[np.bool_]


def rigl(
    w0: Array,
    mask0: Mask,
    grads: Array,
    lr: Numbers,
    mu: Numbers,
    update_every: int,
    stop_at: int,
    alpha: float,
) -> Array:
    """The rigged lottery: SGD with momentum on the active weights, and now and then instead of a step another mask.

    At the steps t = 1, 2, ... that ``update_every`` divides, before ``stop_at``: with k the whole part of
    alpha/2 (1 + cos(pi t/stop_at)) times the number of active weights, the k active weights least in magnitude are
    dropped, and of all that are then not active, the dropped among them, the k with the greatest gradients in magnitude
    become active, at 0. Evci et al., ICML 2020, Algorithm 1. Among equals the first goes first.

    The momentum of a weight sums what it has seen since it became active; other weights have none.

    Parameters
    ----------
    w0 : start; what ``mask0`` leaves out is taken as 0.
    mask0 : the active weights at the start, shaped like w0.
    grads : gradients with respect to all weights, active or not, shape (T, *w0.shape).
    lr, mu : steps and momenta, T of each; those of steps that change the mask have no effect.
    update_every, stop_at, alpha : Delta T, T_end and alpha of the paper.

    Returns
    -------
    The masked weights after each step, shape (T, *w0.shape).
    """
    check_lengths(grads, lr=lr, mu=mu)
    g = grads.reshape(len(grads), -1)
    active = {i for i in range(w0.size) if mask0.flat[i]}
    weights = {i: float(w0.flat[i]) for i in active}
    seen: dict[int, list[int]] = {i: [] for i in active}  # the steps in which each has had a gradient
    points = np.zeros_like(g)
    for t in range(1, len(g) + 1):
        if t % update_every == 0 and t < stop_at:
            k = math.floor(alpha / 2 * (1 + math.cos(t * math.pi / stop_at)) * len(active))
            active -= set(sorted(active, key=lambda i: (abs(weights[i]), i))[:k])
            others = set(range(w0.size)) - active
            for i in sorted(others, key=lambda i: (-abs(g[t - 1, i]), i))[:k]:
                active.add(i)
                weights[i], seen[i] = 0.0, []
        else:
            for i in active:
                seen[i].append(t)
                weights[i] -= lr[t - 1] * _momentum(g[:, i], mu, seen[i])
        points[t - 1, list(active)] = [weights[i] for i in active]
    return points.reshape(grads.shape)


def _momentum(g: Array, mu: Numbers, steps: list[int]) -> float:
    """The sum of the gradients in these steps, each times the product of the momenta of the later ones."""
    return sum(math.prod(mu[j - 1] for j in steps[n + 1 :]) * float(g[i - 1]) for n, i in enumerate(steps))


def gradual_pruning(
    w0: Array, grads: Array, lr: Numbers, mu: Numbers, s_f: float, t_0: int, n: int, delta_t: int
) -> Array:
    """SGD with momentum; after the steps t_0, t_0 + delta_t, ..., t_0 + n delta_t small weights are cut for ever.

    A fraction s_t = s_f + (0 - s_f) (1 - (t - t_0)/(n delta_t))^3 of the layer, rounded to a number of weights, is 0
    afterwards; what was cut stays so: Zhu & Gupta, arXiv:1710.01878, equation (1) with s_i = 0. Equal
    magnitudes go in no stated order.

    Weights do not touch one another but by the cuts, and the gradients are given: before its cut a weight moves as in
    `msgd`, and is 0 from then on.

    Parameters
    ----------
    w0 : start.
    grads : gradients, shape (T, *w0.shape); those of weights that are cut have no effect.
    lr, mu : steps and momenta, T of each.
    s_f : final sparsity.
    t_0, n, delta_t : first step after which is cut, steps counted from 1; number of cuts after that one, at least 1;
        steps from cut to cut.

    Returns
    -------
    The masked weights after each step, shape (T, *w0.shape).
    """
    points = msgd(w0, grads, lr, mu).reshape(len(grads), -1)
    alive = list(range(w0.size))
    for t in range(t_0, min(t_0 + n * delta_t, len(grads)) + 1, delta_t):
        sparsity = s_f - s_f * (1 - (t - t_0) / (n * delta_t)) ** 3
        ranking = sorted(alive, key=np.abs(points[t - 1]).__getitem__, reverse=True)
        alive = ranking[: w0.size - round(sparsity * w0.size)]
        points[t - 1 :, sorted(set(range(w0.size)) - set(alive))] = 0.0
    return points.reshape(grads.shape)
