"""MDA: modernized dual averaging (Jelassi & Defazio 2020, arXiv 2010.10502), what RMDA is without a regularizer."""

from dataclasses import dataclass, field

from rmda_ref.algorithms.rmda import RMDA
from rmda_ref.regularizers import Regularizer, Zero


@dataclass(frozen=True)
class MDA(RMDA):
    """V^t = V^{t-1} + s_t g_t;  W^t = (1 - c_t) W^{t-1} + c_t (W^0 - V^t / beta_t).

    beta_t = sqrt(t) and s_t = eta_t beta_t: Algorithm 1 of Jelassi & Defazio with their k + 1 for our t. It is `RMDA`
    with psi = 0, and its code.

    Parameters
    ----------
    step_size : float or function of t
        eta_t > 0, per step.
    momentum : float or function of t
        c_t in (0, 1], the weight of the new point in the average: *1 means no momentum.*

    >>> import numpy as np
    >>> algorithm = MDA(step_size=0.5, momentum=0.5)
    >>> algorithm.step(algorithm.init(np.zeros(1)), np.array([-2.0])).iterate
    array([0.5])
    """

    regularizer: Regularizer = field(default=Zero(), init=False)
