"""The oracle of each example of the registry of regularizers."""

from validation.oracles import convex_rows, counts, envelopes, hierarchies, scalar_penalties, variation
from validation.oracles.oracle import Oracle

ORACLES: dict[str, Oracle] = {
    **scalar_penalties.ORACLES,
    **convex_rows.ORACLES,
    **counts.ORACLES,
    **envelopes.ORACLES,
    **hierarchies.ORACLES,
    **variation.ORACLES,
}
