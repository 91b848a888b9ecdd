"""Test vectors: what is written, what of it is read back, and what hostile directories do."""

import json
import os
import pickle
from fractions import Fraction

import numpy as np
import pytest

from rmda_ref.crosscheck.mistake import PUBLIC
from rmda_ref.crosscheck.vectors import SCHEMA, VectorError, export, vectors, verify


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    directory = tmp_path_factory.mktemp("vectors") / "new"
    assert export(directory) == len(vectors())
    return directory


def answer(directory, dtype=np.float64, change=None):
    for vector in vectors():
        array = np.load(directory / vector.id / "expected.npy", allow_pickle=False)
        if change is not None and vector.id == "rmda-groups":
            change(array)
        np.save(directory / "answers" / f"{vector.id}.npy", array.astype(dtype))


def test_the_index_tells_everything_and_the_arrays_fit(exported):
    index = json.loads((exported / "index.json").read_text())
    assert index["schema"] == SCHEMA
    assert len({entry["id"] for entry in index["vectors"]}) == len(index["vectors"]) > 40
    for entry in index["vectors"]:
        n_entries = sum(int(np.prod(p["shape"])) for p in entry["parameters"])
        n_steps = sum(len(stage["step_sizes"]) for stage in entry["stages"])
        folder = exported / entry["id"]
        assert np.load(folder / "start.npy").shape == (n_entries,)
        for name in ("grads", "expected", *(f"bound.{dtype}" for dtype in entry["bounds"])):
            assert np.load(folder / f"{name}.npy").shape == (n_steps, n_entries)
        assert all(flag["mistake"] == PUBLIC[flag["public"]] for flag in entry["flags"])
        assert (folder / "exact.json").exists() == entry["exact"]


def test_every_vector_detects_a_mistake_and_flags_agree_with_what_is_detected(exported):
    entries = {entry["id"]: entry for entry in json.loads((exported / "index.json").read_text())["vectors"]}
    assert all(entry["detects"] for entry in entries.values())
    assert "c_swap" in entries["rmda-momentum"]["detects"]
    assert "clock_last_group" in entries["rmda-two-parameter-groups"]["detects"]
    assert "clock_last_group" not in entries["rmda-groups"]["detects"]
    assert "norst_V" in entries["rmda-restart"]["detects"]
    assert "axis_from_rank" in entries["rmda-embedding"]["detects"]


def test_exact_vectors_are_within_the_bound_of_float64(exported):
    exact = [vector for vector in vectors() if vector.exact]
    assert len(exact) >= 5
    for vector in exact:
        fractions = json.loads((exported / vector.id / "exact.json").read_text())
        values = np.array([[float(Fraction(x)) for x in step] for step in fractions])
        rounding = np.spacing(np.abs(values)) * (vector.bounds["float64"] > 0)  # of the fraction to a float
        assert np.all(np.abs(values - vector.expected) <= vector.bounds["float64"] + rounding)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_right_answers_agree(exported, dtype):
    answer(exported, dtype)
    verdicts = verify(exported)
    assert all(verdict.agrees for verdict in verdicts), "\n".join(map(str, verdicts))


def test_a_wrong_entry_is_found_where_it_is(exported):
    def change(array):
        array[3, 7] += 1e-12

    answer(exported, change=change)
    wrong = [verdict for verdict in verify(exported) if not verdict.agrees]
    assert [verdict.id for verdict in wrong] == ["rmda-groups"]
    assert "step 4, entry 7" in wrong[0].says and "thr_alpha" in wrong[0].says


class Bomb:
    def __reduce__(self):
        return os.mkdir, ("bomb-went-off",)


def test_hostile_answers_are_verdicts_and_execute_nothing(exported, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answer(exported)
    answers, ids = exported / "answers", [vector.id for vector in vectors()]
    whole = (answers / f"{ids[0]}.npy").read_bytes()
    (answers / f"{ids[0]}.npy").write_bytes(whole[:-9])
    (answers / f"{ids[1]}.npy").write_bytes(whole[:20])
    (answers / f"{ids[2]}.npy").write_bytes(pickle.dumps(Bomb()))
    with open(answers / f"{ids[3]}.npy", "wb") as file:
        np.save(file, np.array([Bomb()], dtype=object), allow_pickle=True)
    huge = whole.replace(b"(6, 8)", b"(6, 9)", 1)
    (answers / f"{ids[4]}.npy").write_bytes(huge)
    (answers / f"{ids[5]}.npy").unlink()
    (answers / f"{ids[6]}.npy").unlink()
    os.mkfifo(answers / f"{ids[6]}.npy")
    (answers / f"{ids[7]}.npy").unlink()
    (answers / f"{ids[7]}.npy").symlink_to("/etc/passwd")
    np.save(answers / f"{ids[8]}.npy", np.full(vectors()[8].expected.shape, np.nan))
    verdicts = verify(exported)
    assert [verdict.agrees for verdict in verdicts[:9]] == [False] * 9
    assert all(verdict.agrees for verdict in verdicts[9:])
    assert list(tmp_path.iterdir()) == []
    for id_ in ids[:9]:
        (answers / f"{id_}.npy").unlink(missing_ok=True)


@pytest.mark.parametrize(
    "index", ["", "{", "[]", '{"schema": 99}', "[" * 100_000, '{"schema": 1, "vectors": "../../etc"}', None]
)
def test_a_directory_that_is_not_ours_is_an_error_or_has_no_answers(tmp_path, index):
    if index is not None:
        (tmp_path / "index.json").write_text(index)
    if index is not None and '"schema": 1,' in index:  # what the index says of paths is not believed
        assert not any(verdict.agrees for verdict in verify(tmp_path))
    else:
        with pytest.raises(VectorError, match=r"export"):
            verify(tmp_path)


def test_a_directory_that_is_not_empty_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(VectorError, match="not empty"):
        export(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
