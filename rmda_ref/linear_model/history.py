"""What a fit went through, epoch by epoch."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, overload

import numpy as np
import numpy.typing as npt


class Record(NamedTuple):
    """The fit after an epoch.

    Attributes
    ----------
    phase : "start", "rmda" (a pass over the samples) or "newton" (a round on a working set)
    epoch : passes of RMDA plus rounds of Newton so far
    objective : of the structured point, mean loss plus penalty
    gap : proved bound on objective - optimum; infinite where there is none
    n_active : features with a nonzero coefficient
    step_size, momentum : of RMDA's last step; NaN in the other phases
    """

    phase: str
    epoch: float
    objective: float
    gap: float
    n_active: int
    step_size: float = np.nan
    momentum: float = np.nan

    def __str__(self) -> str:
        gap = "unknown" if np.isinf(self.gap) else f"{self.gap:.2e}"
        return (
            f"{self.phase:6} epoch {self.epoch:g}: objective {self.objective:.10g}, gap {gap}, {self.n_active} features"
        )


class History(Sequence[Record]):
    """The records of a fit, in order; each of their fields is also a column: ``history.gap`` is an array."""

    def __init__(self, records: Sequence[Record]) -> None:
        self._records = tuple(records)

    def __len__(self) -> int:
        return len(self._records)

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> "History": ...
    def __getitem__(self, index: int | slice) -> "Record | History":
        return History(self._records[index]) if isinstance(index, slice) else self._records[index]

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records)

    def __repr__(self) -> str:
        return f"<History of {len(self)} records: {', '.join(Record._fields)}>"

    def __getattr__(self, name: str) -> npt.NDArray[Any]:
        if name not in Record._fields:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return self.column(name)

    def column(self, name: str) -> npt.NDArray[Any]:
        """One field of all records.

        Raises
        ------
        ValueError
            If there is no such field.
        """
        if name not in Record._fields:
            raise ValueError(f"name must be one of {', '.join(Record._fields)}, got {name!r}")
        return np.array([getattr(record, name) for record in self])

    def plot(self) -> Any:
        """A picture of the gap and of the number of features by epoch: a matplotlib ``Figure``, e.g. to ``savefig``.

        Raises
        ------
        ImportError
            Without matplotlib, which comes with the extra ``report``.
        """
        from rmda_ref.linear_model.picture import draw

        return draw(self)
