"""What psi is along its manifold at a point: smooth, so that Newton's method applies."""

from collections.abc import Callable
from typing import NamedTuple

from rmda_ref.namespace import Array


class Tangent(NamedTuple):
    """psi restricted to the points with the structure of w, near w, where it is twice differentiable.

    All arrays are like w; along the manifold the entries outside ``active`` stay zero. The Hessian along it is
    diag(bend) minus, for each group that is bent, bend u u^T with u the unit vector of the group.

    Attributes
    ----------
    active : bool, which entries vary along the manifold
    gradient : the gradient of psi along it, zero elsewhere
    bend : at least 0, the same within a group that has a direction
    unit : the direction of each group, zero where psi bends no group
    hessian : the map from directions, zero outside ``active``, to the Hessian of psi times them
    retract : from a point along a direction to one of the manifold's closure: what has turned back becomes zero
    """

    active: Array
    gradient: Array
    bend: Array
    unit: Array
    hessian: Callable[[Array], Array]
    retract: Callable[[Array], Array]
