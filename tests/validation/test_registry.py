"""Which claims there are, and what makes one unfit to be registered."""

import re
import sys
from pathlib import Path

import pytest

import validation
from rmda_ref.crosscheck.mutants import MUTANTS, RMDA_MUTANTS
from validation import registry
from validation.claim import Claim
from validation.registry import PACKAGES, RegistryError, discover, mutants_of, select
from validation.theorems import THEOREMS

CLAIMS = discover(registry.PACKAGES)
MUTANT = next(iter(RMDA_MUTANTS))


def claim(id_: str, **options: tuple[str, ...]) -> Claim:
    return Claim(id_, "title", "statement", "source", "bar", lambda implementation, setting: None, **options)


@pytest.fixture
def package(tmp_path, monkeypatch, request):
    """Write a package of claims, one module for each keyword, and give its name."""

    def write(name: str = "demo_claims", **modules: str) -> str:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "__init__.py").touch()
        for module, code in modules.items():
            (folder / f"{module}.py").write_text(f"from validation.claim import Claim\n{code}\n")
        request.addfinalizer(lambda: [sys.modules.pop(found) for found in [*sys.modules] if found.startswith(name)])
        return name

    monkeypatch.syspath_prepend(tmp_path)
    return write


def code(id_: str, extra: str = "") -> str:
    return f"CLAIM = Claim({id_!r}, '', '', '', '', None, {extra})"


@pytest.mark.parametrize("name", registry.PACKAGES)
def test_every_module_of_the_claim_packages_is_discovered(name):
    """No file is passed over, and no two have one id."""
    folder = Path(validation.__file__).parent / name.partition(".")[2]
    files = sorted(path.stem for path in folder.glob("*.py") if path.name != "__init__.py")
    found = discover([name])
    assert files and len(found) == len(files)
    assert sorted(claim.measure.__module__.rpartition(".")[2] for claim in found.values()) == files


@pytest.mark.parametrize("id_", CLAIMS)
def test_a_claim_runs_every_mutant_it_must_kill_once_and_only_known_ones(id_):
    """What runs is a superset of what must be killed, without repeats."""
    run = mutants_of(CLAIMS[id_])
    assert set(CLAIMS[id_].kills) <= set(run) <= MUTANTS.keys()
    assert len(set(run)) == len(run) and CLAIMS[id_].id == id_


@pytest.mark.parametrize("id_", CLAIMS)
def test_a_claim_says_what_it_is(id_):
    """The report has no empty paragraph."""
    assert all([CLAIMS[id_].title, CLAIMS[id_].statement, CLAIMS[id_].source, CLAIMS[id_].bar])


def test_every_mutant_must_be_killed_by_some_claim():
    """A mistake that no claim promises to expose would go unseen."""
    assert {name for claim in CLAIMS.values() for name in claim.kills} == MUTANTS.keys()


def test_every_mutant_must_be_killed_by_an_exact_identity():
    """Pictures and statistics let mistakes pass; an identity does not."""
    assert {name for claim in CLAIMS.values() if claim.exact for name in claim.kills} == MUTANTS.keys()


@pytest.mark.parametrize("id_", CLAIMS)
def test_a_claim_tests_a_theorem(id_):
    """The index of the report leads to it."""
    assert CLAIMS[id_].theorems and set(CLAIMS[id_].theorems) <= THEOREMS.keys()


def test_every_theorem_is_tested():
    assert {name for claim in CLAIMS.values() for name in claim.theorems} == THEOREMS.keys()


def test_chance_fails_a_correct_implementation_less_than_once_in_ten_thousand_runs():
    """The union bound over the claims for which one is known."""
    assert sum(claim.failure_probability or 0.0 for claim in CLAIMS.values()) < 1e-4


def test_a_claim_without_a_known_failure_probability_says_so():
    for claim in CLAIMS.values():
        if claim.failure_probability is None:
            assert re.search("no (failure )?probability|no bound|observation", claim.bar), claim.id


def test_claims_come_package_by_package_in_the_natural_order_of_their_ids(package):
    """Z2 stands before Z10, whatever the files are called; a module with no CLAIM is none."""
    first = package("demo_first", a=code("Z10"), b=code("Z2"), c="helper = 1")
    second = package("demo_second", d=code("A1"))
    assert list(discover([first, second])) == ["Z2", "Z10", "A1"]


def test_an_id_taken_twice_is_an_error(package):
    """Within a package and across packages alike."""
    first = package("demo_first", a=code("Z1"))
    second = package("demo_second", a=code("Z1"))
    twice = package("demo_twice", a=code("Z7"), b=code("Z7"))
    with pytest.raises(RegistryError, match=r"Z1 is defined twice .* demo_second"):
        discover([first, second])
    with pytest.raises(RegistryError, match="Z7 is defined twice"):
        discover([twice])


@pytest.mark.parametrize("id_", ["", "../Z1", "Z 1", "Z/1", ".hidden"])
def test_an_id_must_be_fit_to_name_a_file(package, id_):
    """Parts and pictures are named after claims."""
    with pytest.raises(RegistryError, match="letters, digits"):
        discover([package(a=code(id_))])


@pytest.mark.parametrize("option", ["kills", "runs"])
def test_an_unknown_mutant_is_named(package, option):
    """A misspelt mutant would never be run."""
    with pytest.raises(RegistryError, match=r"Z1 names unknown mutants: betta1$"):
        discover([package(a=code("Z1", f"{option}=({MUTANT!r}, 'betta1')"))])


def test_a_module_that_cannot_be_imported_is_named(package):
    """One broken claim file is told by its name and its error."""
    with pytest.raises(RegistryError, match=r"demo_claims\.a cannot be imported: ZeroDivisionError"):
        discover([package(a="1 / 0")])


def test_the_mutants_to_kill_are_run_first_and_once():
    """Where ``runs`` repeats ``kills``, nothing runs twice; where it does not, nothing is left out."""
    assert mutants_of(claim("Z1", kills=("b", "a"), runs=("c", "a"))) == ("b", "a", "c")


def test_selection_keeps_the_order_of_the_registry():
    """All claims where none is named."""
    claims = {id_: claim(id_) for id_ in ("Z2", "Z10", "A1")}
    assert list(select(claims, ["A1", "Z2", "A1"])) == ["Z2", "A1"]
    assert list(select(claims, [])) == ["Z2", "Z10", "A1"]


def test_a_package_stands_for_its_claims():
    """ "experiments" are those of validation.experiments, and no others."""
    claims = discover(PACKAGES)
    experiments = list(select(claims, ["experiments"]))
    assert {"X1", "X2", "X3", "X4", "X5", "X6", "operators", "identification"} <= set(experiments)
    assert not {"A1", "S1"} & set(experiments)
    assert list(select(claims, ["experiments", "A1"])) == ["A1", *experiments]
    assert set(select(claims, ["claims", "experiments"])) == set(claims)


@pytest.mark.parametrize(("wanted", "hint"), [("z2", "did you mean Z2?"), ("Z22", "did you mean Z2?"), ("quux", "'.")])
def test_an_unknown_claim_is_named_with_the_nearest_and_the_known_ones(wanted, hint):
    """A wrong case or a slip of the finger is met with the right id."""
    with pytest.raises(RegistryError) as error:
        select({"Z2": claim("Z2"), "A1": claim("A1")}, [wanted, "A1"])
    assert repr(wanted) in str(error.value) and hint in str(error.value)
    assert str(error.value).endswith("Known claims: Z2, A1")
