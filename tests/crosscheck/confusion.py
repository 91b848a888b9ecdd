"""Mistake made x mistake named, as a table: ``python tests/crosscheck/confusion.py``."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "controls"))

from torch_broken import BROKEN

from rmda_ref.crosscheck.check import crosscheck


def named(made):
    """The names that the cross-check gives to the mistake of a negative control."""
    return [mistake.name for mistake in crosscheck(BROKEN[made][0], "torch").diagnosis.named]


def main():
    print(f"{'public':>6}  {'mistake made':26} {'true name':24} named")
    right = caught = 0
    for made, (factory, number, true) in BROKEN.items():
        started = time.perf_counter()
        report = crosscheck(factory, "torch")
        names = [mistake.name for mistake in report.diagnosis.named]
        caught, right = caught + (not report.agrees), right + (names == [true])
        mark = " " if names == [true] else "!"
        alike = [mistake.name for mistake in report.diagnosis.alike]
        told = ", ".join(names) or ("nothing" if not report.agrees else "NOT CAUGHT")
        more = f" (alike: {', '.join(alike)})" if alike else ""
        print(f"{number:6}  {made:26} {true:24} {mark} {told}{more}  {time.perf_counter() - started:.1f} s", flush=True)
    print(f"{caught} of {len(BROKEN)} caught; {right} named by their true name alone")


if __name__ == "__main__":
    main()
