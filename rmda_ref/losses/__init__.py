"""Smooth losses of a linear predictor, each a mean over the samples.

Of regression: squared, Huber, Poisson. Of classification: logistic, squared hinge, multinomial.
"""

from rmda_ref.losses.huber import HuberLoss
from rmda_ref.losses.logistic import LogisticLoss
from rmda_ref.losses.multinomial import MultinomialLoss
from rmda_ref.losses.poisson import PoissonLoss
from rmda_ref.losses.squared import SquaredLoss
from rmda_ref.losses.squared_hinge import SquaredHingeLoss

__all__ = ["HuberLoss", "LogisticLoss", "MultinomialLoss", "PoissonLoss", "SquaredHingeLoss", "SquaredLoss"]
