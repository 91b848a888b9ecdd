"""Every loss keeps the laws, and each law rejects a wrong loss."""

import pytest
import wrong_losses as wrong
from examples import LOSSES, VARIANTS, make_loss
from hypothesis import given, settings
from hypothesis import strategies as st
from loss_laws import (
    LAWS,
    check_balanced,
    check_balanced_leaves_a_balanced_point,
    check_batch_gradient_is_unbiased,
    check_common_factor_of_weights_is_free,
    check_curvature,
    check_fenchel_young,
    check_gradient,
    check_hessian,
    check_lipschitz,
    check_multiples_of_a_dual_point_are_inside,
    check_outputs_add,
    check_whole_weights_count_repetitions,
)

from rmda_ref.losses import PoissonLoss


@pytest.mark.parametrize("law", LAWS)
def test_law(law, loss):
    law(loss)


def test_lipschitz_law(smooth_loss):
    check_lipschitz(smooth_loss)


def test_outputs_add(regression_class):
    check_outputs_add(make_loss(regression_class, n_outputs=3))


@pytest.mark.parametrize(
    "law", [check_fenchel_young, check_multiples_of_a_dual_point_are_inside, check_balanced], ids=lambda f: f.__name__
)
@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**16), log_scale=st.floats(-8, 4), kind=st.sampled_from(LOSSES), weighted=st.booleans())
def test_dual_laws_at_any_scale(law, seed, log_scale, kind, weighted):
    if kind is PoissonLoss:
        log_scale = min(log_scale, 1.5)  # exp overflows beyond: test_poisson.py
    law(make_loss(kind, seed=seed, weighted=weighted), 10.0**log_scale)


@pytest.mark.parametrize(
    ("law", "wrong_class", "variant"),
    [
        (check_gradient, wrong.BatchSum, "intercept"),
        (check_gradient, wrong.InterceptForgotten, "intercept"),
        (check_batch_gradient_is_unbiased, wrong.BatchOverDataSize, "intercept"),
        (check_batch_gradient_is_unbiased, wrong.EvenBatches, "weights"),
        (check_hessian, wrong.DiagonalHessian, "intercept"),
        (check_curvature, wrong.UncoupledCurvature, "intercept"),
        (check_lipschitz, wrong.BinaryConstant, "intercept"),
        (check_fenchel_young, wrong.SquaredConjugateSign, "intercept"),
        (check_fenchel_young, wrong.LogisticConjugateSign, "intercept"),
        (check_fenchel_young, wrong.EvenConjugate, "weights"),
        (check_multiples_of_a_dual_point_are_inside, wrong.SmoothedLabels, "intercept"),
        (check_multiples_of_a_dual_point_are_inside, wrong.ConcaveConjugate, "intercept"),
        (check_balanced, wrong.BalancedNotAtAll, "intercept"),
        (check_balanced, wrong.BalancedByItsMean, ""),
        (check_balanced, wrong.BalancedUpwards, "intercept"),
        (check_balanced, wrong.BalancedAsIfElementwise, "intercept"),
        (check_balanced_leaves_a_balanced_point, wrong.BalancedToZero, "intercept"),
        (check_whole_weights_count_repetitions, wrong.WeightsNotNormalised, "intercept"),
        (check_whole_weights_count_repetitions, wrong.EvenConjugate, "intercept"),
        (check_whole_weights_count_repetitions, wrong.EvenLipschitz, "intercept"),
        (check_common_factor_of_weights_is_free, wrong.WeightsNotNormalised, "intercept"),
        (check_outputs_add, wrong.MeanOverOutputs, "outputs"),
        (check_outputs_add, wrong.BalancedOverAllOutputs, "outputs"),
    ],
)
def test_law_rejects(law, wrong_class, variant):
    with pytest.raises(AssertionError):
        law(make_loss(wrong_class, **VARIANTS[variant]))
