"""Programs behind the process protocol: in JavaScript and in Python; and what they may do wrong."""

import subprocess
import sys
from pathlib import Path

import pytest

from rmda_ref.crosscheck import assert_agrees, crosscheck

CONTROLS = Path(__file__).parent / "controls"
PYTHON = [sys.executable, str(CONTROLS / "answering.py")]


@pytest.mark.needs("node")
def test_a_short_program_in_javascript_agrees():
    report = assert_agrees(["node", str(CONTROLS / "node_rmda.js")], "process")
    assert len(report.runs) == 26


def test_a_program_with_every_feature_agrees():
    report = assert_agrees(PYTHON, "process")
    names = {run.record.scenario.name for run in report.runs}
    assert {"checkpoint", "reported sparsity", "restart", "skipped gradients"} <= names


@pytest.mark.parametrize(
    ("how", "kind"),
    [
        ("garbage", "garbage"),
        ("list", "garbage"),
        ("words", "garbage"),
        ("ends", "raises"),
        ("error", "raises"),
        ("hang", "hang"),
    ],
)
def test_misbehaviour_is_named(how, kind):
    report = crosscheck([*PYTHON, how], "process", only=["plain"], timeout=20 if how != "hang" else 5)
    assert [run.record.finding.kind for run in report.runs] == [kind]
    assert "Traceback" not in str(report)


def test_a_program_that_is_not_there_or_says_nothing_useful_is_a_finding():
    assert crosscheck(["/no/such/program"], "process").refusal.kind == "import"
    assert crosscheck([sys.executable, "-c", "print('ready'); input()"], "process").refusal.kind == "garbage"
    assert crosscheck([sys.executable, "-c", "pass"], "process").refusal.kind == "raises"


@pytest.mark.parametrize("adapter", ["function", "process"])
def test_these_adapters_need_neither_torch_nor_jax(adapter):
    """In a process of its own, where importing either fails."""
    subject = '"function_rmda:make"' if adapter == "function" else repr(PYTHON)
    code = f"""
import sys
sys.modules.update(dict.fromkeys(["torch", "jax", "optax", "typer", "rich", "jinja2", "matplotlib"]))
sys.path.insert(0, {str(CONTROLS)!r})
from rmda_ref.crosscheck import assert_agrees
assert_agrees({subject}, {adapter!r}, only=["plain", "groups"])
"""
    subprocess.run([sys.executable, "-c", code], check=True)
