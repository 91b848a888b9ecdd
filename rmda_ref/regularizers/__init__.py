"""Regularizers, one a file. A new one is added in three places: its kernel, its class, and `REGISTRY`."""

from rmda_ref.layout import Groups, Norms, Rows, Spectrum
from rmda_ref.regularizers.base import Regularizer
from rmda_ref.regularizers.blocks import Block, Blocks
from rmda_ref.regularizers.box import Box
from rmda_ref.regularizers.capped_l1 import CappedL1
from rmda_ref.regularizers.certified import CertifiedProx, CertifiedValue, NotConverged
from rmda_ref.regularizers.discrete_set import DiscreteSet
from rmda_ref.regularizers.elastic_net import ElasticNet
from rmda_ref.regularizers.exclusive_lasso import ExclusiveLasso
from rmda_ref.regularizers.group_lasso import GroupLasso
from rmda_ref.regularizers.group_max import GroupMax
from rmda_ref.regularizers.k_support import KSupport
from rmda_ref.regularizers.l0 import L0
from rmda_ref.regularizers.l1 import L1
from rmda_ref.regularizers.l1_ball import L1Ball
from rmda_ref.regularizers.l2_ball import L2Ball
from rmda_ref.regularizers.l_half import LHalf
from rmda_ref.regularizers.l_two_thirds import LTwoThirds
from rmda_ref.regularizers.latent_group_lasso import LatentGroupLasso
from rmda_ref.regularizers.log_sum import LogSum
from rmda_ref.regularizers.manifold import Levels, Manifold, Rank, Support, WholeSpace
from rmda_ref.regularizers.mcp import MCP
from rmda_ref.regularizers.n_of_m import NM
from rmda_ref.regularizers.nonnegative_l1 import NonnegativeL1
from rmda_ref.regularizers.nuclear import Nuclear
from rmda_ref.regularizers.overlapping_group_lasso import OverlappingGroupLasso
from rmda_ref.regularizers.scad import SCAD
from rmda_ref.regularizers.simplex import Simplex
from rmda_ref.regularizers.slope import Slope
from rmda_ref.regularizers.sparse_envelope import GroupSparseEnvelope, SparseEnvelope
from rmda_ref.regularizers.sparse_group_lasso import SparseGroupLasso
from rmda_ref.regularizers.top_k import TopK
from rmda_ref.regularizers.total_variation import FusedLasso, TotalVariation
from rmda_ref.regularizers.tree_group_lasso import TreeGroupLasso
from rmda_ref.regularizers.trimmed_l1 import TrimmedL1
from rmda_ref.regularizers.two_four import TwoFour
from rmda_ref.regularizers.zero import Zero

# One example a regularizer and layout, with the shape of a parameter it fits: what the laws run over.
REGISTRY: dict[str, tuple[Regularizer, tuple[int, ...]]] = {
    "zero": (Zero(), (12,)),
    "l1": (L1(lam=0.7), (12,)),
    "elastic net": (ElasticNet(lam=0.7, l1_ratio=0.4), (12,)),
    "l1, weights": (L1(lam=0.7, weights=[1.0, 2.0, 0.0, 0.5, 1.0, 3.0]), (6,)),
    "nonnegative l1": (NonnegativeL1(lam=0.7), (12,)),
    "nonnegative l1, weights": (NonnegativeL1(lam=0.7, weights=[1.0, 2.0, 0.0, 0.5, 1.0, 3.0]), (6,)),
    "mcp": (MCP(lam=0.7), (12,)),
    "mcp, weights": (MCP(lam=0.7, gamma=2.0, weights=[1.0, 2.0, 0.0, 0.5, 1.0, 3.0]), (6,)),
    "mcp, gamma small": (MCP(lam=0.7, gamma=0.1), (12,)),
    "mcp, rows": (MCP(lam=0.7, layout=Rows(1)), (4, 3)),
    "mcp, lists": (MCP(lam=0.7, gamma=1.5, layout=Groups([[0, 5], [4, 1, 2], [3]]), weights=[1.0, 0.5, 2.0]), (6,)),
    "mcp, spectrum": (MCP(lam=0.7, layout=Spectrum()), (4, 3)),
    "scad": (SCAD(lam=0.7), (12,)),
    "scad, weights": (SCAD(lam=0.7, a=2.5, weights=[1.0, 2.0, 0.0, 0.5, 1.0, 3.0]), (6,)),
    "scad, columns": (SCAD(lam=0.7, layout=Rows(0)), (4, 3)),
    "scad, spectrum": (SCAD(lam=0.7, layout=Spectrum(), weights=[2.0, 2.0, 2.0]), (4, 3)),
    "l0": (L0(lam=0.7), (12,)),
    "l0, lists": (L0(lam=0.7, layout=Groups([[0, 5], [4, 1, 2], [3]]), weights=[1.0, 0.5, 2.0]), (6,)),
    "l0, spectrum": (L0(lam=4.0, layout=Spectrum()), (4, 3)),
    "capped l1": (CappedL1(lam=0.7, gamma=1.0), (12,)),
    "capped l1, rows": (CappedL1(lam=0.7, gamma=1.0, layout=Rows(1), weights=[1.0, 2.0, 0.5, 0.0]), (4, 3)),
    "l1/2": (LHalf(lam=0.7), (12,)),
    "l1/2, rows": (LHalf(lam=0.7, layout=Rows(1), weights=[1.0, 2.0, 0.5, 0.0]), (4, 3)),
    "l1/2, spectrum": (LHalf(lam=0.7, layout=Spectrum()), (4, 3)),
    "l2/3": (LTwoThirds(lam=0.7), (12,)),
    "l2/3, columns": (LTwoThirds(lam=0.7, layout=Rows(0), weights=[1.0, 0.5, 2.0]), (4, 3)),
    "log sum": (LogSum(lam=0.7, epsilon=1.0), (12,)),
    "log sum, epsilon small": (LogSum(lam=0.7, epsilon=0.1, weights=[1.0, 2.0, 0.0, 0.5, 1.0, 3.0]), (6,)),
    "log sum, rows": (LogSum(lam=0.7, epsilon=0.5, layout=Rows(1)), (4, 3)),
    "box": (Box(-0.5, 1.5), (12,)),
    "box, nonnegative": (Box.nonnegative(), (12,)),
    "binary": (DiscreteSet.binary(0.7), (12,)),
    "ternary": (DiscreteSet.ternary(), (12,)),
    "grid of levels": (DiscreteSet.uniform(-1.0, 2.0, 7), (12,)),
    "group lasso, rows": (GroupLasso(lam=0.4, axis=-1), (4, 3)),
    "group lasso, columns": (GroupLasso(lam=0.4, axis=0), (3, 4)),
    "group lasso, channels": (GroupLasso(lam=0.4, axis=(0, 2, 3)), (2, 3, 2, 1)),
    "group lasso, labels": (GroupLasso(lam=0.4, groups=[2, 0, 1, 1, 0, 2, 2, 2, 1, 0, 0, 1]), (12,)),
    "group lasso, lists": (
        GroupLasso(lam=0.7, groups=[[0, 5], [4, 1, 2], [3]], weights=[1.0, 0.5, 0.0]),
        (6,),
    ),
    "sparse group lasso, rows": (SparseGroupLasso(lam=0.7, l1_ratio=0.4, axis=1), (3, 4)),
    "sparse group lasso, lists": (
        SparseGroupLasso(lam=0.7, l1_ratio=0.6, groups=[[0, 5], [4, 1, 2], [3], [6]], weights=[1.0, 0.5, 0.0, 2.0]),
        (7,),
    ),
    "sparse group lasso, all l1": (SparseGroupLasso(lam=0.7, l1_ratio=1.0, axis=0), (4, 3)),
    "sparse group lasso, no l1": (SparseGroupLasso(lam=0.4, l1_ratio=0.0, axis=0), (4, 3)),
    "exclusive lasso": (ExclusiveLasso(lam=0.2), (12,)),
    "exclusive lasso, columns": (ExclusiveLasso(lam=0.7, layout=Rows(0)), (4, 3)),
    "exclusive lasso, lists": (ExclusiveLasso(lam=2.0, layout=Groups([[0, 5, 6, 7], [4, 1, 2], [3]])), (8,)),
    "group max": (GroupMax(lam=2.0), (12,)),
    "group max, columns": (GroupMax(lam=0.7, layout=Rows(0)), (4, 3)),
    "group max, lists": (
        GroupMax(lam=0.7, layout=Groups([[0, 5, 6], [4, 1, 2], [3], [7]]), weights=[1.0, 0.5, 2.0, 0.0]),
        (8,),
    ),
    "slope": (Slope.benjamini_hochberg(12, lam=0.4, q=0.2), (12,)),
    "slope, oscar columns": (Slope.oscar(4, l1=0.1, pairwise=0.2, layout=Rows(0)), (4, 3)),
    "slope, lists": (Slope(lam=0.7, weights=[2.0, 1.0, 1.0, 0.0], layout=Groups([[0, 5, 6, 7], [4, 1, 2], [3]])), (8,)),
    "slope, norms": (Slope(lam=0.7, weights=[2.0, 1.0, 0.5, 0.5], layout=Norms(Rows(0))), (3, 4)),
    "slope, spectrum": (Slope(lam=0.7, weights=[2.0, 0.5, 0.1], layout=Spectrum()), (4, 3)),
    "simplex": (Simplex(), (12,)),
    "simplex, columns": (Simplex(radius=2.0, layout=Rows(0)), (4, 3)),
    "simplex, lists": (Simplex(radius=0.5, layout=Groups([[0, 5, 6, 7], [4, 1, 2], [3]])), (8,)),
    "l1 ball": (L1Ball(radius=2.0), (12,)),
    "l1 ball, columns": (L1Ball(radius=0.7, layout=Rows(0)), (4, 3)),
    "l1 ball, lists": (L1Ball(radius=0.7, layout=Groups([[0, 5, 6, 7], [4, 1, 2], [3]])), (8,)),
    "l1 ball, norms": (L1Ball(radius=2.0, layout=Norms(Rows(0))), (3, 4)),
    "l1 ball, spectrum": (L1Ball(radius=2.0, layout=Spectrum()), (4, 3)),
    "l2 ball, columns": (L2Ball(radius=0.7, layout=Rows(0)), (4, 3)),
    "l2 ball, lists": (L2Ball(radius=0.7, layout=Groups([[0, 5, 6, 7], [4, 1, 2], [3]])), (8,)),
    "l2 ball, one point": (L2Ball(radius=0.0), (8,)),
    "k-support": (KSupport(lam=0.7, k=3), (9,)),
    "k-support, columns": (KSupport(lam=0.7, k=2, layout=Rows(0)), (4, 3)),
    "k-support, lists": (KSupport(lam=0.7, k=2, layout=Groups([[0, 5, 6, 7], [4, 1, 2], [3]])), (8,)),
    "k-support, norms": (KSupport(lam=0.7, k=2, layout=Norms(Rows(0))), (3, 4)),
    "k-support, spectrum": (KSupport(lam=0.7, k=2, layout=Spectrum()), (4, 3)),
    "sparse envelope": (SparseEnvelope(lam=0.7, k=3), (12,)),
    "sparse envelope, rows": (SparseEnvelope(lam=0.7, k=2, layout=Rows(1)), (3, 4)),
    "sparse envelope, weights": (SparseEnvelope(lam=0.7, k=2, weights=[1.0, 2.0, 0.0, 0.5, 1.0, 3.0]), (6,)),
    "sparse envelope, spectrum": (SparseEnvelope(lam=0.7, k=2, layout=Spectrum()), (4, 3)),
    "group sparse envelope, columns": (GroupSparseEnvelope(lam=0.7, k=2, axis=0), (3, 4)),
    "group sparse envelope, lists": (
        GroupSparseEnvelope(lam=0.7, k=2, groups=[[0, 5], [4, 1, 2], [3], [6, 7]], weights=[1.0, 0.5, 2.0, 0.0]),
        (8,),
    ),
    "total variation": (TotalVariation(lam=0.7), (12,)),
    "total variation, columns": (TotalVariation(lam=0.4, axis=0), (4, 3)),
    "fused lasso": (FusedLasso(lam=0.7, l1_ratio=0.4), (12,)),
    "fused lasso, columns": (FusedLasso(lam=0.4, axis=0, l1_ratio=0.3), (4, 3)),
    "tree groups": (
        TreeGroupLasso(
            lam=0.2,
            groups=[[*range(12)], [*range(6)], [*range(6, 12)], [0, 1, 2], [3, 4], [6, 7, 8, 9], [8, 9], [2]],
        ),
        (12,),
    ),
    "tree groups, weights": (
        TreeGroupLasso(
            lam=0.3, groups=[[2], [0, 5, 2], [5, 2], [7, 1], [4, 3, 8, 9]], weights=[0.5, 1.0, 2.0, 0.0, 1.5]
        ),
        (10,),
    ),
    "overlapping groups": (
        OverlappingGroupLasso(lam=0.4, groups=[[0, 1, 2, 3], [3, 4, 5, 6], [6, 7, 8, 9], [9, 10, 11]]),
        (12,),
    ),
    "overlapping groups, weights": (
        OverlappingGroupLasso(
            lam=0.3,
            groups=[[0, 1, 2], [2, 3, 4, 5], [1, 5], [1, 5], [6], [0, 6, 7], [2, 6, 8], [8, 7]],
            weights=[1.0, 0.5, 2.0, 0.7, 0.2, 1.5, 0.0, 1.0],
        ),
        (10,),
    ),
    "overlapping groups, disjoint": (
        OverlappingGroupLasso(lam=0.4, groups=[[0, 5, 7], [1, 2], [3, 4, 6, 8, 9, 10], [11]]),
        (12,),
    ),
    "latent groups": (
        LatentGroupLasso(lam=0.4, groups=[[0, 1, 2, 3], [3, 4, 5, 6], [6, 7, 8, 9], [9, 10, 11]]),
        (12,),
    ),
    "latent groups, weights": (
        LatentGroupLasso(
            lam=0.7,
            groups=[[0, 1, 2], [2, 3, 4, 5], [1, 5], [6], [0, 6, 7], [2, 6, 8], [8, 7], [9]],
            weights=[1.0, 0.5, 2.0, 0.2, 1.5, 0.7, 1.0, 0.0],
        ),
        (10,),
    ),
    "nuclear": (Nuclear(lam=0.7), (4, 3)),
    "top-k": (TopK(4), (12,)),
    "top-k, rows": (TopK(2, Rows(1)), (4, 3)),
    "top-k, groups": (TopK(2, Groups([[0, 5, 7, 8], [4, 1, 2, 9, 11], [3], [10, 6]])), (12,)),
    "top-k, norms": (TopK(2, Norms(Rows(0))), (3, 4)),
    "top-k, spectrum": (TopK(2, Spectrum()), (4, 3)),
    "trimmed l1": (TrimmedL1(0.7, k=3), (12,)),
    "trimmed l1, rows": (TrimmedL1(0.7, 1, Rows(0)), (4, 3)),
    "trimmed l1, groups": (TrimmedL1(0.7, 1, Groups([[0, 5, 7, 8], [4, 1, 2, 9, 11], [3], [10, 6]])), (12,)),
    "trimmed l1, norms": (TrimmedL1(0.7, 1, Norms(Rows(0))), (3, 4)),
    "trimmed l1, spectrum": (TrimmedL1(0.7, 1, Spectrum()), (4, 3)),
    "N:M, 2:4": (NM(2, 4), (12,)),
    "N:M, 1:3 along columns": (NM(1, 3, axis=0), (6, 2)),
    "N:M, 2:4 with a decaying mask": (NM(2, 4, lam=0.7), (3, 4)),
    "2:4 regularizer": (TwoFour(0.7), (12,)),
    "2:4 regularizer along columns": (TwoFour(0.1, axis=0), (4, 3)),
    "blocks": (
        Blocks(
            (
                Block("weight", (3, 2), GroupLasso(lam=0.4, axis=0)),
                Block("bias", (3,)),
                Block("matrix", (2, 2), L1(lam=0.7)),
            )
        ),
        (13,),
    ),
}

__all__ = [
    "L0",
    "L1",
    "MCP",
    "NM",
    "REGISTRY",
    "SCAD",
    "Block",
    "Blocks",
    "Box",
    "CappedL1",
    "CertifiedProx",
    "CertifiedValue",
    "DiscreteSet",
    "ElasticNet",
    "ExclusiveLasso",
    "FusedLasso",
    "GroupLasso",
    "GroupMax",
    "GroupSparseEnvelope",
    "KSupport",
    "L1Ball",
    "L2Ball",
    "LHalf",
    "LTwoThirds",
    "LatentGroupLasso",
    "Levels",
    "LogSum",
    "Manifold",
    "NonnegativeL1",
    "NotConverged",
    "Nuclear",
    "OverlappingGroupLasso",
    "Rank",
    "Regularizer",
    "Simplex",
    "Slope",
    "SparseEnvelope",
    "SparseGroupLasso",
    "Support",
    "TopK",
    "TotalVariation",
    "TreeGroupLasso",
    "TrimmedL1",
    "TwoFour",
    "WholeSpace",
    "Zero",
]
