"""Under NUMBA_DISABLE_JIT=1 the kernels run interpreted, and the claims, millions of steps, would take hours."""

from numba import config

collect_ignore = ["validation/claims"] if config.DISABLE_JIT else []


def pytest_report_header():
    return "numba: interpreted; left out: tests/validation/claims" if config.DISABLE_JIT else "numba: compiled"
