"""The projection on an l1 ball."""

from rmda_ref.backends.whole_rows.simplex import simplex
from rmda_ref.namespace import Array, namespace


def l1_ball(rows: Array, strength: Array | float, metric: Array | None, radius: float) -> Array:
    """argmin <y - row, metric (y - row)> over ||y||_1 <= radius   [Duchi et al. 2008].

    A row inside stays as it is; the magnitudes of any other are projected on the simplex, and signs are kept.
    """
    xp = namespace(rows)
    sizes = xp.abs(rows)
    inside = xp.sum(sizes, axis=1, keepdims=True) <= radius
    return xp.where(inside, rows, xp.sign(rows) * simplex(sizes, strength, metric, radius))
