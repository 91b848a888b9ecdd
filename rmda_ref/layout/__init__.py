"""How a parameter becomes rows, norms or singular values, and back.

============ ===================================================================================
``Entries``  every entry by itself
``Rows``     groups along axes
``Groups``   any partition of the entries
``Segments`` runs of m consecutive entries along an axis
``Norms``    the Euclidean norms of the groups, seen as one row
``Spectrum`` the singular values, seen as one row
============ ===================================================================================

A layout knows where the entries of each group lie in the C-ordered array: the drivers of `rmda_ref.backends` ask
`Rows.address` for that. A regularizer that depends on magnitudes only (of entries, groups, or a spectrum) asks for
`magnitudes`, and for the `coordinates` of a dual point along them.
"""

from rmda_ref.layout.address import Address, Coordinates, Indices, Shape
from rmda_ref.layout.entries import Entries
from rmda_ref.layout.groups import Groups
from rmda_ref.layout.norms import Norms
from rmda_ref.layout.rows import Rows
from rmda_ref.layout.segments import Segments
from rmda_ref.layout.spectrum import Spectrum

Layout = Entries | Rows | Groups | Segments | Norms | Spectrum

__all__ = [
    "Address",
    "Coordinates",
    "Entries",
    "Groups",
    "Indices",
    "Layout",
    "Norms",
    "Rows",
    "Segments",
    "Shape",
    "Spectrum",
]
