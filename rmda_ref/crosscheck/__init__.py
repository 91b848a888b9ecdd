"""Cross-check: what a wrong implementation does, by name."""

from rmda_ref.crosscheck.mutants import MUTANTS, REFERENCE, RMDA_MUTANTS, Implementation, Mutant

__all__ = ["MUTANTS", "REFERENCE", "RMDA_MUTANTS", "Implementation", "Mutant"]
