"""The first step at which something holds, per run, between bounds that leave ties to rounding open. 0 is never."""

import numpy as np
import numpy.typing as npt

Steps = npt.NDArray[np.int64]


def note(since: Steps, holds: npt.NDArray[np.bool_], t: int) -> None:
    """Write ``t`` into ``since``, in place, where ``holds`` for the first time."""
    since[(since == 0) & holds] = t


def outside(since: Steps, least: Steps, most: Steps) -> int:
    """How many do not lie between ``least`` and ``most``.

    >>> steps = np.array([5, 0, 0])
    >>> outside(steps, np.array([5, 7, 0]), np.array([6, 0, 9]))  # the last must be 9 at the latest
    1
    """
    found, low, high = (np.where(x > 0, x, np.inf) for x in (since, least, most))
    return int(((found < low) | (found > high)).sum())
