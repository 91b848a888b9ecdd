"""The projection on an l1 ball."""

from numba.extending import register_jitable

from rmda_ref.kernels.simplex import simplex


@register_jitable
def l1_ball(row, strength, metric, scratch, radius):
    """In place: argmin <y - row, metric (y - row)> over ||y||_1 <= radius   [Duchi et al. 2008; Condat 2016].

    A row inside stays as it is; the magnitudes of any other are projected on the simplex, and signs are kept. The
    strength has no part in it.
    """
    size = len(row)
    signed = scratch[2]
    total = 0.0
    for i in range(size):
        signed[i] = row[i]
        row[i] = abs(row[i])
        total += row[i]
    if total > radius:
        simplex(row, strength, metric, scratch, radius)
    for i in range(size):
        row[i] = row[i] if signed[i] > 0 else -row[i]
