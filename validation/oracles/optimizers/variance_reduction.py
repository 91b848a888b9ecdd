"""Proximal gradients of a finite sum f = (1/n) sum_i f_i, their variance reduced."""

from collections.abc import Callable, Sequence

import numpy as np

from validation.oracles.optimizers.histories import Array
from validation.oracles.optimizers.penalty import Penalty

ComponentGradient = Callable[[int, Array], Array]


def _full_gradient(component_gradient: ComponentGradient, points: Sequence[Array]) -> Array:
    """(1/n) sum_i of the gradient of f_i at the i-th of n points."""
    return np.asarray(np.mean([component_gradient(i, x) for i, x in enumerate(points)], axis=0))


def prox_svrg(
    component_gradient: ComponentGradient,
    n_components: int,
    w0: Array,
    lr: float,
    order: Sequence[Sequence[int]],
    penalty: Penalty,
) -> Array:
    """x_k = prox_{lr psi}(x_{k-1} - lr (grad f_i(x_{k-1}) - grad f_i(x~) + grad f(x~))), i drawn uniformly.

    The snapshot x~ of an epoch is the average of the iterates after each of the steps of the epoch before, w0 in the
    first, and every epoch starts at its snapshot: Xiao & Zhang, SIAM Journal on Optimization 24 (2014).

    Parameters
    ----------
    component_gradient : (i, w) -> gradient of f_i at w.
    n_components : n.
    w0 : start.
    lr : step.
    order : epochs, each the components of its steps.
    penalty : psi.

    Returns
    -------
    The iterates after each step of all epochs, in sequence, shape (number of steps, *w0.shape).
    """
    iterates: list[Array] = []
    snapshot = w0
    for epoch in order:
        full, x = _full_gradient(component_gradient, [snapshot] * n_components), snapshot
        for i in epoch:
            direction = component_gradient(i, x) - component_gradient(i, snapshot) + full
            x = penalty.minimise(x - lr * direction, lr, np.ones_like(w0))
            iterates.append(x)
        snapshot = np.mean(iterates[-len(epoch) :], axis=0)
    return np.stack(iterates)


def prox_saga(
    component_gradient: ComponentGradient,
    n_components: int,
    w0: Array,
    lr: float,
    indices: Sequence[int],
    penalty: Penalty,
) -> Array:
    """x_k = prox_{lr psi}(x_{k-1} - lr (grad f_j(x_{k-1}) - grad f_j(phi_j) + (1/n) sum_i grad f_i(phi_i))).

    phi_i is the point where component i was last drawn, w0 before; phi_j becomes x_{k-1} after the step: Defazio, Bach
    & Lacoste-Julien, NIPS 2014. The points are kept here, and their gradients computed anew.

    Parameters
    ----------
    component_gradient : (i, w) -> gradient of f_i at w.
    n_components : n.
    w0 : start.
    lr : step.
    indices : the component of each step.
    penalty : psi.

    Returns
    -------
    The iterates after each step, shape (number of steps, *w0.shape).
    """
    iterates, x, phi = [], w0, [w0] * n_components
    for j in indices:
        direction = component_gradient(j, x) - component_gradient(j, phi[j]) + _full_gradient(component_gradient, phi)
        phi[j] = x
        x = penalty.minimise(x - lr * direction, lr, np.ones_like(w0))
        iterates.append(x)
    return np.stack(iterates)
