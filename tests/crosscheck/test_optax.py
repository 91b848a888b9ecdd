"""Optax: the positive control passes everything that a gradient transformation can be asked; a broken one is named."""

import pytest

pytestmark = pytest.mark.needs("optax")
optax_rmda = pytest.importorskip(
    "optax_rmda", reason="not run: optax is not installed (make frameworks)", exc_type=ImportError
)

from rmda_ref.crosscheck import crosscheck  # noqa: E402


def test_the_positive_control_passes_every_scenario_in_every_dtype():
    report = crosscheck(optax_rmda.make_optimizer, "optax")
    assert report.agrees, str(report)
    assert {run.record.task.dtype for run in report.runs} == {"float16", "bfloat16", "float32", "float64"}
    assert {one.reason.split(",")[0] for one in report.not_run} == {
        "a pytree of gradients has one for every parameter",
        "a gradient transformation reports no sparsity",
        "a gradient transformation takes its gradients from the caller",
    }


def test_a_mistake_is_named():
    report = crosscheck(
        optax_rmda.make_centred_on_iterate, "optax", only=["plain", "l1", "restart"], dtypes=["float32"]
    )
    assert [mistake.name for mistake in report.diagnosis.named] == ["center_prev"]


def test_what_is_no_transformation_is_a_finding():
    report = crosscheck(lambda task: 3, "optax", only=["plain"], dtypes=["float32"])
    assert [run.record.finding.kind for run in report.runs] == ["factory"]
