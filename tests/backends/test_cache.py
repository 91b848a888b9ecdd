"""Compiled code is kept on disk, and is not found again once the kernel has changed."""

import os
import subprocess
import sys
from types import FunctionType

from rmda_ref.backends.numba import cloudpickle
from rmda_ref.kernels.soft_threshold import soft_threshold

COUNT = """
import numpy as np
from rmda_ref import RMDA, GroupLasso
from rmda_ref.backends import drivers, numba
from rmda_ref.kernels.group_soft_threshold import group_soft_threshold
stepper = RMDA(GroupLasso(lam=0.1, axis=1), step_size=0.1).stepper(np.zeros((3, 2), np.float32))
stepper.step(np.zeros((3, 2), np.float32))
from rmda_ref.kernels.of_norm import keep
finders = numba.finders(stepper.algorithm.regularizer.layout.address((3, 2)))
eyes = (drivers.look_away, drivers.note_nothing)
driver = numba.compiled(False, drivers.step_radial, group_soft_threshold, keep, drivers.from_anchor, *finders, *eyes)
print(sum(driver.stats.cache_hits.values()), sum(driver.stats.cache_misses.values()))
"""

READ_ONLY = """
import numpy as np
from rmda_ref import RMDA, L1, Slope
from rmda_ref.backends import drivers, numba
from rmda_ref.kernels.slope import slope
from rmda_ref.kernels.soft_threshold import soft_threshold
x, frozen = np.ones(3), np.ones(3)
frozen.flags.writeable = False
for psi in L1(lam=0.1), Slope(1.0, [0.3, 0.2, 0.1]):
    assert (psi.prox(x, 1.0) == psi.prox(frozen, 1.0)).all() and x.flags.writeable
for driver, kernel in (drivers.prox_entrywise, soft_threshold), (drivers.prox_row, slope):
    print(len(numba.compiled(False, driver, kernel).signatures))
stepper = RMDA(L1(lam=0.1), step_size=0.1).stepper(x)
stepper.step(x)
stepper.step(frozen)
print(len(numba.finite_check().signatures), x.flags.writeable)
"""


def printed(program):
    compiling = {name: value for name, value in os.environ.items() if name != "NUMBA_DISABLE_JIT"}
    ran = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, env=compiling)
    return ran.stdout.split()


def test_a_second_process_finds_the_compiled_step():
    printed(COUNT)
    assert printed(COUNT) == ["1", "0"]


def test_read_only_arrays_are_not_compiled_for_anew():
    """What the algorithms make is read-only, what users make is not: one driver serves both, and changes neither."""
    assert printed(READ_ONLY) == ["1", "1", "1", "True"]


def test_an_edited_kernel_is_another_key():
    edited = FunctionType(
        soft_threshold.__code__.replace(co_consts=(*soft_threshold.__code__.co_consts, 2.0)),
        soft_threshold.__globals__,
        soft_threshold.__name__,
    )
    assert cloudpickle.dumps(soft_threshold) == cloudpickle.dumps(soft_threshold)
    assert cloudpickle.dumps(soft_threshold) != cloudpickle.dumps(edited)
