"""Cross-check: where an implementation departs from the reference, and which mistake gives its numbers.

>>> from rmda_ref.crosscheck import assert_agrees
>>> def test_my_optimizer():
...     assert_agrees("mypackage.rmda:make_optimizer", adapter="torch")

An *adapter* drives an implementation (`rmda_ref.crosscheck.adapters`); a *scenario* isolates one thing; the *judge*
replays the recorded gradients on the reference in numbers that carry a rounding bound (`ball`); the *diagnosis* looks
for the mistake whose own numbers are those of the implementation.
"""

from rmda_ref.crosscheck.check import Departs, assert_agrees, crosscheck
from rmda_ref.crosscheck.diagnose import MISTAKES
from rmda_ref.crosscheck.mutants import FURTHER_MUTANTS, MUTANTS, REFERENCE, RMDA_MUTANTS, Implementation, Mutant
from rmda_ref.crosscheck.report import Report
from rmda_ref.crosscheck.task import Parameter, Task

__all__ = [
    "FURTHER_MUTANTS",
    "MISTAKES",
    "MUTANTS",
    "REFERENCE",
    "RMDA_MUTANTS",
    "Departs",
    "Implementation",
    "Mutant",
    "Parameter",
    "Report",
    "Task",
    "assert_agrees",
    "crosscheck",
]
