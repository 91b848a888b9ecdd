"""X7d and X7e: they hold, and fail for wrong algorithms, wrong data and a wrong law."""

import dataclasses
from math import sqrt

import numpy as np
import pytest

from rmda_ref import GroupSparseEnvelope, Stage
from rmda_ref.crosscheck.mutants import MUTANTS, REFERENCE
from validation import k_groups
from validation.claim import Setting
from validation.experiments import x7d_k_level_structure as x7d
from validation.experiments import x7e_stability as x7e
from validation.k_groups import SWEEP, Landscape, n_groups, search
from validation.moments import X, Y, moments
from validation.neighbours import Neighbours
from validation.stability_law import law, of_prox_sgd, of_rmda

SWAPPED = {
    "RMDA": dataclasses.replace(REFERENCE, RMDA=REFERENCE.ProxSGD),
    "ProxSGD": dataclasses.replace(REFERENCE, ProxSGD=REFERENCE.RMDA),
}


def failed(module, implementation):
    return [check.quantity for check in module.measure(implementation, Setting()).checks if not check.holds]


@pytest.mark.parametrize("module", [x7d, x7e])
def test_holds(module, monkeypatch):
    monkeypatch.setattr(x7d, "N_SEEDS", (1, 1))  # half of the quick profile's
    monkeypatch.setattr(x7d, "N_STEPS", (500, 500))
    monkeypatch.setattr(x7e, "N_PAIRS", (720, 720))  # a quarter
    seen: list[float] = []
    found = module.measure(REFERENCE, Setting(progress=seen.append))
    assert found.holds, [check for check in found.checks if not check.holds]
    assert seen == sorted(seen) and seen[-1] <= 1
    for table in found.tables:
        assert {len(row) for row in table.rows} == {len(table.columns)}
    for picture in found.pictures:
        assert all(len(curve.x) == len(curve.y) for curve in picture.curves)


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(x7d, "N_SEEDS", (1, 1))
    monkeypatch.setattr(x7d, "N_STEPS", (200, 200))
    monkeypatch.setattr(x7d, "WINDOW", 50)
    monkeypatch.setattr(x7d, "SWEEP", SWEEP[::6])
    monkeypatch.setattr(k_groups, "SWEEP", SWEEP[::6])
    monkeypatch.setattr(x7d, "ASKED", (5,))
    monkeypatch.setattr(x7e, "SAMPLES", (16, 48))
    monkeypatch.setattr(x7e, "N_PAIRS", (480, 480))
    monkeypatch.setattr(x7e, "N_SPARSE_PAIRS", (5, 5))


# X7d


@pytest.mark.parametrize("wrong", SWAPPED)
def test_one_algorithm_in_the_place_of_the_other_has_not_k_groups(wrong, small):
    assert any(f"{wrong}, c = 1:" in quantity or f"{wrong}:" in quantity for quantity in failed(x7d, SWAPPED[wrong]))


def test_asking_for_one_group_more_fails(small):
    def rmda(psi, *others):
        return REFERENCE.RMDA(GroupSparseEnvelope(psi.lam, psi.k + 1, axis=-1), *others)

    quantities = failed(x7d, dataclasses.replace(REFERENCE, RMDA=rmda))
    assert sum("number of groups" in quantity for quantity in quantities) == 2


def test_a_threshold_that_does_not_grow_fails(small):
    assert failed(x7d, MUTANTS["thr_eta"].build())


def test_other_groups_fail_though_their_number_is_right(small, monkeypatch):
    def race(implementation, landscapes, k, setting):
        active = np.array([np.roll(landscape.active(k), 1) for landscape in landscapes])
        return {name: np.tile(active, (200, 1, 1)) for name in x7d.ALGORITHMS}

    monkeypatch.setattr(x7d, "race", race)
    quantities = failed(x7d, REFERENCE)
    assert sum("seeds right" in quantity for quantity in quantities) == 2
    assert not any("number of groups" in quantity for quantity in quantities)


def test_the_margin_says_when_the_solution_has_k_groups():
    """On either side of the threshold, by proximal gradient steps; and below it the problem cannot be planted."""
    for seed in range(2):
        landscape = Landscape.draw(np.random.default_rng(seed), x7d.ASKED, x7d.LAM)
        for k in x7d.ASKED:
            lam = landscape.threshold(k)
            above, below = (
                n_groups(landscape.minimiser(GroupSparseEnvelope(factor * lam, k, axis=-1), 0 * landscape.pull))
                for factor in (1.01, 0.99)
            )
            assert (above, below) == (k, k + 1)
            np.testing.assert_allclose(
                landscape.minimiser(GroupSparseEnvelope(x7d.LAM, k, axis=-1), 0 * landscape.pull),
                landscape.planted(k, x7d.LAM).solution,
                atol=1e-8,  # ten times the last step of the solve
            )
            with pytest.raises(ValueError, match="no subgradient"):
                landscape.planted(k, 0.9 * lam)


def test_the_search_finds_a_lam_with_k_groups_or_says_that_there_is_none():
    landscape = Landscape.draw(np.random.default_rng(0), x7d.ASKED, x7d.LAM)
    assert search(landscape, 5).solves < 20
    tied = dataclasses.replace(landscape, hessian=np.eye(landscape.pull.size), pull=np.ones_like(landscape.pull))
    assert np.isnan(search(tied, 5, most=10).lam)  # all twelve groups leave together


def test_the_sweep_covers_both_sides_of_every_threshold():
    landscape = Landscape.draw(np.random.default_rng(0), x7d.ASKED, x7d.LAM)
    assert all(SWEEP[-1] < landscape.threshold(k) < SWEEP[0] for k in x7d.ASKED)


# X7e


@pytest.mark.parametrize("mutant", ["beta1", "s_eta", "beta_next", "center_prev", "sign", "c_swap", "c_late"])
def test_the_recursion_rejects(mutant, small):
    assert any("off the recursion" in quantity for quantity in failed(x7e, MUTANTS[mutant].build()))


def test_one_algorithm_in_the_place_of_the_other_fails_with_l1(small):
    for wrong, implementation in SWAPPED.items():
        assert any(quantity.startswith(wrong) and "l1" in quantity for quantity in failed(x7e, implementation))


def test_a_sample_that_is_always_replaced_at_the_end_fails_the_law(small, monkeypatch):
    draw = Neighbours.draw

    def last(rng, n, n_pairs, solution, sigma):
        return dataclasses.replace(draw(rng, n, n_pairs, solution, sigma), replaced=np.full(n_pairs, n - 1))

    monkeypatch.setattr(Neighbours, "draw", last)
    quantities = failed(x7e, REFERENCE)
    assert sum("z of the mean square" in quantity for quantity in quantities) == 9
    assert not any("off the recursion" in quantity for quantity in quantities)


def test_data_sets_that_are_equal_do_not_come_apart():
    data = Neighbours.draw(np.random.default_rng(0), 8, 4, np.ones(3), 1.0)
    same = dataclasses.replace(data, other=data.samples[data.replaced, range(4)])
    same = dataclasses.replace(same, other_target=data.targets[data.replaced, range(4)])
    found = x7e.run(REFERENCE, x7e.SUBJECTS["RMDA, c = 0.1"], same, 16, np.random.default_rng(1))
    assert not found.iterate.any()


def test_the_pairs_differ_in_one_step_of_every_pass():
    data = Neighbours.draw(np.random.default_rng(0), 8, 16, np.ones(6), 1.0)
    batches = data.in_order(np.random.default_rng(1))
    for number in range(3):
        steps = [next(batches) for _ in range(8)]
        rows = np.array([(x[0] != x[1]).any(axis=-1) | (y[0] != y[1]) for x, y in steps])
        assert (rows.sum(axis=0) <= 1).all()  # a sample may be replaced by its equal
        assert number or (np.argmax(rows, axis=0) == data.replaced)[rows.any(axis=0)].all()
        seen = np.sort([y[0] for _, y in steps], axis=0)
        np.testing.assert_array_equal(seen, np.sort(data.targets, axis=0))


@pytest.mark.parametrize("momentum", [1.0, 0.1])
def test_the_law_in_one_dimension_is_the_covariance_of_claim_b4(momentum):
    """There A = 1: the difference is that of a noisy quadratic whose noise has the variance of two samples."""
    found = law(of_rmda(0.1, momentum), 50, 1, 0.7, 2.0)
    expected = [m.covariance for m in moments(1.0, sqrt(2) * 0.7, 2.0, [Stage(50, 0.1, momentum)])]
    np.testing.assert_allclose(found.iterate, [c[X, X] for c in expected], rtol=1e-12)
    np.testing.assert_allclose(found.second, [c[Y, Y] for c in expected], rtol=1e-12)


def test_the_floor_of_sgd_in_closed_form():
    """K = eta (2 d sigma^2 + (2 d - 2) m)/(2 - eta d), m = eta d sigma^2/(2 - eta d)."""
    eta, d, sigma = 0.1, 4, 1.3
    m = eta * d * sigma**2 / (2 - eta * d)
    found = law(of_prox_sgd(eta, 1.0), 400, d, sigma, 2.0).iterate[-1]
    assert found == pytest.approx(eta * (2 * d * sigma**2 + (2 * d - 2) * m) / (2 - eta * d), rel=1e-12)


@pytest.mark.parametrize("transition", [of_rmda(0.1, 0.1), of_rmda(0.1, 1.0), of_prox_sgd(0.1, 0.1)])
def test_the_orders_in_n(transition):
    """Of the last iterate 1/n, of the average 1/n^2: between n = 2000 and 4000, to the start's share of 1/n."""
    found = law(transition, 4000, 4, 1.0, 2.0)
    assert np.log2(found.iterate[1999] / found.iterate[3999]) == pytest.approx(0, abs=0.02)
    assert np.log2(found.average[1999] / found.average[3999]) == pytest.approx(1, abs=0.05)
