"""psi(w) = lam sum_i sigma_i(w)."""

from dataclasses import dataclass

from rmda_ref.kernels.soft_threshold import soft_threshold
from rmda_ref.layout import Spectrum
from rmda_ref.regularizers.magnitude_sum import MagnitudeSum


@dataclass(frozen=True)
class Nuclear(MagnitudeSum):
    """psi(w) = lam times the sum of the singular values: the l1 norm of the spectrum (Cai, Candes & Shen 2010).

    A parameter with more than two axes is seen as a matrix: its first axis by all the others. One singular value
    decomposition a prox, for every step. Convex; no exact prox in a metric.

    Parameters
    ----------
    lam : float, at least 0

    >>> import numpy as np
    >>> Nuclear(lam=1.0).prox(np.diag([3.0, 0.5]), step=1.0)
    array([[2., 0.],
           [0., 0.]])
    """

    lam: float
    layout = Spectrum()
    kernel = soft_threshold
