"""The panels of signals and matrices: add an operator of ordered entries, of a spectrum or of blocks here."""

import numpy as np

from rmda_ref.layout import Spectrum
from rmda_ref.regularizers import MCP, NM, FusedLasso, KSupport, Nuclear, SparseEnvelope, TopK, TotalVariation, TwoFour
from validation.gallery.lines import mcp
from validation.gallery.signal import (
    Array,
    OfBlocks,
    OfRow,
    OfSignal,
    OfSpectrum,
    Panel,
    best_of,
    by_grid,
    each,
    envelope,
    k_support,
    largest,
)

SIGNALS: tuple[Panel, ...] = (
    OfSignal(TotalVariation(1.0), "constant pieces", differences=1.0),
    OfSignal(FusedLasso(1.2, l1_ratio=0.25), "constant pieces, or 0", differences=0.9, entries=0.3),
    OfRow(KSupport(1.5, 3), "k = 3: large ones scaled", k_support(3, 1.5)),
    OfRow(SparseEnvelope(0.5, 3), "k = 3: half a square norm", envelope(3, 0.5)),
    OfSpectrum(Nuclear(0.8), "all shrunk alike", each(lambda z: 0.8 * z)),
    OfSpectrum(MCP(0.8, 2.0, layout=Spectrum()), "large ones stay", each(lambda z: mcp(z, 0.8, 2.0))),
    OfSpectrum(TopK(3, Spectrum()), "the nearest matrix of rank 3", largest(3)),
    OfBlocks(NM(2, 4), "two of each four stay", best_of(2)),
    OfBlocks(NM(2, 4, lam=1.0), "decaying mask: half is left", best_of(2, 1 / 2)),
    OfBlocks(TwoFour(0.25), "shrunk towards 2:4", by_grid(lambda u: triples(u, 0.25))),
)


def triples(u: Array, lam: float) -> Array:
    """The sum of the products of any three of four magnitudes."""
    a, b, c, d = u[0], u[1], u[2], u[3]
    return np.asarray(lam * (a * b * c + b * c * d + c * d * a + d * a * b))
