"""Proximal kernels, one a file: plain functions of an entry, a norm or a row.

Each solves ``argmin_x  strength * psi(x) + 1/2 <x - row, metric * (x - row)>`` in one of three shapes:

========= ================================================ ========================================
shape     signature                                        used for
========= ================================================ ========================================
entrywise ``kernel(x, strength, metric, *p) -> y``         penalties that are sums over entries
radial    ``kernel(norm, strength, *p) -> factor``         penalties of a row's Euclidean norm
row       ``kernel(row, strength, metric, scratch, *p)``   everything else, in place on one row
========= ================================================ ========================================

A kernel imports ``math``, ``register_jitable`` and numba's ``float64`` only. `rmda_ref.backends` drives it over
arrays. An entrywise or radial kernel without branches (``abs``, ``min``, ``max``, ``select``, arithmetic and ``math``)
also runs on whole arrays of any array-API namespace; a row kernel has a form there (`rmda_ref.backends.whole_rows`), or
none. For devices the kernels themselves are compiled. Row kernels see float64 rows, whatever the dtype of the array;
their p may be arrays, and ``scratch`` is a float64 matrix with as many rows as the class asks for (``scratch_rows``),
each at least as long as the row. (Where float32 numbers do meet a kernel: compiled, ``float`` of a float32 is a
float32; ``float64`` is what it says.)
"""
