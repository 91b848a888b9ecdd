"""Small losses of each kind."""

import numpy as np

from rmda_ref.losses import LogisticLoss, MultinomialLoss, SquaredLoss

N_SAMPLES, N_FEATURES, N_CLASSES = 12, 4, 3
LOSSES = [SquaredLoss, LogisticLoss, MultinomialLoss]


def targets(loss_class, n_samples, rng):
    if issubclass(loss_class, SquaredLoss):
        return rng.standard_normal(n_samples)
    if issubclass(loss_class, LogisticLoss):
        return rng.choice([-1.0, 1.0], n_samples)
    return np.arange(n_samples) % N_CLASSES


def make_loss(loss_class, fit_intercept=True, make_design=np.asarray, shape=(N_SAMPLES, N_FEATURES), seed=0):
    rng = np.random.default_rng(seed)
    X = make_design(rng.standard_normal(shape) * (rng.random(shape) < 0.7))
    return loss_class(X, targets(loss_class, shape[0], rng), fit_intercept=fit_intercept)


def weights(loss, seed=1, scale=1.0):
    return scale * np.random.default_rng(seed).standard_normal(loss.weight_shape)
