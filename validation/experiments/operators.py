"""Every regularizer: fifteen laws, and another method's prox.

The table has a row for each example of the registry, so that every layout an operator supports is there. A law is
tried on random points (generic, sparse, tied, zero) in float32 and float64; what is shown is whether it held on every
one. The oracle finds the prox by another method (dense grid, enumeration, convex program, bisection, …) with psi
written apart from the library; what is shown is how far the prox objective of the library lies above the oracle's.
"""

from rmda_ref.crosscheck.mutants import Implementation
from rmda_ref.regularizers import REGISTRY
from rmda_ref.testing.laws import LAWS
from validation.claim import Check, Claim, Measurement, Setting, Table
from validation.gallery import galleries
from validation.operators import Judged, Lawful, ask_oracle, try_laws
from validation.oracles.operators import ORACLES

# quick, full, exhaustive
EXAMPLES = (4, 100, 1000)  # of a law: generic and sparse points in both dtypes, at least; the tests try more
ASKED = (4, 100, 1000)


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    lawful: dict[str, Lawful] = {}
    judged: dict[str, Judged] = {}
    n_examples, n_asked = setting.size(*EXAMPLES), setting.size(*ASKED)
    for place, (name, (regularizer, shape)) in enumerate(REGISTRY.items()):
        lawful[name] = try_laws(regularizer, shape, n_examples, setting.seed)
        setting.progress((place + 0.5) / len(REGISTRY))
        if name in ORACLES:
            judged[name] = ask_oracle(name, regularizer, shape, n_asked, setting.seed)
        setting.progress((place + 1) / len(REGISTRY))
    checks = (*_law_checks(lawful), *_oracle_checks(judged))
    complaints = [f"{name}, {found.complaint}" for name, found in lawful.items() if found.complaint]
    tables = (_laws_table(lawful, judged), _legend())
    return Measurement(checks, galleries=galleries(), tables=tables, note="; ".join(complaints))


def _law_checks(lawful: dict[str, Lawful]) -> list[Check]:
    checks = []
    for law in LAWS:
        found = {name: result.excess[law.name] for name, result in lawful.items()}
        applied = {name: value for name, value in found.items() if value is not None}
        worst = max(applied, key=lambda name: applied[name])
        checks.append(Check.at_most(f"{law.name}, {len(applied)} examples: worst {worst}", applied[worst], 1.0))
    return checks


def _oracle_checks(judged: dict[str, Judged]) -> list[Check]:
    """Deviations over their allowance, so that examples of unlike allowance share a check."""
    above = {name: found.above / found.allowed_above for name, found in judged.items()}
    below = {name: found.below / found.resolution for name, found in judged.items()}
    values = {name: found.value_error for name, found in judged.items()}
    unanswered = sum(found.n_examples - found.n_answered for found in judged.values())
    asked = sum(found.n_examples for found in judged.values())
    worst = [max(deviations, key=lambda name: deviations[name]) for deviations in (above, below, values)]
    return [
        Check.at_most(f"objective above the oracle's, over its allowance: worst {worst[0]}", above[worst[0]], 1.0),
        Check.at_most(f"oracle's above it, over its resolution: worst {worst[1]}", below[worst[1]], 1.0),
        Check.at_most(f"psi against psi written apart: worst {worst[2]}", values[worst[2]], VALUE_BAR),
        Check.at_most(f"share of {asked} questions that a solver left unanswered", unanswered / asked, UNANSWERED),
        Check("examples with an oracle", len(REGISTRY), len(judged), len(REGISTRY), len(REGISTRY)),
    ]


UNANSWERED = 1e-3  # interior point methods stall at some degenerate points
VALUE_BAR = 1e-6  # of a psi that is itself the value of a convex program; the others agree to rounding


def _mark(excess: float | None) -> str:
    return "·" if excess is None else ("✓" if excess <= 1 else "✗")


def _laws_table(lawful: dict[str, Lawful], judged: dict[str, Judged]) -> Table:
    rows = []
    for name, found in lawful.items():
        oracle = judged.get(name)
        marks = "".join(_mark(excess) for excess in found.excess.values())
        told = (oracle.method, oracle.n_answered, f"{max(oracle.above, 0):.1e}") if oracle else ("none", 0, "")
        rows.append((name, marks, found.n_examples, *told))
    return Table(("operator", "laws 1-15", "examples a law", "oracle", "answers", "worst above"), tuple(rows))


def _legend() -> Table:
    rows = tuple((number, law.name, law.statement) for number, law in enumerate(LAWS, 1))
    return Table(("law", "name", "what must hold (✓ held, ✗ failed, · is no law for this psi)"), rows)


CLAIM = Claim(
    id="operators",
    title="Every regularizer: laws and oracles",
    statement=(
        "Each regularizer, in each layout it supports, satisfies the laws of its kind: its prox is a global minimiser "
        "for every step, tied to its value, its conjugate and its subdifferential; its zeros, ranks and levels are "
        "exact; it has the symmetries that psi has; it is the same compiled and interpreted. Its prox objective is "
        "that of another method."
    ),
    source="shared list of operators; each class names its own",
    bar=(
        "Laws: the rounding of some dozens of operations and one sum a row, 256 units in the last place of the largest "
        "operand. Oracles: their objective can only lie above the minimum, up to rounding (1e-11) or to the tolerance "
        "at which a solver satisfies its constraints; how far above is their resolution. The points are random, and no "
        "bound is known on the probability that one asks more than that."
    ),
    measure=measure,
    theorems=("regularizers",),
    every_operator=True,
)
