"""The prox of the minimax concave penalty."""

import math

from numba.extending import register_jitable

from rmda_ref.kernels.select import select


@register_jitable
def mcp(x, strength, metric, lam, gamma):
    """A global argmin_y  strength phi(|y|) + metric/2 (y - x)^2 of the minimax concave penalty   [Zhang 2010].

    phi(z) = lam z - z^2/(2 gamma) up to gamma lam, then gamma lam^2/2. With t = strength/metric:

    - t < gamma: firm thresholding, min(|x|, (|x| - t lam)_+ / (1 - t/gamma));
    - t >= gamma: the objective is concave up to gamma lam, so the minimiser is 0 or x: hard thresholding at
      lam sqrt(t gamma). The tie goes to 0.
    """
    t = strength / metric
    size = abs(x)
    shrunk = 1 - t / gamma
    firm = min(size, max(size - t * lam, 0) / select(shrunk > 0, shrunk, 1))
    hard = select(size > lam * math.sqrt(t * gamma), size, 0)
    y = select(t < gamma, firm, hard)
    return select(x < 0, 0 - y, y)  # 0 - y: no negative zeros
