"""Row kernels on whole matrices of rows, for arrays of any array-API namespace: one operator a file, named as there.

A row kernel loops over its row, which a device does badly. Its *form* does the same to all rows of a matrix at once,
by what every namespace has: sorts, cumulative sums, a fixed number of steps.

    form(rows, strength, metric, *parameters) -> new rows

``rows`` is an (n_rows, n) matrix, not empty; ``strength`` a number or an (n_rows, 1) column; ``metric`` None or like
``rows``; ``parameters`` those of the kernel, which live on the host. Nothing is copied to the host, and nothing that is
computed decides what is done next. It is the same minimiser: equal where the kernel is exact (ties go the same way),
else to rounding. Kernels that are sequential by nature, as along a path or a tree, have no form.
"""

from rmda_ref.backends.whole_rows.forms import FORMS, Form

__all__ = ["FORMS", "Form"]
