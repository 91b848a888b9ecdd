"""A network on images: its objective and gradients are those of the parts, and the batches are what they should be."""

import dataclasses

import numpy as np
import pytest

from problems.data import DataSource, load
from problems.image_network import ImageNetwork
from problems.mlp import MLP
from rmda_ref import L1, GroupLasso, Nuclear

DIGITS = load(DataSource())
NET = MLP((64, 6, 10))


def problem(penalty=GroupLasso(lam=0.01, axis=0), **given):  # noqa: B008  (immutable)
    return ImageNetwork(NET, DIGITS, penalty, **given)


def test_the_objective_is_the_mean_loss_and_the_penalty_of_the_weights():
    w = problem().start(np.random.default_rng(0))
    parts = NET.unflatten(w)
    norms = sum(
        0.01 * np.sqrt(weight.shape[0]) * np.linalg.norm(weight, axis=0).sum()
        for weight in (parts["layer1.weight"].astype(float), parts["layer2.weight"].astype(float))
    )
    expected = NET.value(w, DIGITS.X_train, DIGITS.y_train) + norms
    assert problem().objective(w) == pytest.approx(expected, rel=1e-6)  # float32 predictions, in chunks


def test_chunks_do_not_matter(monkeypatch):
    w = problem().start(np.random.default_rng(0))
    whole = problem().objective(w)
    monkeypatch.setattr("problems.image_network.CHUNK", 100)
    assert problem().objective(w) == pytest.approx(whole, rel=1e-6)


def test_an_epoch_is_each_sample_once_and_its_gradients_average_to_the_full_one():
    w = problem().start(np.random.default_rng(0))
    batches = list(problem().epoch(np.random.default_rng(1), 100))
    assert [len(batch.y) for batch in batches] == [100] * 14 + [37]
    mean = sum(batch.gradient(w) * len(batch.y) for batch in batches) / len(DIGITS.y_train)
    np.testing.assert_allclose(mean, NET.gradient(w, DIGITS.X_train, DIGITS.y_train), atol=1e-6)  # float32 sums
    assert sorted(np.concatenate([batch.y for batch in batches])) == sorted(DIGITS.y_train)


def test_augmented_batches_differ_from_pass_to_pass_and_the_objective_does_not():
    noisy = problem(augment=lambda X, rng: X + rng.standard_normal(X.shape).astype(X.dtype))
    rng = np.random.default_rng(1)
    first, second = (next(noisy.epoch(rng, 1437)).X.sum() for _ in range(2))
    assert first != second
    w = noisy.start(np.random.default_rng(0))
    assert noisy.objective(w) == noisy.objective(w) != problem().objective(w)


def test_the_support_counts_groups_entries_and_singular_values():
    w = np.zeros(NET.size, np.float32)
    NET.unflatten(w)["layer1.weight"][:, 3] = 1.0
    NET.unflatten(w)["layer2.weight"][2, 5] = 1.0
    NET.unflatten(w)["layer2.bias"][:] = 7.0  # not penalised
    groups = problem().support(w)
    assert np.flatnonzero(groups).tolist() == [3, 64 + 5] and groups.size == 70
    assert problem(L1(0.1)).support(w).sum() == 7
    ranks = problem(Nuclear(0.1)).support(w)
    assert ranks.size == 12 and np.flatnonzero(ranks).tolist() == [0, 6]  # rank 1 and rank 1


def test_images_of_another_size_are_refused():
    with pytest.raises(ValueError, match="net has 60 inputs and the images of digits have 64 pixels"):
        dataclasses.replace(problem(), net=MLP((60, 6, 10)))
