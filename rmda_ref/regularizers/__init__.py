"""Regularizers, one a file. A new one is added in three places: its kernel, its class, and `REGISTRY`."""

from rmda_ref.regularizers.base import Regularizer
from rmda_ref.regularizers.blocks import Block, Blocks
from rmda_ref.regularizers.elastic_net import ElasticNet
from rmda_ref.regularizers.group_lasso import GroupLasso
from rmda_ref.regularizers.l1 import L1
from rmda_ref.regularizers.manifold import Manifold, Rank, Support, WholeSpace
from rmda_ref.regularizers.nuclear import Nuclear
from rmda_ref.regularizers.zero import Zero

# One example a regularizer and layout, with the shape of a parameter it fits: what the laws run over.
REGISTRY: dict[str, tuple[Regularizer, tuple[int, ...]]] = {
    "zero": (Zero(), (12,)),
    "l1": (L1(lam=0.7), (12,)),
    "elastic net": (ElasticNet(lam=0.7, l1_ratio=0.4), (12,)),
    "group lasso, rows": (GroupLasso(lam=0.4, axis=-1), (4, 3)),
    "group lasso, columns": (GroupLasso(lam=0.4, axis=0), (3, 4)),
    "group lasso, channels": (GroupLasso(lam=0.4, axis=(0, 2, 3)), (2, 3, 2, 1)),
    "group lasso, labels": (GroupLasso(lam=0.4, groups=[2, 0, 1, 1, 0, 2, 2, 2, 1, 0, 0, 1]), (12,)),
    "group lasso, lists": (
        GroupLasso(lam=0.7, groups=[[0, 5], [4, 1, 2], [3]], weights=[1.0, 0.5, 0.0]),
        (6,),
    ),
    "nuclear": (Nuclear(lam=0.7), (4, 3)),
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
    "L1",
    "REGISTRY",
    "Block",
    "Blocks",
    "ElasticNet",
    "GroupLasso",
    "Manifold",
    "Nuclear",
    "Rank",
    "Regularizer",
    "Support",
    "WholeSpace",
    "Zero",
]
