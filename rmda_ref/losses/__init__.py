"""Smooth losses of a linear predictor, each a mean over the samples: squared, logistic, multinomial."""

from rmda_ref.losses.logistic import LogisticLoss
from rmda_ref.losses.multinomial import MultinomialLoss
from rmda_ref.losses.squared import SquaredLoss

__all__ = ["LogisticLoss", "MultinomialLoss", "SquaredLoss"]
