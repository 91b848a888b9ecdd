"""Small losses of each kind."""

import numpy as np

from rmda_ref.losses import HuberLoss, LogisticLoss, MultinomialLoss, PoissonLoss, SquaredHingeLoss, SquaredLoss
from rmda_ref.losses.binary import BinaryLoss
from rmda_ref.losses.regression import RegressionLoss

N_SAMPLES, N_FEATURES, N_CLASSES = 12, 4, 3
LOSSES = [SquaredLoss, HuberLoss, PoissonLoss, LogisticLoss, SquaredHingeLoss, MultinomialLoss]
REGRESSION_LOSSES = [c for c in LOSSES if issubclass(c, RegressionLoss)]
SMOOTH_LOSSES = [c for c in LOSSES if c is not PoissonLoss]
VARIANTS = {
    "": {"fit_intercept": False},
    "intercept": {},
    "weights": {"weighted": True},
    "outputs": {"n_outputs": 2, "weighted": True},
}


def variants(loss_classes):
    return [(c, v) for c in loss_classes for v in VARIANTS if v != "outputs" or c in REGRESSION_LOSSES]


def targets(loss_class, n_samples, rng, n_outputs=None):
    shape = n_samples if n_outputs is None else (n_samples, n_outputs)
    if issubclass(loss_class, PoissonLoss):
        return rng.poisson(2.0, shape).astype(float)
    if issubclass(loss_class, RegressionLoss):
        return rng.standard_normal(shape)
    if issubclass(loss_class, BinaryLoss):
        return rng.choice([-1.0, 1.0], n_samples)
    return np.arange(n_samples) % N_CLASSES


def make_loss(
    loss_class,
    fit_intercept=True,
    make_design=np.asarray,
    shape=(N_SAMPLES, N_FEATURES),
    seed=0,
    weighted=False,
    n_outputs=None,
):
    rng = np.random.default_rng(seed)
    X = make_design(rng.standard_normal(shape) * (rng.random(shape) < 0.7))
    y = targets(loss_class, shape[0], rng, n_outputs)
    weight = rng.choice([0.0, 0.5, 1.0, 3.0], shape[0]) if weighted else None
    return loss_class(X, y, fit_intercept=fit_intercept, sample_weight=weight)


def weights(loss, seed=1, scale=1.0):
    if isinstance(loss, PoissonLoss):
        scale = scale / 4  # keeps exp(z) and its derivatives of size 1 to 10 at scale 1
    return scale * np.random.default_rng(seed).standard_normal(loss.weight_shape)
