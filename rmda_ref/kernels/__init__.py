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
also runs on whole arrays of any array-API namespace. The p of a row kernel may be arrays; its ``scratch`` is a float64
matrix with as many rows as its class asks for (``scratch_rows``), each at least as long as the row. Sums over a row are
taken in float64: ``float64(row[i])``, interpreted and compiled (compiled, ``float`` of a float32 is a float32).
"""
