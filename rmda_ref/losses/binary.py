"""What the losses of binary classification share: the labels."""

from dataclasses import dataclass
from typing import ClassVar

from rmda_ref.losses.base import LinearPredictorLoss
from rmda_ref.losses.design import is_of
from rmda_ref.losses.samples import first


@dataclass(frozen=True, eq=False)
class BinaryLoss(LinearPredictorLoss):
    """A loss of labels -1 and +1, entry by entry: a sum over outputs if ``y`` has shape (n_samples, n_outputs)."""

    _several_outputs: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        xp = self._xp
        if not is_of(self.y, "biuf"):
            raise TypeError(f"y must be numeric labels -1 and +1, got {self.y.dtype}; encode the labels as -1 and +1")
        y = self.y if is_of(self.y, "f") else xp.asarray(self.y, dtype=self.X.dtype)
        unknown = (y != 1) & (y != -1)
        if xp.any(unknown):
            raise ValueError(
                f"y must hold the labels -1 and +1, got {first(self.y, unknown)}; use 2*y - 1 for labels 0 and 1"
            )
        object.__setattr__(self, "y", xp.asarray(y, dtype=self.X.dtype))
