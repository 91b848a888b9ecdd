"""States on disk: a new process goes on bit for bit; a crash in the middle of a save loses nothing."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rmda_ref import (
    GRDA,
    L1,
    MSGD,
    RAMDA,
    RDA,
    RMDA,
    GroupLasso,
    Layer,
    ProxAdam,
    ProxGen,
    ProxSAGA,
    ProxSGD,
    ProxSVRG,
    RigL,
    load_state,
    save_state,
)

ALGORITHMS = {
    "RMDA": RMDA(GroupLasso(lam=0.1, axis=0), step_size=0.3, momentum=0.4),
    "RAMDA": RAMDA(GroupLasso(lam=0.1, axis=0), step_size=0.3, momentum=0.4),
    "RDA": RDA(L1(lam=0.1), gamma=2.0),
    "ProxSGD": ProxSGD(L1(lam=0.1), step_size=0.3, momentum=0.5),
    "MSGD": MSGD(step_size=0.3, momentum=0.5),
    "GRDA": GRDA(L1(lam=0.1), step_size=0.3, strength=0.2, power=0.6),
    "ProxAdam": ProxAdam(L1(lam=0.1), step_size=0.3),
    "ProxGen": ProxGen(L1(lam=0.1), step_size=0.3),
}
GRADS = np.random.default_rng(0).standard_normal((20, 3, 4))
GO_ON = """
import sys
sys.path.insert(0, sys.argv[1])
from test_checkpoint import ALGORITHMS, GRADS
from rmda_ref import load_state, save_state
algorithm, state = ALGORITHMS[sys.argv[2]], load_state(sys.argv[3])
for grad in GRADS[7:]:
    state = algorithm.step(state, grad)
save_state(sys.argv[4], state)
"""
DIE_IN_THE_MIDDLE = """
import os, sys
import numpy as np
from rmda_ref import L1, RMDA, save_state
def savez(file, **fields):
    file.write(b"half of a file")
    file.flush()
    os._exit(9)
np.savez = savez
save_state(sys.argv[1], RMDA(L1(1.0), 1.0).init(np.zeros(3)))
"""


def run(script, *arguments):
    return subprocess.run([sys.executable, "-c", script, *map(str, arguments)], check=False).returncode


def assert_same(one, other):
    assert type(one) is type(other)
    for name in type(one).__dataclass_fields__:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
        assert np.asarray(getattr(one, name)).dtype == np.asarray(getattr(other, name)).dtype


@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_new_process_goes_on_bit_for_bit(name, tmp_path):
    algorithm = ALGORITHMS[name]
    state = algorithm.init(np.ones((3, 4)))
    for k, grad in enumerate(GRADS):
        if k == 7:
            save_state(tmp_path / "7.npz", state)
        state = algorithm.step(state, grad)
    assert run(GO_ON, *[Path(__file__).parent, name, tmp_path / "7.npz", tmp_path / "20.npz"]) == 0
    assert_same(load_state(tmp_path / "20.npz"), state)


def test_killed_in_the_middle_of_a_save_the_old_file_is_whole(tmp_path):
    path = tmp_path / "state.npz"
    state = ALGORITHMS["RMDA"].init(np.ones((3, 4)))
    save_state(path, state)
    assert run(DIE_IN_THE_MIDDLE, path) == 9
    assert_same(load_state(path), state)


def test_a_save_that_fails_leaves_nothing_behind(tmp_path, monkeypatch):
    def full_disk(file, **fields):
        raise OSError("no space left")

    monkeypatch.setattr(np, "savez", full_disk)
    with pytest.raises(OSError, match="no space left"):
        save_state(tmp_path / "state.npz", ALGORITHMS["RDA"].init(np.ones(3)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", ["truncated", "text", "other", "pickle"])
def test_a_file_that_is_no_state(damage, tmp_path):
    path = tmp_path / "state.npz"
    save_state(path, ALGORITHMS["RMDA"].init(np.ones((3, 4))))
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:300])
    elif damage == "text":
        path.write_text("not an archive")
    elif damage == "other":
        np.savez(path, state="SomethingElse", iterate=np.ones(3))
    else:
        np.savez(path, state="RDAState", anchor=np.array([print], dtype=object))
    with pytest.raises(ValueError, match=r"state.npz holds no complete state .*use a file written by save_state"):
        load_state(path)


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_state(tmp_path / "none.npz")


@pytest.mark.parametrize(
    "state",
    [
        ProxSVRG(L1(0.1), 0.1).init(np.ones(3), np.ones(3)),
        ProxSAGA(L1(0.1), 0.1).init(np.ones(3), np.ones((2, 3))),
        RigL((Layer(6, 0.5),), 0.1, 1.0, 2, 4, 0.5, 0).init(np.ones(6)),
    ],
    ids=lambda state: type(state).__name__,
)
def test_a_state_comes_back_as_it_was(state, tmp_path):
    """The steps of these ask for more than a gradient, or restart other clocks."""
    save_state(tmp_path / "state.npz", state)
    found = load_state(tmp_path / "state.npz")
    assert_same(found, state)
    assert {type(getattr(found, name)) for name in ("t", "mask_t") if hasattr(found, name)} == {int}
