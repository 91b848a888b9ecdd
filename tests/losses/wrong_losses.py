"""Losses with one mistake each, which a law must reject."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from examples import N_FEATURES

from rmda_ref.losses import LogisticLoss, MultinomialLoss, SquaredLoss
from rmda_ref.losses.design import largest_gram_eigenvalue


@dataclass(frozen=True, eq=False)
class BatchSum(LogisticLoss):
    def gradient(self, w, samples=None):
        return super().gradient(w, samples) * (self.n_samples if samples is None else len(samples))


@dataclass(frozen=True, eq=False)
class BatchOverDataSize(LogisticLoss):
    def gradient(self, w, samples=None):
        return super().gradient(w, samples) * (1 if samples is None else len(samples) / self.n_samples)


@dataclass(frozen=True, eq=False)
class InterceptForgotten(SquaredLoss):
    def gradient(self, w, samples=None):
        return super().gradient(w, samples) * (np.arange(N_FEATURES + 1) < N_FEATURES)


@dataclass(frozen=True, eq=False)
class SquaredConjugateSign(SquaredLoss):
    @staticmethod
    def _sample_conjugates(v, y, tolerance):
        return np.square(v) / 2 - v * y


@dataclass(frozen=True, eq=False)
class LogisticConjugateSign(LogisticLoss):
    @staticmethod
    def _sample_conjugates(v, y, tolerance):
        return LogisticLoss._sample_conjugates(-v, y, tolerance)


@dataclass(frozen=True, eq=False)
class DiagonalHessian(MultinomialLoss):
    @staticmethod
    def _sample_hessians(z, y):
        p = np.exp(z - z.max(axis=1, keepdims=True))
        return lambda direction: p / p.sum(axis=1, keepdims=True) * direction


@dataclass(frozen=True, eq=False)
class UncoupledCurvature(MultinomialLoss):
    def curvature_at(self, z):
        return super(MultinomialLoss, self).curvature_at(z)


@dataclass(frozen=True, eq=False)
class BinaryConstant(SquaredLoss):
    smoothness = 0.25


@dataclass(frozen=True, eq=False)
class EvenBatches(SquaredLoss):
    def _batch(self, samples):
        return *super()._batch(samples)[:2], None


@dataclass(frozen=True, eq=False)
class WeightsNotNormalised(SquaredLoss):
    @cached_property
    def _shares(self):
        return None if self.sample_weight is None else self.sample_weight / self.n_samples


@dataclass(frozen=True, eq=False)
class EvenConjugate(LogisticLoss):
    def conjugate(self, dual):
        return LogisticLoss(self.X, self.y, fit_intercept=True).conjugate(dual)


@dataclass(frozen=True, eq=False)
class EvenLipschitz(LogisticLoss):
    def lipschitz(self):
        return self.smoothness * largest_gram_eigenvalue(self.X, self.fit_intercept, None)


@dataclass(frozen=True, eq=False)
class SmoothedLabels(LogisticLoss):
    # The labels y - y/10 shift the domain of v, but 0 has to be inside.
    @staticmethod
    def _sample_conjugates(v, y, tolerance):
        return LogisticLoss._sample_conjugates(v + y / 10, y, tolerance)


@dataclass(frozen=True, eq=False)
class ConcaveConjugate(SquaredLoss):
    @staticmethod
    def _sample_conjugates(v, y, tolerance):
        return v * y - np.square(v) / 2


@dataclass(frozen=True, eq=False)
class BalancedNotAtAll(LogisticLoss):
    def balanced(self, dual):
        return dual


@dataclass(frozen=True, eq=False)
class BalancedByItsMean(LogisticLoss):
    def balanced(self, dual):
        return dual - dual.mean(axis=0)


@dataclass(frozen=True, eq=False)
class BalancedUpwards(LogisticLoss):
    def balanced(self, dual):
        smaller = np.sign(dual) != np.sign(dual.sum())
        return np.where(smaller, dual * (1 - dual.sum() / dual[smaller].sum()), dual)


@dataclass(frozen=True, eq=False)
class BalancedAsIfElementwise(MultinomialLoss):
    def balanced(self, dual):
        return super(MultinomialLoss, self).balanced(dual)


@dataclass(frozen=True, eq=False)
class BalancedToZero(LogisticLoss):
    def balanced(self, dual):
        return 0 * dual


@dataclass(frozen=True, eq=False)
class MeanOverOutputs(SquaredLoss):
    def _mean(self, values):
        return super()._mean(values) / values[0].size


@dataclass(frozen=True, eq=False)
class BalancedOverAllOutputs(SquaredLoss):
    def balanced(self, dual):
        flat = SquaredLoss(np.ones((dual.size, 1)), np.zeros(dual.size))
        return flat.balanced(dual.ravel()).reshape(dual.shape)
