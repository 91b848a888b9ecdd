"""The statements that the claims test, for the report's index: what each says, and where it stands.

Papers are cited by what is said there, not by the number of a theorem: we had no text at hand to check numbers against.
"""

from dataclasses import dataclass

__all__ = ["THEOREMS", "Theorem"]

_RMDA = "Huang & Lee, ICLR 2022 (arXiv 2112.02612)"


@dataclass(frozen=True)
class Theorem:
    """A statement, and where it is made; ``ours`` marks what no paper states, and is derived in this repository."""

    title: str
    statement: str
    where: str
    ours: bool = False


THEOREMS: dict[str, Theorem] = {
    "algorithm": Theorem(
        "Algorithm 1",
        "W~^t minimises <V^t, W> + alpha_t psi(W) + beta_t/2 ||W - W^0||^2, with V^t = sum s_i g_i, s_i = eta_i "
        "sqrt(i), alpha_t = sum s_i, beta_t = sqrt(t); W^t = (1 - c_t) W^{t-1} + c_t W~^t; a restart sets W^0 to "
        "W^t.",
        f"{_RMDA}, Algorithm 1",
    ),
    "dynamics": Theorem(
        "The iterates in closed form",
        "On quadratics the iterates follow a scalar recurrence: momentum with a pull to W^0, a start that is "
        "forgotten like 1/t, a Dawson function in the lazy limit, a stability edge at eta h = 4/c - 2.",
        "derived in validation/recurrences.py and the claims",
        ours=True,
    ),
    "variance": Theorem(
        "Variance reduction",
        "V^t/alpha_t, a weighted average of stochastic gradients, converges to the gradient at the limit without "
        "a finite sum and without extra gradients.",
        f"{_RMDA}, the section on variance reduction",
    ),
    "convergence": Theorem(
        "Convergence of the iterates",
        "Where the iterates converge, W~ converges to the same point, and it is stationary. Under noise a "
        "constant step size does not make W^t converge: averages do, and decreasing steps do.",
        f"{_RMDA}, the convergence analysis; for convex f also Xiao, JMLR 2010",
    ),
    "identification": Theorem(
        "Finite identification of the manifold",
        "If W~ converges to a nondegenerate stationary point at which psi is partly smooth, then after finitely "
        "many steps every W~^t lies on the manifold of that point.",
        f"{_RMDA}, the theorem on manifold identification; for RDA: Lee & Wright, JMLR 2012",
    ),
    "time": Theorem(
        "The law of the identification time",
        "For one inactive coordinate with margin delta under noise sigma, T0 delta^2/sigma^2 has a universal law: "
        "chi^2 with one degree for RDA, the first passage of Brownian motion over c u^(1/4) for RMDA.",
        "derived in rmda_ref/certificates/",
        ours=True,
    ),
    "no-identification": Theorem(
        "Proximal SGD does not identify",
        "With gradient noise above the margin proximal SGD leaves the manifold at a rate that no step size "
        "changes; with noise below the margin it identifies too.",
        f"{_RMDA}, its motivation; the rate is derived in the claims",
    ),
    "restarts": Theorem(
        "Stages",
        "A restart forgets V, alpha and t: each stage contracts, and identifies, anew.",
        f"{_RMDA}, the section on practical training; the rates are derived in the claims",
    ),
    "rda": Theorem(
        "Relation to RDA",
        "RMDA with step size eta/sqrt(t) and no momentum is RDA with gamma = 1/eta.",
        "Xiao, JMLR 2010, Algorithm 1",
    ),
    "ramda": Theorem(
        "RAMDA",
        "RMDA in the metric of the cube root of the weighted sum of squared gradients: same identification, and "
        "for one curvature the dynamics of RMDA with another step size.",
        "Huang & Lee, NeurIPS 2024 (arXiv 2403.14398)",
    ),
    "limits": Theorem(
        "What must not be promised",
        "Convergence under constant noise and step size, sparsity of W^t for c < 1, identification at margin 0 or "
        "across restarts, float32 without drift.",
        "derived in the claims",
        ours=True,
    ),
    "certificates": Theorem(
        "Certificates",
        "An anytime bound on the dual average certifies a support for ever; exact arithmetic certifies a "
        "trajectory; a tilt certifies a planted solution.",
        "derived in rmda_ref/certificates/ and problems/",
        ours=True,
    ),
    "regularizers": Theorem(
        "Proximal operators",
        "The prox of each regularizer is a global minimiser with the laws of its kind.",
        "each class names its own paper",
    ),
}
