"""What a regularizer carries, and how its kernel becomes its prox."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Literal

import numpy as np

from rmda_ref import checks
from rmda_ref.backends import backend_of
from rmda_ref.layout import Entries, Layout, Shape, Spectrum
from rmda_ref.namespace import Array, namespace
from rmda_ref.regularizers.manifold import Manifold


class Regularizer(ABC):
    """A function psi that gives parameters structure.

    A subclass states its facts: a ``layout``, a ``kernel`` and how it is driven, the ``strengths`` the kernel is
    called with, and the convex analysis (value, distance to the subdifferential, conjugate, manifold). Everything
    that can be said once for all of them is said here.

    Attributes
    ----------
    convex : whether psi is convex.
    weak_convexity : the smallest rho such that psi + rho/2 ||.||^2 is convex (0 for convex psi).
    separable : whether psi is a sum over entries.
    metric_prox : "exact" where the prox in a diagonal metric is exact, else None.
    driven : the shape of ``kernel``: "entrywise", "radial" or "row" (see `rmda_ref.kernels`).
    """

    convex: ClassVar[bool] = True
    weak_convexity: ClassVar[float] = 0.0
    separable: ClassVar[bool] = False
    metric_prox: ClassVar[Literal["exact"] | None] = "exact"
    driven: ClassVar[Literal["entrywise", "radial", "row"]] = "entrywise"
    kernel: ClassVar[Callable[..., Any]]
    metric_kernel: ClassVar[Callable[..., Any]]  # row kernel, for a radial regularizer with a metric

    @property
    @abstractmethod
    def layout(self) -> Layout: ...

    @abstractmethod
    def strengths(self, shape: Shape) -> float | Array:
        """What the kernel's strength is per unit of step: a number, or one per group."""

    @property
    def parameters(self) -> tuple[float, ...]:
        """Further parameters of the kernel."""
        return ()

    def check(self, shape: Shape) -> None:
        """Raise ValueError if parameters of this shape do not fit the layout."""
        self.layout.check(shape)

    @abstractmethod
    def value(self, w: Array) -> float:
        """psi(w)."""

    @abstractmethod
    def subdiff_distance(self, w: Array, v: Array) -> float:
        """Euclidean distance from ``v`` to the subdifferential of psi at ``w``.

        The KKT residual of f + psi at w is ``subdiff_distance(w, -grad f(w))``.
        """

    @abstractmethod
    def manifold(self, w: Array) -> Manifold:
        """The structure of ``w``: hashable, equal for equal structures."""

    def conjugate(self, v: Array) -> float:
        """psi*(v) = sup_w <v, w> - psi(w); for a norm the indicator of its dual unit ball."""
        return 0.0 if self.dual_norm(v) <= 1 else np.inf

    def dual_norm(self, v: Array) -> float:
        """The polar sup {<v, w> : psi(w) <= 1} of a norm psi (its strength included)."""
        raise TypeError(f"{type(self).__name__} is not a norm; use conjugate")

    def prox(self, w: Array, step: float, metric: Array | None = None) -> Array:
        """argmin_x  step psi(x) + 1/2 <x - w, metric (x - w)>.

        Parameters
        ----------
        w : array, float32 or float64, of any array-API namespace
        step : float, at least 0
        metric : array like ``w`` with positive entries, optional
            The diagonal of the metric; without it the metric is the identity.

        Returns
        -------
        array like ``w`` (a new one; ``w`` is never modified)

        Raises
        ------
        ValueError
            If ``w`` or ``metric`` has non-finite entries, does not fit the layout, or ``step`` is negative.
        TypeError
            If ``w`` is no floating-point array, or the regularizer has no exact prox in a metric.
        """
        checks.floating("w", w)
        checks.finite("w", w)
        self.check(w.shape)
        step = checks.nonnegative("step", step)
        if metric is not None:
            self._check_metric(metric, w)
        return self._prox(w, step, metric)

    def _check_metric(self, metric: Array, w: Array) -> None:
        if self.metric_prox is None:
            raise TypeError(f"{type(self).__name__} has no exact prox in a diagonal metric; leave metric out")
        checks.same_kind("metric", metric, w)
        checks.finite("metric", metric)
        if not bool(namespace(metric).all(metric > 0)):
            raise ValueError("metric must have positive entries only")

    def _prox(self, w: Array, step: float, metric: Array | None) -> Array:
        backend = backend_of(w)
        kernel, strengths, layout = type(self).kernel, self.strengths(w.shape), self.layout
        if isinstance(layout, Spectrum):
            u, s, vt = layout.factors(w)
            s = backend.entrywise(kernel, s, step, strengths, None, self.parameters)
            return namespace(w).reshape((u * s) @ vt, w.shape)
        if isinstance(layout, Entries):
            return backend.entrywise(kernel, w, step, strengths, metric, self.parameters)
        if self.driven == "radial" and metric is None:
            return backend.radial(kernel, w, layout, step, strengths, self.parameters)
        row_kernel = type(self).metric_kernel if self.driven == "radial" else kernel
        return backend.row(row_kernel, w, layout, step, strengths, metric, self.parameters)


def norm(x: Array) -> float:
    """Euclidean norm of all entries."""
    xp = namespace(x)
    return float(xp.sqrt(xp.sum(x * x)))
