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


def count():
    compiling = {name: value for name, value in os.environ.items() if name != "NUMBA_DISABLE_JIT"}
    ran = subprocess.run([sys.executable, "-c", COUNT], check=True, capture_output=True, text=True, env=compiling)
    return ran.stdout.split()


def test_a_second_process_finds_the_compiled_step():
    count()
    assert count() == ["1", "0"]


def test_an_edited_kernel_is_another_key():
    edited = FunctionType(
        soft_threshold.__code__.replace(co_consts=(*soft_threshold.__code__.co_consts, 2.0)),
        soft_threshold.__globals__,
        soft_threshold.__name__,
    )
    assert cloudpickle.dumps(soft_threshold) == cloudpickle.dumps(soft_threshold)
    assert cloudpickle.dumps(soft_threshold) != cloudpickle.dumps(edited)
