"""The experiments on networks, on a few digits and few epochs: their shape, and who is compared with whom."""

import numpy as np
import pytest

from rmda_ref.crosscheck.mutants import REFERENCE
from validation.claim import Measurement, Setting
from validation.experiments import x2_network_groups as x2
from validation.experiments import x3_unstructured as x3
from validation.experiments import x4_low_rank as x4
from validation.experiments import x5_augmentation as x5
from validation.training import networks
from validation.training.methods import Entrant, Stages


@pytest.fixture
def setting(monkeypatch) -> Setting:
    monkeypatch.setattr(networks, "stages", lambda setting: (Stages((2, 1, 1)), Stages((1,))))
    return Setting()


def measure(claim, setting) -> Measurement:
    """As the command does it: round by round until no run is missing; then nothing is trained any more."""
    rounds = 0
    while missing := claim.trains(setting):
        assert len(set(missing)) == len(missing)
        for training in missing:
            setting.store.history(training)
        rounds += 1
        assert rounds < 8
    before = dict(setting.store._read)
    found = claim.measure(REFERENCE, setting)
    assert setting.store._read == before
    return found


def names(table) -> list[str]:
    return [str(row[0]) for row in table.rows]


def test_both_networks_have_all_algorithms_and_a_search_each(setting):
    found = measure(x2.CLAIM, setting)
    first, second, search, again = found.tables
    assert names(first) == names(second) == ["RMDA", "RAMDA", "ProxSGD", "ProxAdamW", "MSGD"]
    assert len(search.rows) == len(again.rows) == 5 * 4 and search != again
    assert len(found.pictures) == 6 and "Best first." in found.note
    assert {float(row[4]) for row in first.rows if row[0] == "MSGD"} == {0.0}


def test_pruning_is_as_sparse_as_its_leader(setting):
    found = measure(x3.CLAIM, setting)
    own, as_rmda, as_ramda, search = found.tables
    assert names(own) == ["RMDA", "RAMDA", "ProxSGD", "ProxAdamW"]
    assert names(as_rmda) == ["RigL, as sparse as RMDA", "magnitude pruning, as sparse as RMDA"]
    assert names(as_ramda) == ["RigL, as sparse as RAMDA", "magnitude pruning, as sparse as RAMDA"]
    assert [row[1] for row in as_rmda.rows] == [row[1] for row in as_ramda.rows]
    assert len(search.rows) == 6 * 4
    off = [check for check in found.checks if "density off" in check.quantity]
    assert len(off) == 4 and all(check.holds for check in off)


def test_another_density_would_fail(setting, monkeypatch):
    def half(method, dense, leader):
        return Entrant(method, 0.1, 0.1, 0.5, f"{method}, as sparse as {leader}")

    monkeypatch.setattr(x3, "_masked", half)
    assert not any(check.holds for check in measure(x3.CLAIM, setting).checks if "density off" in check.quantity)


def test_each_strength_has_its_ranks(setting):
    found = measure(x4.CLAIM, setting)
    (table,) = found.tables
    assert [row[:2] for row in table.rows] == [
        (f"{lam:g}", name) for lam in x4.LAMS for name in ("RMDA", "RAMDA", "ProxSGD", "ProxAdamW")
    ]
    ranks = np.array([float(row[2]) for row in table.rows])
    assert ((ranks >= 1) & (ranks <= 10)).all()


def test_augmentation_takes_the_step_sizes_of_the_plain_network(setting):
    found = measure(x5.CLAIM, setting)
    (table,) = found.tables
    plain = {entrant.name: f"{entrant.step_size:g}" for entrant in x5.plain(setting).chosen(setting.store)}
    assert {row[0]: row[1] for row in table.rows} == {name: plain[name] for name in plain if name != "MSGD"}
    assert x5.contest(setting).task.augmented and not x5.plain(setting).task.augmented
