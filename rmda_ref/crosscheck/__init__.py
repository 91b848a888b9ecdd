"""Cross-check: what a wrong implementation does, by name."""

from rmda_ref.crosscheck.mutants import FURTHER_MUTANTS, MUTANTS, REFERENCE, RMDA_MUTANTS, Implementation, Mutant

__all__ = ["FURTHER_MUTANTS", "MUTANTS", "REFERENCE", "RMDA_MUTANTS", "Implementation", "Mutant"]
