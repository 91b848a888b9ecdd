"""What the losses of regression share: real targets, of one output or of several."""

from dataclasses import dataclass
from typing import ClassVar

from rmda_ref.losses.base import LinearPredictorLoss
from rmda_ref.losses.design import as_dtype, is_of
from rmda_ref.losses.samples import first


@dataclass(frozen=True, eq=False)
class RegressionLoss(LinearPredictorLoss):
    """A loss of finite targets, entry by entry: a sum over outputs if ``y`` has shape (n_samples, n_outputs).

    The predictor then has the shape of ``y`` and the weights have shape (n_outputs, n_features), or one column more
    with an intercept.
    """

    _several_outputs: ClassVar[bool] = True
    _target_kinds: ClassVar[str] = "f"
    """Kinds of dtype allowed for ``y``; whole numbers are so often labels that a loss has to ask for them."""

    def __post_init__(self) -> None:
        super().__post_init__()
        xp = self._xp
        if not is_of(self.y, self._target_kinds):
            raise TypeError(f"y must be floating point, got {self.y.dtype}; use {as_dtype('y', self.y, 'float64')}")
        finite = xp.isfinite(self.y)
        if not xp.all(finite):
            raise ValueError(f"y must be finite, got {first(self.y, ~finite)}; drop the samples without a target")
        object.__setattr__(self, "y", xp.asarray(self.y, dtype=self.X.dtype))
