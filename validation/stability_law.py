"""How far two runs come apart whose data differ in one sample: exactly, for one pass over least squares, psi = 0.

The loss of a sample is (<s, w> - y)^2/2, with s of d independent signs and y = <s, W*> + sigma xi, xi a sign too. Then
g = A (W - W*) - sigma xi s with A = s s^T, E A = I and A^2 = d A. For psi = 0 an algorithm is linear: with d-vectors
as components z = (x, y, a, u) (x = W - W*; y = W~ - W* in RMDA, the averaged gradient in ProxSGD; a = W^0 - W*;
u = sum of W^i - W*),

    z_t = L_t z_{t-1} + b_t g_t.

Two runs over the same order of data sets that differ in the sample of step tau have the difference z = 0 before tau; at
tau g jumps by its two values at the same W, and after it g is A_t times the difference of W: *an exact recursion, given
the samples*. In one pass A_t is independent of what came before, so that the matrix of inner products S = E <z_i, z_j>
obeys

    S' = L S L^T + L S e_x b^T + b e_x^T S L^T + b b^T (d S_xx + J),

J = d sigma^2 for the run itself, and for the difference, summed over tau, J_t = 2 d (m_{t-1} + sigma^2) - 2 m_{t-1},
m = E ||W - W*||^2: the mean square of the jump, for two independent samples. The replaced sample stands anywhere in the
order with probability 1/n, hence after T <= n steps

    E ||W_T - W'_T||^2 = K_T/n,    K_T = S_xx of the sum, which does not depend on n.

K_T tends to a constant where the step size is one: over one pass, T = n, the last iterate's is of order 1/n, for its
last 1/eta samples are not averaged. The average of the iterates has K = O(1/T), and so 1/n^2.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["Linear", "Transition", "X", "Y", "law", "of_prox_sgd", "of_rmda", "recursion"]

X, Y, ANCHOR, SUM = range(4)
Linear = tuple[np.ndarray, np.ndarray]  # L_t, (4, 4), and b_t, (4,)
Transition = Callable[[int], Linear]  # of t = 1, 2, ...


def of_rmda(step_size: float, momentum: float) -> Transition:
    """y_t = r_t y_{t-1} + (1 - r_t) a - eta g_t, x_t = (1 - c) x_{t-1} + c y_t (`validation.recurrences`)."""

    def at(t: int) -> Linear:
        r = math.sqrt((t - 1) / t)
        matrix, vector = np.eye(4), np.zeros(4)
        matrix[Y] = 0, r, 1 - r, 0
        vector[Y] = -step_size
        matrix[X] = (1 - momentum) * matrix[X] + momentum * matrix[Y]
        vector[X] = momentum * vector[Y]
        return _summed(matrix, vector)

    return at


def of_prox_sgd(step_size: float, momentum: float) -> Transition:
    """m_t = (1 - c) m_{t-1} + c g_t, x_t = x_{t-1} - eta m_t."""

    def at(t: int) -> Linear:
        matrix, vector = np.eye(4), np.zeros(4)
        matrix[Y, Y] = 1 - momentum
        vector[Y] = momentum
        matrix[X] -= step_size * matrix[Y]
        vector[X] = -step_size * vector[Y]
        return _summed(matrix, vector)

    return at


def _summed(matrix: np.ndarray, vector: np.ndarray) -> Linear:
    matrix[SUM] = matrix[X]
    matrix[SUM, SUM] = 1
    vector[SUM] = vector[X]
    return matrix, vector


@dataclass(frozen=True, eq=False)
class Law:
    """n E ||.||^2 of the differences after 1, …, T <= n steps: K_T of W, of y, and of the average of W^1, …, W^T."""

    iterate: np.ndarray
    second: np.ndarray
    average: np.ndarray


def law(transition: Transition, n_steps: int, dimension: int, sigma: float, start: float) -> Law:
    """From W^0 at the distance ``start`` of W*."""
    own, apart = np.zeros((4, 4)), np.zeros((4, 4))
    own[np.ix_([X, ANCHOR], [X, ANCHOR])] = start**2  # RMDA forgets y at the first step
    found = []
    for t in range(1, n_steps + 1):
        matrix, vector = transition(t)
        jump = 2 * dimension * (own[X, X] + sigma**2) - 2 * own[X, X]
        apart = _products(apart, matrix, vector, dimension, jump)
        own = _products(own, matrix, vector, dimension, dimension * sigma**2)
        found.append((apart[X, X], apart[Y, Y], apart[SUM, SUM] / t**2))
    return Law(*np.array(found).T)


def _products(products: np.ndarray, matrix: np.ndarray, vector: np.ndarray, d: int, jump: float) -> np.ndarray:
    mixed = np.outer(matrix @ products[:, X], vector)
    square = np.outer(vector, vector) * (d * products[X, X] + jump)
    return np.asarray(matrix @ products @ matrix.T + mixed + mixed.T + square)


def recursion(transition: Transition, t: int, apart: np.ndarray, jump: np.ndarray) -> np.ndarray:
    """The differences z, (4, …), after step t, of those before it and of the difference of the two gradients."""
    matrix, vector = transition(t)
    return np.asarray(np.tensordot(matrix, apart, 1) + np.multiply.outer(vector, jump))
