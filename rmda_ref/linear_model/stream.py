"""RMDA on data that come in parts: the state between two calls of ``partial_fit``."""

import dataclasses
import pickle
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from scipy import sparse

from rmda_ref.algorithms import RMDA
from rmda_ref.algorithms.lazy import LazyStepper
from rmda_ref.linear_model import identify
from rmda_ref.linear_model.problem import Problem
from rmda_ref.linear_model.working_set import Indices, Vector
from rmda_ref.losses.design import adjoint
from rmda_ref.regularizers import Zero

BATCH = 32  # samples of an automatic batch


class Stream:
    """RMDA's steps on batches in the order in which they come: one stage without end.

    With c = 1, an entrywise penalty and CSR data a step costs O(nnz of the batch), whatever the number of features;
    `read` is O(n_features).

    Parameters
    ----------
    problem : Problem
        The first part of the data, for the shapes and, if ``step_size`` is "auto", for 1/L of its first batch.
    w : flat vector to start from
    given : parameters by name, ``step_size`` (a number or "auto") and ``momentum`` among them
    """

    def __init__(self, problem: Problem, w: Vector, given: Mapping[str, Any]) -> None:
        self._given, step_size, momentum = given, given["step_size"], given["momentum"]
        if isinstance(step_size, str):
            first = np.arange(min(BATCH, problem.loss.n_samples))
            step_size = identify.automatic_step(problem, w, first)
        model = problem.model
        self._dtype = problem.loss.X.dtype
        self._shape, self._n_coef, self._size = model.shape, model.n_coef, model.size
        algorithm = RMDA(problem.psi, step_size, momentum)
        self._lazy: LazyStepper | None = None
        if sparse.issparse(problem.loss.X) and LazyStepper.serves(algorithm):
            self._lazy = LazyStepper(algorithm, algorithm.init(w[: model.n_coef]))
            self._algorithm = RMDA(Zero(), step_size, momentum)  # of the intercepts
            self._state = self._algorithm.init(w[model.n_coef :])
        else:
            self._algorithm = RMDA(problem.regularizer, step_size, momentum)
            self._state = self._algorithm.init(w)

    @property
    def t(self) -> int:
        """Steps taken."""
        return self._lazy.t if self._lazy else self._state.t

    def read(self) -> tuple[Vector, Vector]:
        """The coefficients, and the intercepts (empty if there are none), of the structured point."""
        if self._lazy:
            coef, intercept = self._lazy.read(np.arange(self._n_coef)), self._state.prox_iterate
        else:
            coef, intercept = np.split(self._state.prox_iterate, [self._n_coef])
        return coef.reshape(self._shape).astype(self._dtype), intercept.astype(self._dtype)

    def check(self, given: Mapping[str, Any]) -> None:
        """Raise ValueError if a parameter is not what the stream was made with: its state would mean something else."""
        for name, before in self._given.items():
            now = given[name]
            if now is not before and pickle.dumps(now) != pickle.dumps(before):
                raise ValueError(
                    f"{name} was {before!r} when partial_fit began and is {now!r} now; set it back, or start anew with "
                    "a clone"
                )

    def feed(self, problem: Problem, batch_size: int | str) -> None:
        """A step for each batch of the data; one of another shape is refused before the first."""
        if problem.model.size != self._size:
            raise ValueError(
                f"the data have {problem.model.n_features} features and {problem.model.n_outputs} outputs, which is "
                "not what the first call of partial_fit had; start anew with fit or a clone"
            )
        n_samples = problem.loss.n_samples
        size = min(BATCH if isinstance(batch_size, str) else batch_size, n_samples)
        for samples in _in_order(n_samples, size):
            if self._lazy:
                self._sparse_step(self._lazy, problem, samples)
            else:
                grad = identify.batch_gradient(problem, self._state.iterate, samples)
                self._state = self._algorithm.step(self._state, grad)

    def _sparse_step(self, lazy: LazyStepper, problem: Problem, samples: Indices) -> None:
        loss, n_features = problem.loss, problem.model.n_features
        rows = loss.X[samples]
        features, local = np.unique(rows.indices, return_inverse=True)
        if features.size == 0:
            features = np.zeros(1, np.intp)
        X = sparse.csr_array((rows.data, local, rows.indptr), shape=(len(samples), features.size))
        batch = dataclasses.replace(loss, X=X, y=loss.y[samples], sample_weight=None)
        index = (np.arange(problem.model.n_outputs)[:, None] * n_features + features).ravel()
        coef = lazy.read(index).reshape(*self._shape[:-1], features.size)
        w = np.concatenate((coef, self._state.iterate.reshape(*self._shape[:-1], -1)), axis=-1)
        dual = batch.dual_at(batch.decision(w))
        if loss.sample_weight is not None:
            weight = loss.sample_weight[samples] / loss.sample_weight.mean()
            dual = dual * weight.reshape(-1, *[1] * (dual.ndim - 1))
        grad = adjoint(X, dual, loss.fit_intercept).astype(np.float64, copy=False)
        state = self._algorithm.step(self._state, grad[..., features.size :].ravel())
        lazy.step(index, grad[..., : features.size].ravel())
        self._state = state  # both steps are taken, or none


def _in_order(n_samples: int, size: int) -> Iterator[Indices]:
    for start in range(0, n_samples, size):
        yield np.arange(start, min(start + size, n_samples))
