"""Mean loss of a linear predictor plus a penalty, as one function of one flat vector."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rmda_ref.certificates.duality import dual_value
from rmda_ref.linear_model.restrict import companions, restricted
from rmda_ref.linear_model.working_set import Indices, Vector, WorkingSet, balanced_unit
from rmda_ref.losses import PoissonLoss
from rmda_ref.losses.base import LinearPredictorLoss
from rmda_ref.regularizers import Block, Blocks, Regularizer

NEWTON_STEPS, HALVINGS = 60, 60  # of the intercepts
WHOLE = 0.9  # share of the features from which on a working set holds them all
ROUNDINGS = 32  # eps of the terms of the gap: sums of one sign, pairwise, of functions correct to a few eps


class Gap(NamedTuple):
    """P(w), a bound on P(w) - P* (infinite where none is known), and X^T u for the dual point that proves it."""

    objective: float
    gap: float
    correlation: Vector


@dataclass(frozen=True, eq=False)
class Point:
    """A flat vector with its predictor z = A w; what else is asked of it is computed once."""

    problem: "Problem"
    w: Vector
    predictor: Vector

    @cached_property
    def dual(self) -> Vector:
        """grad F(z)."""
        return np.asarray(self.problem.loss.dual_at(self.predictor))

    @cached_property
    def gradient(self) -> Vector:
        """A^T grad F(z)."""
        return self.problem.model.adjoint(self.dual)

    @cached_property
    def certificate(self) -> Gap:
        """P(w) with a bound on P(w) - P*."""
        problem = self.problem
        objective = problem.loss.value_at(self.predictor) + problem.psi.value(problem.model.coefficients(self.w))
        return problem.gap(objective, self.dual, None if problem.loss.fit_intercept else self.gradient)

    @cached_property
    def kkt_residual(self) -> float:
        """Distance of 0 from the subdifferential of P at w."""
        return self.problem.regularizer.subdiff_distance(self.w, -self.gradient)


@dataclass(frozen=True, eq=False)
class Problem:
    """P(w) = F(X coef^T + intercept) + psi(coef), with w = (coef in C order, intercept).

    Parameters
    ----------
    loss : LinearPredictorLoss
    psi : Regularizer
        Of coefficients of shape (n_features,), or (n_outputs, n_features). Intercepts are not penalised.
    """

    loss: LinearPredictorLoss
    psi: Regularizer

    @cached_property
    def model(self) -> WorkingSet:
        """The smooth part, on all features."""
        return WorkingSet(self.loss)

    @cached_property
    def regularizer(self) -> Blocks:
        """psi of the flat vector."""
        model = self.model
        blocks = [Block("coef", model.shape, self.psi)]
        if self.loss.fit_intercept:
            blocks.append(Block("intercept", (model.n_outputs,)))
        return Blocks(tuple(blocks))

    @cached_property
    def null_objective(self) -> float:
        """The loss of the best constant predictor (0 without an intercept) above its infimum: the scale of gaps.

        At least a millionth of that of the predictor 0: weights may leave hardly more than one class.
        """
        z = self.model.forward(self.start)
        of_zero = self.loss.value_at(np.zeros_like(z))
        return float(max(self.loss.value_at(z) - self._infimum, 1e-6 * (of_zero - self._infimum)))

    def rounding(self, objective: float) -> float:
        """An allowance for what rounding does to a gap, the terms of whose sums are about as large as these."""
        size = abs(objective) + self.null_objective + abs(self._infimum)
        if isinstance(self.loss, PoissonLoss):  # exp(z) - y z may be far smaller than its terms
            size += float(np.mean(self.loss.y))
        return ROUNDINGS * float(np.finfo(self.loss.X.dtype).eps) * size

    @cached_property
    def _infimum(self) -> float:
        """inf F."""
        return -float(self.loss.conjugate(np.zeros_like(self.model.forward(self.start))))

    @cached_property
    def start(self) -> Vector:
        """Coefficients 0, and with an intercept about the best one."""
        model = self.model
        w = np.zeros(model.size)
        if self.loss.fit_intercept:
            w[model.n_coef :] = best_intercept(self.loss)
        return w

    def at(self, w: Vector, predictor: Vector | None = None) -> "Point":
        """The point w, with z = A w where it is known."""
        return Point(self, w, self.model.forward(w) if predictor is None else predictor)

    def gap(self, objective: float, dual: Vector, correlation: Vector | None) -> Gap:
        """The gap of an objective, from a dual point, balanced if need be; ``correlation`` is A^T of it if known."""
        loss, model = self.loss, self.model
        if loss.fit_intercept:
            dual = loss.balanced(dual)
            correlation = None
        correlation = model.adjoint(dual) if correlation is None else correlation
        if not self.psi.convex:
            return Gap(objective, np.inf, correlation)
        bound = dual_value(loss, self.psi, dual, model.coefficients(correlation))
        return Gap(objective, max(objective - bound, 0.0) + self.rounding(objective), correlation)

    def violators(self, w: Vector, correlation: Vector, at_most: int) -> Indices | None:
        """The features of the support and those that optimality wants in it, the strongest first; None for all.

        A feature of coefficient 0 is wanted if its correlation is too large for the strength of psi; ``at_most`` of
        them are taken, those that would be wanted at the highest multiple of that strength.
        """
        model, psi = self.model, self.psi
        support = model.features_of(w)
        if companions(psi, model.shape, support) is None:
            return None

        def wanted(multiple: float) -> npt.NDArray[np.bool_]:
            found = psi.prox(-model.coefficients(correlation), multiple)
            return support | (found.reshape(-1, model.n_features) != 0).any(axis=0)

        chosen, low, high = wanted(1.0), 1.0, 2.0
        if chosen.sum() > at_most:
            while wanted(high).sum() > at_most and high < 2.0**40:
                low, high = high, 2 * high
            for _ in range(8):
                middle = np.sqrt(low * high)
                low, high = (middle, high) if wanted(middle).sum() > at_most else (low, middle)
            chosen = wanted(high)
            if chosen.sum() == support.sum():  # a tie of many: all of them
                chosen = wanted(low)
        together = companions(psi, model.shape, chosen)
        if together is None or not 0 < together.sum() <= WHOLE * model.n_features:
            return None
        return np.flatnonzero(together)

    def on(self, features: Indices | None) -> "Problem":
        """The same with all other coefficients held at zero, and intercepts in the unit of the features."""
        psi = self.psi if features is None else restricted(self.psi, self.model.shape, features)
        model = WorkingSet(self.loss, features)
        if self.loss.fit_intercept:
            model.unit = balanced_unit(model.X)
        part = Problem(self.loss, psi)
        part.__dict__["model"] = model
        return part


def best_intercept(loss: LinearPredictorLoss) -> Vector:
    """About argmin_b F(b), one entry an output, by Newton's method from 0."""
    outputs = loss.weight_shape[:-1]
    b = np.zeros(outputs)
    value = loss.value_at(at := np.zeros((loss.n_samples, *outputs)))
    units = np.eye(b.size).reshape(b.size, *outputs)
    for _ in range(NEWTON_STEPS):
        slope = np.ravel(loss.dual_at(at).sum(axis=0))
        product = loss.hessian_at(at)
        hessian = np.stack([np.ravel(product(np.broadcast_to(unit, at.shape)).sum(axis=0)) for unit in units])
        move = -np.linalg.lstsq(hessian, slope)[0].reshape(outputs)
        for _ in range(HALVINGS):
            new = loss.value_at(np.broadcast_to(b + move, at.shape))
            if new <= value:
                break
            move = move / 2
        if not new < value:
            break
        b, value = b + move, new
        at = np.broadcast_to(b, at.shape)
    return np.ravel(b)
