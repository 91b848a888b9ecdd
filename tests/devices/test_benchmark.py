"""The benchmark of steps on a device, on a simulated one with the host's clock: what it does, not its speed."""

import subprocess
import sys
import time

import array_api_strict as strict
import numpy as np
import pytest
from simulated import on_device

from rmda_ref import RMDA
from validation.benchmarks import device_step as benchmark


def by_clock(run):
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


@pytest.fixture
def brief(simulated, monkeypatch):
    for name in ("ROUNDS", "STEPS"):
        monkeypatch.setattr(benchmark, name, 1)


@pytest.mark.parametrize("case", benchmark.CASES, ids=lambda case: case.name)
def test_a_line(brief, case):
    line = benchmark.measured(case, 40, 1e9, strict, by_clock, None, by_clock)
    assert line.step > 0 and line.checked > 0 and line.expression > 0 and line.torch is None
    shown = benchmark.table("none", 1e9, [line])
    assert shown.row_count == 1


@pytest.mark.parametrize("case", benchmark.CASES, ids=lambda case: case.name)
def test_the_expression_is_the_step(case):
    """What the step is compared with does the same work."""
    rng = np.random.default_rng(0)
    w0, v, g = (rng.standard_normal(case.shape(40)) for _ in range(3))
    algorithm = RMDA(case.regularizer, step_size=benchmark.ETA, momentum=benchmark.C)
    state = algorithm.init(w0)
    state = type(state)(w0, w0, w0, v, weight=1.0, t=4)
    expected = algorithm.step(state, g)
    iterate, grad_sum = benchmark.expression(strict, case.prox, *map(on_device, (w0, w0, v, g)), 5, 1.0)
    np.testing.assert_allclose(np.asarray(iterate), expected.iterate, rtol=0, atol=1e-14)
    np.testing.assert_allclose(np.asarray(grad_sum), expected.grad_sum, rtol=0, atol=1e-14)


def test_the_rate_of_a_copy(brief):
    assert benchmark.copy_rate(strict, lambda run: 0.5 if run() is None else 0.0, 1000) == 8 * 1000 / 0.5


def test_without_a_device_it_says_so():
    code = "import sys; sys.modules['cupy'] = None; from validation.benchmarks import device_step; device_step.main()"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.returncode == 2 and ran.stdout.startswith("error: CuPy cannot be imported") and not ran.stderr
