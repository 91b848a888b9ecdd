"""Which kernel has which form on whole matrices of rows."""

from collections.abc import Callable
from typing import Any

from rmda_ref.backends.whole_rows.exclusive_lasso import exclusive_lasso
from rmda_ref.backends.whole_rows.group_max import group_max
from rmda_ref.backends.whole_rows.k_support import k_support
from rmda_ref.backends.whole_rows.l1_ball import l1_ball
from rmda_ref.backends.whole_rows.l2_ball import metric_l2_ball
from rmda_ref.backends.whole_rows.metric_group_soft_threshold import metric_group_soft_threshold
from rmda_ref.backends.whole_rows.n_of_m import n_of_m
from rmda_ref.backends.whole_rows.simplex import simplex
from rmda_ref.backends.whole_rows.slope import slope
from rmda_ref.backends.whole_rows.sparse_envelope import sparse_envelope
from rmda_ref.backends.whole_rows.top_k import top_k
from rmda_ref.backends.whole_rows.trimmed_l1 import trimmed_l1
from rmda_ref.backends.whole_rows.two_four import two_four
from rmda_ref.kernels.exclusive_lasso import exclusive_lasso as exclusive_lasso_kernel
from rmda_ref.kernels.group_max import group_max as group_max_kernel
from rmda_ref.kernels.k_support import k_support as k_support_kernel
from rmda_ref.kernels.l1_ball import l1_ball as l1_ball_kernel
from rmda_ref.kernels.l2_ball import metric_l2_ball as metric_l2_ball_kernel
from rmda_ref.kernels.metric_group_soft_threshold import metric_group_soft_threshold as metric_group_kernel
from rmda_ref.kernels.n_of_m import n_of_m as n_of_m_kernel
from rmda_ref.kernels.simplex import simplex as simplex_kernel
from rmda_ref.kernels.slope import slope as slope_kernel
from rmda_ref.kernels.sparse_envelope import sparse_envelope as sparse_envelope_kernel
from rmda_ref.kernels.top_k import top_k as top_k_kernel
from rmda_ref.kernels.trimmed_l1 import trimmed_l1 as trimmed_l1_kernel
from rmda_ref.kernels.two_four import two_four as two_four_kernel

Form = Callable[..., Any]

FORMS: dict[Callable[..., Any], Form] = {
    exclusive_lasso_kernel: exclusive_lasso,
    group_max_kernel: group_max,
    k_support_kernel: k_support,
    l1_ball_kernel: l1_ball,
    metric_group_kernel: metric_group_soft_threshold,
    metric_l2_ball_kernel: metric_l2_ball,
    n_of_m_kernel: n_of_m,
    simplex_kernel: simplex,
    slope_kernel: slope,
    sparse_envelope_kernel: sparse_envelope,
    top_k_kernel: top_k,
    trimmed_l1_kernel: trimmed_l1,
    two_four_kernel: two_four,
}
