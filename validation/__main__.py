"""``python -m validation``: run the claims, print the verdicts, write the report."""

import os


def main() -> None:
    """Start the command line with one thread for each process."""
    # These libraries read their thread counts once, when first imported, and the worker processes inherit
    # them: jobs are what runs in parallel, and a sum split over threads would not give the same last digit.
    for library in ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM", "NUMBA"):
        os.environ[f"{library}_NUM_THREADS"] = "1"
    from validation.cli import app

    app(prog_name="python -m validation")


if __name__ == "__main__":  # the spawned workers import this module too
    main()
