"""The chance that RMDA's inactive part is 0 at a step, where f does not couple it to the rest: for pictures.

W~_g = 0 iff ||V_g/alpha_t - (beta_t/alpha_t) W_g^0|| is at most the strength of psi's group g. Near a stationary point
at which f has no mixed second derivatives between the inactive part and the rest, V_g/alpha_t is the gradient there
plus averaged noise, that of one gradient times sqrt(t (t + 1)/2)/H_t (claim B1). Left out is what f does to the part
while it is not yet 0, and how the noise differs away from that point.
"""

import numpy as np


def is_out(
    start: np.ndarray, slope: np.ndarray, noise: np.ndarray, strength: float, step_size: float, t: int
) -> np.ndarray:
    """Whether every inactive group of W~^t is 0, for each draw and seed.

    Parameters
    ----------
    start, slope : (n_seeds, groups, size), W^0 and the gradient at the stationary point, of the inactive groups
    noise : (draws, n_seeds, groups, size), of one gradient
    """
    h = np.sum(np.sqrt(np.arange(1, t + 1)))  # H_t
    average = slope + np.sqrt(t * (t + 1) / 2) / h * noise
    return np.asarray((np.linalg.norm(average - np.sqrt(t) / (step_size * h) * start, axis=-1) <= strength).all(-1))
