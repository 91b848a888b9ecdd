"""What a regularizer carries, and how its kernel becomes its prox."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Literal

import numpy as np

from rmda_ref import checks
from rmda_ref.backends import backend_of
from rmda_ref.kernels.of_norm import keep, of_norm
from rmda_ref.layout import Entries, Groups, Layout, Norms, Rows, Segments, Shape, Spectrum
from rmda_ref.namespace import Array, namespace
from rmda_ref.regularizers.manifold import Manifold
from rmda_ref.regularizers.tangent import Tangent


class Regularizer(ABC):
    """A function psi that gives parameters structure.

    A subclass states its facts: a ``layout``, a ``kernel`` and how it is driven, the ``strengths`` the kernel is
    called with, and the convex analysis (value, distance to the subdifferential, conjugate, manifold). Everything
    that can be said once for all of them is said here.

    Attributes
    ----------
    convex : whether psi is convex.
    weak_convexity : the smallest rho such that psi + rho/2 ||.||^2 is convex: 0 for convex psi, infinite where there
        is none. The prox is one point, and Lipschitz, for steps below 1/rho; beyond, a global minimiser is returned.
    indicator : whether psi is the indicator of a set, so that its prox is the projection for every step.
    separable : whether psi is a sum over entries.
    partly_smooth : whether psi is partly smooth relative to ``manifold``, convex or not: a *convex* one is identified
        by RMDA at nondegenerate points.
    homogeneity : the degree d of psi(a w) = a^d psi(w) for a > 0; None if there is none.
    exact_in_metric : whether the kernel is exact in a diagonal metric, where there is one kernel for a row or an entry.
    driven : the shape of ``kernel``: "entrywise", "radial" or "row" (see `rmda_ref.kernels`); "whole" where a subclass
        computes the prox itself.
    scratch_rows : how many rows of scratch a row kernel needs.
    """

    convex: ClassVar[bool] = True
    indicator: ClassVar[bool] = False
    separable: ClassVar[bool] = False
    partly_smooth: ClassVar[bool] = True
    homogeneity: ClassVar[float | None] = None
    exact_in_metric: ClassVar[bool] = True
    driven: ClassVar[Literal["entrywise", "radial", "row", "whole"]] = "entrywise"
    scratch_rows: ClassVar[int] = 0
    kernel: ClassVar[Callable[..., Any]]
    metric_kernel: ClassVar[Callable[..., Any] | None] = None  # row kernel, for a radial regularizer with a metric
    inner_kernel: ClassVar[Callable[..., Any]] = keep  # entrywise, before the norms of a radial kernel are taken

    @property
    def weak_convexity(self) -> float:
        return 0.0 if self.convex else np.inf

    @property
    def metric_prox(self) -> Literal["exact"] | None:
        """ "exact" where the prox in a diagonal metric is exact, else None: then a metric is refused."""
        layout = self.layout
        sees_entries = isinstance(layout, Entries) or (
            self.driven == "row" and isinstance(layout, Rows | Groups | Segments)
        )
        sees_entries |= type(self).metric_kernel is not None and isinstance(layout, Rows | Groups | Segments)
        return "exact" if self.exact_in_metric and sees_entries else None

    @property
    def symmetries(self) -> frozenset[str]:
        """Names of the changes of w that psi does not see: "signs" of entries, "entries" in any order, "within" groups
        in any order, "rotation" of each group, "spectrum" (orthogonal factors), "reversal" along the rows."""
        return frozenset()

    @property
    @abstractmethod
    def layout(self) -> Layout: ...

    @abstractmethod
    def strengths(self, shape: Shape) -> float | Array:
        """What the kernel's strength is per unit of step: a number, or one per group."""

    @property
    def parameters(self) -> tuple[Any, ...]:
        """Further parameters of the kernel: numbers, and arrays for a row kernel."""
        return ()

    @property
    def metric_parameters(self) -> tuple[Any, ...]:
        """Those of ``metric_kernel``."""
        return self.parameters

    @property
    def inner_strength(self) -> float:
        """Strength of ``inner_kernel`` per unit of step."""
        return 0.0

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

    def tangent(self, w: Array) -> Tangent | None:
        """psi along the manifold of ``w``; None where it is not known in closed form, or psi is not convex."""
        return None

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
        return self._prox(w, self._checked(w, step, metric), metric)

    def prox_in(self, metric: Array) -> Callable[[Array], Array]:
        """The map w -> prox(w, 1, metric) for loops: the metric is checked here, once, and no w is.

        Raises as `prox` does for the metric.
        """
        self.check(metric.shape)
        self._check_metric(metric, metric)
        return self._prox_in(metric)

    def _checked(self, w: Array, step: float, metric: Array | None) -> float:
        """The step, if a prox can be taken there."""
        checks.floating("w", w)
        checks.finite("w", w)
        self.check(w.shape)
        if metric is not None:
            self._check_metric(metric, w)
        return checks.nonnegative("step", step)

    def _check_has_metric(self) -> None:
        if self.metric_prox is None:
            raise TypeError(f"{type(self).__name__} has no exact prox in a diagonal metric; leave metric out")

    def _check_metric(self, metric: Array, w: Array) -> None:
        self._check_has_metric()
        checks.same_kind("metric", metric, w)
        checks.finite("metric", metric)
        if not bool(namespace(metric).all(metric > 0)):
            raise ValueError("metric must have positive entries only")

    def _prox(self, w: Array, step: float, metric: Array | None) -> Array:
        layout, backend = self.layout, backend_of(w)
        if isinstance(layout, Spectrum):
            u, s, vt = layout.factors(w)
            return namespace(w).reshape((u * self._prox_row(s, step)) @ vt, w.shape)
        if isinstance(layout, Norms):
            before = layout.magnitudes(w)
            return layout.rebuild(w, before, self._prox_row(before, step))
        kernel, strengths = type(self).kernel, self.strengths(w.shape)
        if isinstance(layout, Entries):
            return backend.entrywise(kernel, w, step, strengths, metric, self.parameters)
        if self.driven == "row":
            return backend.row(kernel, w, layout, step, strengths, metric, self.scratch_rows, self.parameters)
        if metric is None:
            return self._radial(w, step, strengths)
        divided = self._divided_strengths(metric)
        if divided is not None:
            return self._radial(w, step, divided)
        row_kernel = type(self).metric_kernel
        return backend.row(row_kernel, w, layout, step, strengths, metric, self.scratch_rows, self.metric_parameters)

    def _prox_in(self, metric: Array) -> Callable[[Array], Array]:
        strengths = self._divided_strengths(metric)
        if strengths is None:
            return lambda w: self._prox(w, 1.0, metric)
        return lambda w: self._radial(w, 1.0, strengths)

    def _divided_strengths(self, metric: Array) -> Array | None:
        """The strengths over the metric, if psi is radial and the metric one number a group."""
        layout = self.layout
        if type(self).metric_kernel is None or self.inner_strength or not isinstance(layout, Rows):
            return None
        rows = layout.rows(metric)[0]
        one_a_group = isinstance(metric, np.ndarray) and bool((rows == rows[:, :1]).all())
        return self.strengths(metric.shape) / rows[:, 0] if one_a_group else None

    def _radial(self, w: Array, step: float, strengths: float | Array) -> Array:
        """The prox of a function of the norms of groups."""
        radial, inner = self.radial_kernel, type(self).inner_kernel
        call = backend_of(w).radial
        return call(radial, inner, w, self.layout, step, self.inner_strength, strengths, self.parameters)

    @property
    def radial_kernel(self) -> Callable[..., Any]:
        """The kernel of a row's norm: the given one, or made from that of a number."""
        kernel = type(self).kernel
        return kernel if self.driven == "radial" else of_norm(kernel)

    def _prox_row(self, z: Array, step: float) -> Array:
        """The prox on magnitudes seen as one row."""
        backend, kernel, strengths = backend_of(z), type(self).kernel, self.strengths(z.shape)
        if self.driven == "row":
            return backend.row(kernel, z, Rows(None), step, strengths, None, self.scratch_rows, self.parameters)
        return backend.entrywise(kernel, z, step, strengths, None, self.parameters)


def norm(x: Array) -> float:
    """Euclidean norm of all entries."""
    xp = namespace(x)
    return float(xp.sqrt(xp.sum(x * x)))
