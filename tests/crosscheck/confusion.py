"""Mistake made x mistake named, as a table: ``python tests/crosscheck/confusion.py`` (``--held-out`` for those).

The held-out controls were written by somebody who had seen the list of public mistakes and not the cross-check.
"""

import importlib
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "controls"))

from rmda_ref.crosscheck import crosscheck


def controls(held_out):
    """(mistake made, factory, the names that are right); no name is right where the mistake is in no list."""
    if held_out:
        for part in ("clocks", "structure", "steps"):
            importlib.import_module(f"held_out_{part}")  # each adds its own to the registry
        from held_out_registry import HELDOUT, RELABELLED

        for made, (factory, given) in HELDOUT.items():
            label = RELABELLED.get(made, given)
            yield made, factory, set() if label == "unknown" else set(label.split("+"))
    else:
        from torch_broken import BROKEN

        for made, (factory, number, true) in BROKEN.items():
            yield f"{number}: {made}", factory, {true}


def main(held_out):
    print(f"{'mistake made':30} {'true name':28}   named")
    count = right = caught = 0
    for made, factory, true in controls(held_out):
        started = time.perf_counter()
        report = crosscheck(factory, "torch")
        names = [mistake.name for mistake in report.diagnosis.named]
        count, caught, right = count + 1, caught + (not report.agrees), right + (set(names) == true)
        alike = [mistake.name for mistake in report.diagnosis.alike]
        told = ", ".join(names) or ("nothing" if not report.agrees else "NOT CAUGHT")
        more = f" (alike: {', '.join(alike)})" if alike else ""
        mark = " " if set(names) == true else "!"
        seconds = time.perf_counter() - started
        print(f"{made:30} {'+'.join(sorted(true)) or 'in no list':28} {mark} {told}{more}  {seconds:.1f} s", flush=True)
    print(f"{caught} of {count} caught; {right} given their true names and no other")


if __name__ == "__main__":
    main("--held-out" in sys.argv[1:])
