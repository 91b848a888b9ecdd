"""Batteries to run on your own code, in any test suite or none: plain functions that raise `LawViolation`.

``check_prox(prox, value, …)``    a proximal operator given as a function
``check_regularizer(obj, shape)`` an object like those of `rmda_ref.regularizers`: fifteen laws
``check_algorithm(obj, w0)``      an optimizer like those of `rmda_ref.algorithms`

A violation names the law, a counterexample made small, what was found there (both objective values, say), and what
such a mistake usually means.

An MCP prox that is written for steps below gamma, and used beyond:

>>> import numpy as np
>>> def firm(w, step, lam=1.0, gamma=2.0):
...     size = np.abs(w)
...     return np.sign(w) * np.where(size <= gamma * lam, np.maximum(size - step * lam, 0) / (1 - step / gamma), size)
>>> def mcp(w, lam=1.0, gamma=2.0):
...     z = np.minimum(np.abs(w), gamma * lam)
...     return float(np.sum(lam * z - z * z / (2 * gamma)))
>>> check_prox(firm, mcp, steps=(0.1, 1.9), weak_convexity=0.5)  # where it is right
>>> try:
...     check_prox(firm, mcp, steps=(3.0, 10.0))
... except LawViolation as violation:
...     print(violation)
law 'optimality' is violated by the given functions: the prox objective is least at the prox; 0 in its subdifferential
    w = array([0. , 2.2, 0. , 0. ])
    step = 5.0
    prox(w) = array([-0. ,  2.2, -0. , -0. ]) has objective 5
    but      x = array([0., 0., 0., 0.]) has objective 2.42
usually: a wrong threshold, a wrong branch, or a local minimiser where a global one is asked

A group prox that divides by the norm, which is 0/0 on a zero group where the threshold is 0 too:

>>> def group(w, step):
...     with np.errstate(invalid="ignore", divide="ignore"):
...         return w * np.maximum(1 - step / np.linalg.norm(w), 0)
>>> try:
...     check_prox(group, lambda w: float(np.linalg.norm(w)), weak_convexity=0.0)
... except LawViolation as violation:
...     print(violation)
law 'no step' is violated by the given functions: step 0 and strength 0 are the identity
    w = array([0., 0., 0., 0.])
    step = 1.0
    step 0 moves array([0., 0., 0., 0.]) to array([nan, nan, nan, nan])
usually: 0/0: a zero row meets a zero threshold
"""

from rmda_ref.testing.algorithm import check_algorithm
from rmda_ref.testing.check import LawViolation, check_prox, check_regularizer

__all__ = ["LawViolation", "check_algorithm", "check_prox", "check_regularizer"]
