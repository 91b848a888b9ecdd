"""Group soft thresholding: the prox of the Euclidean norm of a row."""

from numba.extending import register_jitable


@register_jitable
def group_soft_threshold(norm, strength):
    """Factor of argmin_y  strength ||y|| + 1/2 ||y - row||^2  =  (1 - strength/||row||)_+ row   [Yuan & Lin 2006].

    Drivers never ask for the factor of a zero row, so the denominator is positive also for strength = 0.
    """
    return (norm - min(norm, strength)) / max(norm, strength)  # the numerator is (norm - strength)_+
