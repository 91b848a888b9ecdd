"""Which claims there are: every module of the claim packages that has a ``CLAIM``."""

import importlib
import pkgutil
import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches

from rmda_ref.crosscheck import mutants
from validation.claim import Claim
from validation.theorems import THEOREMS

__all__ = ["PACKAGES", "RegistryError", "discover", "mutants_of", "select"]

PACKAGES = ("validation.claims", "validation.experiments")

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")  # an id names files too


class RegistryError(Exception):
    """A claim that cannot be registered, or one that does not exist: the message names it."""


def discover(packages: Iterable[str]) -> dict[str, Claim]:
    """Find every claim, package by package, and within a package in the natural order of the ids (A2 < A10).

    Raises
    ------
    RegistryError
        If a module cannot be imported, an id is taken twice or cannot name a file, or a claim names a mutant
        or a theorem that does not exist.
    """
    claims: dict[str, Claim] = {}
    for package in packages:
        for claim in sorted(_claims_in(package), key=lambda claim: _natural(claim.id)):
            _vet(claim)
            if claim.id in claims:
                raise RegistryError(f"claim {claim.id} is defined twice (the second time in {package})")
            claims[claim.id] = claim
    return claims


def select(claims: Mapping[str, Claim], wanted: Iterable[str]) -> dict[str, Claim]:
    """The wanted claims, in the order of the registry; all of them where none is named.

    A package by its last name ("experiments") stands for all the claims in it.

    Raises
    ------
    RegistryError
        If an id is unknown.
    """
    named, wanted = set(wanted), set()
    for name in named:
        package = [id_ for id_, claim in claims.items() if claim.measure.__module__.split(".")[-2:-1] == [name]]
        wanted.update(package if name not in claims and package else [name])
    for name in sorted(wanted - claims.keys()):
        folded = {known.casefold(): known for known in claims}
        near = get_close_matches(name.casefold(), folded, n=1)
        hint = f"; did you mean {folded[near[0]]}?" if near else "."
        raise RegistryError(f"unknown claim {name!r}{hint} Known claims: {', '.join(claims) or 'none'}")
    return {id_: claim for id_, claim in claims.items() if id_ in wanted or not wanted}


def mutants_of(claim: Claim) -> tuple[str, ...]:
    """Names of the mutants to run under a claim, those that it must kill first."""
    return tuple(dict.fromkeys((*claim.kills, *claim.runs)))


def _claims_in(package: str) -> Iterator[Claim]:
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
        try:
            claim = getattr(importlib.import_module(module.name), "CLAIM", None)
        except Exception as error:
            raise RegistryError(f"{module.name} cannot be imported: {error!r}") from error
        if claim is not None:
            yield claim


def _vet(claim: Claim) -> None:
    if not _ID.fullmatch(claim.id):
        raise RegistryError(f"claim id {claim.id!r}: use letters, digits, '_', '.' and '-' only")
    if unknown := [name for name in mutants_of(claim) if name not in mutants.MUTANTS]:
        raise RegistryError(f"claim {claim.id} names unknown mutants: {', '.join(unknown)}")
    if unknown := [name for name in claim.theorems if name not in THEOREMS]:
        raise RegistryError(f"claim {claim.id} names unknown theorems: {', '.join(unknown)}")


def _natural(id_: str) -> list[str | int]:
    return [int(piece) if piece.isdigit() else piece for piece in re.split(r"(\d+)", id_)]
