"""The claims are put to the arrays of another namespace: what holds, what is not asked, what a wrong backend does."""

import json
from types import SimpleNamespace

import array_api_strict as strict
import numpy as np
import pytest
from typer.testing import CliRunner

from rmda_ref import L1, RMDA, OverlappingGroupLasso, RMDAState
from rmda_ref.backends import array_api
from rmda_ref.crosscheck.mutants import MUTANTS, REFERENCE
from validation import cli, on_arrays, place
from validation.claim import Check, Claim, Measurement, Setting
from validation.claims import a8_restart_contraction, a9_subproblem_kkt, a12_layer_step, d3_exact_trajectory
from validation.claims.a14_independent_implementations import ALGORITHMS
from validation.convex_examples import CONVEX
from validation.experiments import x2_network_groups
from validation.on_arrays import moved, name_on
from validation.place import Place
from validation.trial import attempt

STRICT = name_on("array-api-strict")


def on_strict(implementation=REFERENCE):
    return moved(implementation, Place(strict), STRICT)


def asked(measure):
    """A claim of no more than a measurement, put to array-api-strict."""
    return attempt(Claim("Z", "Any", "It is.", "A paper", "None", measure), STRICT, Setting())


def one_step(algorithm):
    return algorithm.step(algorithm.init(np.zeros(4)), np.ones(4))


@pytest.mark.parametrize("claim", [a8_restart_contraction, a12_layer_step, d3_exact_trajectory])
def test_claims_hold_there(claim):
    found = attempt(claim.CLAIM, STRICT, Setting())
    assert found.holds and not found.unasked and not found.left_out, found.failure or found.unasked


@pytest.mark.parametrize("backend", [pytest.param(b, marks=pytest.mark.needs(b)) for b in ("torch", "jax")])
def test_claims_hold_on_the_arrays_of_a_framework(backend):
    """In float64, which JAX has on demand only."""
    found = attempt(a8_restart_contraction.CLAIM, name_on(backend), Setting())
    assert found.holds and not found.unasked, found.error or found.failure


def test_every_array_of_a_step_is_of_the_namespace():
    """What the algorithm is given, what its prox is given, and what it keeps; the claim is given NumPy arrays."""
    seen = []

    class Spy(RMDA):
        def step(self, state, grad):
            seen.extend((state.iterate, grad))
            return super().step(state, grad)

    class SpyL1(L1):
        def prox(self, w, *arguments):
            seen.append(w)
            return super().prox(w, *arguments)

    implementation = moved(REFERENCE.__class__(**vars(REFERENCE) | {"RMDA": Spy}), Place(strict), STRICT)
    algorithm = implementation.RMDA(SpyL1(0.1), 0.5)
    for state in implementation.steps(algorithm, algorithm.init(np.zeros(3)), lambda w: w - 1, 2):
        assert type(state.iterate) is type(state.dual_average) is np.ndarray and isinstance(state.weight, float)
    assert len(seen) == 6 and {type(array) for array in seen} == {type(strict.zeros(1))}


def test_arrays_of_any_kind_are_taken_there_and_kept_apart():
    """Read-only, reversed, without axes, float32; what the claim does to its own array later is not seen."""
    here, w = Place(strict), np.arange(4, dtype=np.float32)
    frozen = np.broadcast_to(w, (2, 4))
    there = here.into(w[::-1])
    w[:] = -1
    assert np.asarray(there).tolist() == [3, 2, 1, 0] and there.dtype == strict.float32
    assert here.into(frozen).shape == (2, 4) and here.into(np.array(1.0)).shape == () and here.into(3) == 3


def test_fused_steps_are_taken_where_there_are_such():
    """CuPy has them; here those of a class of our own, on the arrays of the namespace."""

    class InPlace:
        def __init__(self, algorithm, w0):
            self.algorithm, self.state = algorithm, algorithm.init(w0)

        def step(self, grad):
            self.state = self.algorithm.step(self.state, grad)

        def restart(self):
            self.state = self.algorithm.restart(self.state)

        @property
        def iterate(self):
            return self.state.iterate

    class Fused(RMDA):
        def stepper(self, w0, tracker=None):
            assert type(w0) is type(strict.zeros(1))
            return InPlace(RMDA(self.regularizer, self.step_size), w0)

    implementation = moved(REFERENCE.__class__(**vars(REFERENCE) | {"RMDA": Fused}), Place(strict), STRICT)
    stepper, plain = implementation.RMDA(L1(0.1), 0.5).stepper(np.ones(3)), RMDA(L1(0.1), 0.5).stepper(np.ones(3))
    for each in (stepper, plain):
        each.step(np.full(3, 0.7))
        each.restart()
        each.step(np.full(3, -0.2))
    assert type(stepper.iterate) is type(stepper.state.grad_sum) is np.ndarray and stepper.state.t == 1
    np.testing.assert_allclose(stepper.iterate, plain.iterate, rtol=1e-15)


@pytest.mark.parametrize("mutant", ["thr_eta", "norst_alpha", "sign"])
def test_a_wrong_algorithm_fails_there_too(mutant):
    assert not a8_restart_contraction.measure(on_strict(MUTANTS[mutant].build()), Setting()).holds


def test_a_backend_with_a_wrong_threshold_fails(monkeypatch):
    """By one part in 1e9, which NumPy's claims would not see: it is the arithmetic of the backend that is judged."""
    right = array_api.entrywise
    monkeypatch.setattr(
        array_api, "entrywise", lambda kernel, x, step, *rest: right(kernel, x, step * 1.000000001, *rest)
    )
    assert not a8_restart_contraction.measure(on_strict(), Setting()).holds
    assert a8_restart_contraction.measure(REFERENCE, Setting()).holds


def test_an_algorithm_that_leaves_the_namespace_is_caught():
    class Leaky(RMDA):
        def step(self, state, grad):
            found = super().step(state, grad)
            return RMDAState(**vars(found) | {"grad_sum": np.asarray(found.grad_sum)})

    implementation = on_strict(REFERENCE.__class__(**vars(REFERENCE) | {"RMDA": Leaky}))
    with pytest.raises(TypeError, match=r"RMDAState\.grad_sum is a ndarray, not of array_api_strict"):
        one_step(implementation.RMDA(L1(0.1), 0.5))


def test_a_namespace_that_loses_precision_is_caught():
    half = SimpleNamespace(__name__="half", asarray=lambda x: strict.asarray(x, dtype=strict.float32))
    with pytest.raises(TypeError, match=r"half made .*float32 of float64"):
        Place(half).into(np.ones(2))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda on: on.RMDA(L1(0.1), 0.5).stepper(np.zeros(4)), "the fused stepper, unlike step, has no evaluation on"),
        (lambda on: on.RMDA(L1(0.1), 0.5).stepper(np.zeros(4), "a tracker"), "watches every fused step"),
        (lambda on: one_step(on.RMDA(OverlappingGroupLasso(0.1, groups=[[0, 1], [1, 2]]), 0.5)), "no evaluation on"),
        (lambda on: on.RigL((), 0.5, 1.0, 1, 1, 0.5, 0), "RigL, which sorts, takes NumPy arrays"),
        (lambda on: on.GradualPruning(), "GradualPruning, which sorts, takes NumPy arrays"),
        (lambda on: None, "it runs no algorithm"),
    ],
)
def test_what_cannot_be_asked_there_is_said(make, reason):
    def measure(implementation, setting):
        make(implementation)
        return Measurement((Check.at_most("nothing", 0.0, 1.0),))

    found = asked(measure)
    assert reason in found.unasked and not found.error


def test_training_runs_are_not_asked():
    found = attempt(x2_network_groups.CLAIM, STRICT, Setting())
    assert found.unasked == "it trains networks by fused steps on NumPy arrays" and found.measurement is None


def test_a_mistake_is_no_excuse():
    """A TypeError of another kind is a failure."""
    found = asked(lambda on, setting: on.RMDA(L1(0.1), 0.5).init([1.0]))
    assert not found.holds and not found.unasked and "expected an array, got list" in found.failure


def test_examples_without_an_evaluation_are_left_out_by_name():
    """And no other: all that is asked holds."""
    on, slow = on_strict(), "overlapping groups"
    names = on_arrays.evaluated(on, {name: CONVEX[name] for name in ("l1", slow, "nuclear")})
    assert names == ["l1", "nuclear"] and on.place.left_out == [slow]
    assert on_arrays.evaluated(REFERENCE, {slow: CONVEX[slow]}) == [slow]
    assert set(ALGORITHMS) - set(on_arrays.offered(on, ALGORITHMS)) == {"RigL", "GradualPruning"}
    assert on.place.left_out == [slow, "RigL", "GradualPruning"]
    assert on_arrays.offered(REFERENCE, ALGORITHMS) == list(ALGORITHMS)


@pytest.fixture
def a_few_examples(monkeypatch):
    """A9 with those that its picture shows, and two without an evaluation."""
    some = {name: CONVEX[name] for name in (*a9_subproblem_kkt.SHOWN, "overlapping groups", "latent groups")}
    monkeypatch.setattr(a9_subproblem_kkt, "convex_examples", lambda on, setting: on_arrays.evaluated(on, some))


def invoke(out, *options):
    return CliRunner().invoke(cli.app, ["run", "--jobs", "1", "--out", str(out), *options])


@pytest.mark.usefixtures("a_few_examples")
def test_the_command_says_what_holds_there(tmp_path):
    """Its report, its record and its folder name the backend; a second run measures nothing again."""
    options = ("--only", "A8,A9,N8", "--backend", "array-api-strict")
    run = invoke(tmp_path, *options)
    assert run.exit_code == 0 and "2 of 2 claims hold" in run.stdout, run.output
    assert "Not asked, for the fused stepper" in run.stdout
    assert "Asked without what has no evaluation there: A9 (overlapping groups; latent groups)" in run.stdout
    folder = tmp_path / "backends" / "array-api-strict"
    record = json.loads((folder / "results.json").read_text())
    assert (record["subject"], record["backend"]) == (STRICT, "array-api-strict")
    assert record["environment"]["versions"]["array-api-strict"] == strict.__version__
    assert (
        record["claims"]["A9"]["left_out"] == "overlapping groups; latent groups"
        and record["claims"]["A8"]["mutants"] == {}
    )
    assert list(record["not_asked"]) == ["N8"] and list(record["claims"]) == ["A8", "A9"]
    assert record["not_asked"]["N8"].startswith("the fused stepper")
    page = (folder / "report.html").read_text()
    assert "taken on arrays of array-api-strict" in page and "N8, for the fused stepper" in page
    assert "overlapping groups; latent groups." in page
    assert not (tmp_path / "results.json").exists()  # NumPy's report is left alone
    assert "3 kept from before" in invoke(tmp_path, *options).stderr


def test_the_command_fails_on_a_wrong_backend(tmp_path, monkeypatch):
    right = array_api.entrywise
    monkeypatch.setattr(array_api, "entrywise", lambda kernel, x, step, *rest: right(kernel, x, step * 1.001, *rest))
    run = invoke(tmp_path, "--only", "A8", "--backend", "array-api-strict")
    assert run.exit_code == 1 and "0 of 1 claims hold; broken: A8" in run.stdout


def raising(error):
    def raise_(*arguments):
        raise error

    return raise_


@pytest.mark.parametrize(
    ("backend", "modules", "said"),
    [
        ("torch", raising(ModuleNotFoundError("No module named 'array_api_compat'")), "pip install 'rmda-ref[torch]'"),
        ("jax", raising(ModuleNotFoundError("No module named 'jax'")), "pip install 'rmda-ref[jax]'"),
        ("array-api-strict", raising(ModuleNotFoundError("No module")), "pip install array-api-strict"),
        ("cupy", raising(ImportError("no CuPy; pip install it")), "no CuPy; pip install it"),
        (
            "cupy",
            lambda name: SimpleNamespace(device_name=raising(RuntimeError("no driver:\n install one"))),
            "no driver: install one",
        ),
    ],
)
def test_a_backend_that_cannot_be_used_is_status_2(tmp_path, monkeypatch, backend, modules, said):
    """One line, and nothing is run or written."""
    monkeypatch.setattr(place, "import_module", modules)
    run = invoke(tmp_path / "out", "--only", "A8", "--backend", backend)
    assert run.exit_code == 2 and run.stdout == "" and not (tmp_path / "out").exists()
    assert run.stderr.startswith(f"error: backend '{backend}' cannot be used: ") and run.stderr.endswith(f"{said}\n")
    assert run.stderr.count("\n") == 1 and run.stderr.count("pip install") <= 1


def test_a_device_is_named(monkeypatch):
    """Its results are not those of another one."""
    modules = {
        "rmda_ref.backends.cupy": SimpleNamespace(device_name=lambda: "Some GPU"),
        "array_api_compat.cupy": strict,
        "cupy": SimpleNamespace(__version__="14"),
    }
    monkeypatch.setattr(place, "import_module", modules.__getitem__)
    assert Place.named("cupy").versions == {"cupy": "14", "device": "Some GPU"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--backend", "fortran"), "Invalid value for '--backend'"),
        (("--backend", "torch", "--algorithm", "rmda_ref:RMDA"), "error: --algorithm and --backend do not go together"),
    ],
)
def test_a_wrong_choice_is_status_2(tmp_path, options, said):
    run = invoke(tmp_path / "out", "--only", "A8", *options)
    assert run.exit_code == 2 and said in run.stderr and not (tmp_path / "out").exists()
