"""PyTorch: the positive controls pass everything in every dtype, and every broken one is caught, by its name."""

import pytest

pytestmark = pytest.mark.needs("torch")
torch_rmda = pytest.importorskip(
    "torch_rmda", reason="not run: torch is not installed (make frameworks)", exc_type=ImportError
)
torch_broken = pytest.importorskip("torch_broken", exc_type=ImportError)
held_out_sound = pytest.importorskip("held_out_sound", exc_type=ImportError)

import torch  # noqa: E402

from rmda_ref.crosscheck import crosscheck  # noqa: E402

EVERY = {"float16", "bfloat16", "float32", "float64"}


@pytest.mark.parametrize("name", held_out_sound.CORRECT)
def test_correct_optimizers_of_another_author_pass(name):
    """Among them one that keeps V/alpha in place of V, and one on lists of tensors: other roundings, the same bound."""
    report = crosscheck(held_out_sound.CORRECT[name], "torch", dtypes=["float64", "bfloat16"])
    assert report.agrees, str(report)


@pytest.mark.parametrize("make", [torch_rmda.make_optimizer, torch_rmda.make_with_scheduler])
def test_positive_controls_pass_every_scenario_in_every_dtype(make):
    report = crosscheck(make, "torch")
    assert report.agrees, str(report)
    assert {run.record.task.dtype for run in report.runs} == EVERY
    own_schedule = make is torch_rmda.make_with_scheduler
    assert {one.scenario for one in report.not_run} == (
        set() if own_schedule else {"momentum rule, per stage", "momentum rule, ramp"}
    )


def test_no_false_alarm_in_200_random_runs():
    """Fifty scenarios in four dtypes; the bounds are deterministic, so none is expected whatever the seed."""
    report = crosscheck(torch_rmda.make_optimizer, "torch", only=["plain"], random=50, seed=3)
    assert sum(run.record.scenario.name.startswith("random") for run in report.runs) == 200
    assert report.agrees, str(report)


@pytest.mark.parametrize("made", torch_broken.BROKEN)
def test_each_mistake_of_public_code_is_caught_and_named(made):
    factory, _, true = torch_broken.BROKEN[made]
    report = crosscheck(factory, "torch", dtypes=["float16" if made == "strength in float16" else "float64"])
    assert not report.agrees
    assert [mistake.name for mistake in report.diagnosis.named] == [true], str(report)
    assert true in str(report)


def test_each_mistake_of_public_code_has_a_control():
    assert {number for _, number, _ in torch_broken.BROKEN.values()} == set(range(1, 17))


def test_two_mistakes_together_are_named():
    # The one with a step of its own first: torch gives every class that was used a step, which would hide it.
    class Both(torch_broken.ClockOutsideLoop, torch_broken.MomentumReversed):
        pass

    report = crosscheck(lambda groups, task: Both(groups), "torch", dtypes=["float64"])
    assert {mistake.name for mistake in report.diagnosis.named} == {"c_swap", "clock_last_group"}


def test_an_unknown_mistake_is_said_to_be_unknown():
    class Doubles(torch_rmda.RMDA):
        def add(self, state, grad, weighted_step):
            super().add(state, grad * 1.5, weighted_step)

    report = crosscheck(lambda groups, task: Doubles(groups), "torch", only=["plain", "momentum"], dtypes=["float64"])
    assert report.diagnosis.named == ()
    assert "No known mistake" in str(report) and "step 1" in str(report)
    assert report.runs[0].comparison.departure.quantity == "grad_sum"  # the state shows it, and comes first


def test_a_gradient_taken_too_late_is_seen():
    class Late(torch_rmda.RMDA):
        def mix(self, p, structured, momentum):
            self.state[p]["structured"], self.state[p]["average"] = (
                structured,
                (1 - momentum) * p + momentum * structured,
            )
            p.copy_(self.state[p]["average"])

        @torch.no_grad()
        def step(self, closure=None):
            if closure is not None:
                for p in self.state:
                    p.copy_(self.state[p]["structured"])
                closure()
                for p in self.state:
                    p.copy_(self.state[p]["average"])
            return super().step()

    report = crosscheck(lambda groups, task: Late(groups), "torch", only=["closure", "momentum"], dtypes=["float64"])
    assert [mistake.name for mistake in report.diagnosis.named] == ["grad_at_prox"]


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda p: p.data.__imul__(float("nan")), "not finite"),
        (lambda p: setattr(p, "data", p.data.float()), "dtype"),
        (lambda p: setattr(p, "data", p.data[None]), "shape"),
        (lambda p: p.grad.add_(1), "mutates"),
    ],
)
def test_misbehaviour_is_named(change, kind):
    class Misbehaves(torch_rmda.RMDA):
        def step(self, closure=None):
            super().step(closure)
            change(self.param_groups[0]["params"][0])

    report = crosscheck(lambda groups, task: Misbehaves(groups), "torch", only=["plain"], dtypes=["float64"])
    assert [run.record.finding.kind for run in report.runs] == [kind]


def test_what_is_no_optimizer_is_a_finding():
    report = crosscheck(lambda groups, task: print, "torch", only=["plain"], dtypes=["float64"])
    assert [run.record.finding.kind for run in report.runs] == ["factory"]


def test_other_algorithms_are_told_from_rmda():
    for algorithm in ("rda", "prox_sgd"):
        assert not crosscheck(torch_rmda.make_optimizer, "torch", algorithm=algorithm, only=["plain"]).agrees


def test_prox_sgd_agrees():
    class ProxSGD(torch_rmda.RMDA):
        def move(self, p, group):
            state = self.state[p]
            if not state:
                state["mean"] = torch.zeros_like(p)
            state["mean"].mul_(1 - group["momentum"]).add_(p.grad, alpha=group["momentum"])
            p.copy_(self.prox(p - group["lr"] * state["mean"], group["lr"], group))

        def restart(self):
            self.state.clear()

    report = crosscheck(lambda groups, task: ProxSGD(groups), "torch", algorithm="prox_sgd", random=10)
    assert report.agrees, str(report)
