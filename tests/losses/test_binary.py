"""The labels of the losses of binary classification."""

import numpy as np
import pytest

from rmda_ref.losses import LogisticLoss, SquaredHingeLoss


@pytest.mark.parametrize("loss_class", [LogisticLoss, SquaredHingeLoss])
@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        ([0, 1], ValueError, r"labels -1 and \+1, got 0; use 2\*y - 1"),
        ([np.nan, 1.0], ValueError, "got nan"),
        (["no", "yes"], TypeError, "y must be numeric labels"),
    ],
)
def test_bad_labels(loss_class, y, error, message):
    with pytest.raises(error, match=message):
        loss_class(np.ones((2, 1)), y)
