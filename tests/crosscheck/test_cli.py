"""The command line: what it prints and writes, and its exit status."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rmda_ref.crosscheck.cli import app

CONTROLS = Path(__file__).parent / "controls"
WRONG = "function_rmda:make_wrong"


def run(*arguments):
    return CliRunner().invoke(app, ["crosscheck", *map(str, arguments)])


def test_what_agrees_exits_with_0():
    result = run("function_rmda:make", "--only", "plain", "--only", "groups")
    assert result.exit_code == 0
    assert "6 of 6 runs agree" in result.stdout


def test_what_departs_exits_with_1_and_says_where_and_why(tmp_path):
    result = run(WRONG, "--dtype", "float64", "--json", tmp_path / "found.json", "--html", tmp_path / "found.html")
    assert result.exit_code == 1
    assert "thr_eta" in result.stdout and "First departure" in result.stdout and "departs at 2" in result.stdout
    found = json.loads((tmp_path / "found.json").read_text())
    assert [mistake["name"] for mistake in found["diagnosis"]["named"]] == ["thr_eta"]
    assert any(run["departure"] and run["departure"]["quantity"] == "iterate" for run in found["runs"])
    page = (tmp_path / "found.html").read_text()
    assert "data:image/svg+xml" in page and "thr_eta" in page and "<script" not in page
    assert sorted(path.name for path in tmp_path.iterdir()) == ["found.html", "found.json"]


def test_random_scenarios_are_run_besides():
    result = run("function_rmda:make", "--only", "plain", "--random", 3, "--seed", 5, "--dtype", "float32")
    assert result.exit_code == 0 and "random 5.2" in result.stdout


def test_what_cannot_be_run_exits_with_1_and_is_named():
    result = run("function_rmda:absent")
    assert result.exit_code == 1 and "no such attribute" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("function_rmda:make", "--only", "plane"), "no scenario"),
        (("function_rmda:make", "--adapter", "keras"), "adapter must be one of"),
        (("function_rmda:make", "--dtype", "int8"), "dtypes must be among"),
        (("function_rmda:make", "--json", "/no/such/folder/x.json"), "no directory"),
    ],
)
def test_bad_usage_exits_with_2(arguments, says):
    result = run(*arguments)
    assert result.exit_code == 2 and says in result.stderr


def test_a_process_is_given_as_a_command():
    command = f"{sys.executable} {CONTROLS / 'answering.py'}"
    assert run(command, "--adapter", "process", "--only", "plain").exit_code == 0


def test_the_protocol_is_told():
    result = CliRunner().invoke(app, ["protocol"])
    assert result.exit_code == 0
    assert all(
        f'"op": "{op}"' in result.stdout for op in ("hello", "begin", "step", "restart", "save", "load", "sparsity")
    )


def test_vectors_are_exported_and_verified(tmp_path):
    runner = CliRunner()
    assert runner.invoke(app, ["vectors", "export", str(tmp_path / "v")]).exit_code == 0
    verified = runner.invoke(app, ["vectors", "verify", str(tmp_path / "v")])
    assert verified.exit_code == 1 and "no answer" in verified.stdout
    assert runner.invoke(app, ["vectors", "verify", str(tmp_path)]).exit_code == 2
    assert runner.invoke(app, ["vectors", "export", str(tmp_path / "v")]).exit_code == 2


def test_without_the_extra_the_command_says_what_to_install():
    code = "import sys; sys.modules['typer'] = None; from rmda_ref.__main__ import main; main()"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 1 and "rmda-ref[crosscheck]" in ended.stderr and "Traceback" not in ended.stderr


def test_the_module_of_the_user_is_found_where_the_user_is(tmp_path):
    (tmp_path / "mine.py").write_text((CONTROLS / "function_rmda.py").read_text())
    command = [sys.executable, "-P", "-m", "rmda_ref", "crosscheck", "mine:make", "--only", "plain"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0
