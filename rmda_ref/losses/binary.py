"""What the losses of binary classification share: the labels."""

from dataclasses import dataclass
from typing import ClassVar

from rmda_ref.losses.base import LinearPredictorLoss


@dataclass(frozen=True, eq=False)
class BinaryLoss(LinearPredictorLoss):
    """A loss of labels -1 and +1, entry by entry: a sum over outputs if ``y`` has shape (n_samples, n_outputs)."""

    _several_outputs: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.y.dtype.kind not in "iufb":
            raise TypeError(f"y must be numeric labels -1 and +1, got {self.y.dtype}; encode the labels as -1 and +1")
        unknown = (self.y != 1) & (self.y != -1)
        if unknown.any():
            raise ValueError(
                f"y must hold the labels -1 and +1, got {self.y[unknown][0]}; use 2*y - 1 for labels 0 and 1"
            )
        object.__setattr__(self, "y", self.y.astype(self.X.dtype, copy=False))
