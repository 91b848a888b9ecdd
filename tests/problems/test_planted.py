"""Planted problems prove their solution; a wrong one does not get through."""

import copy

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit

from problems import MLP, Planted, PopulationLogistic, Quadratic, TeacherStudent, logistic, subgradient
from rmda_ref import L1, Block, Blocks, ElasticNet, GroupLasso, Nuclear, Rank
from rmda_ref.certificates.margin import margin

NETWORK = MLP((4, 3, 2), "tanh", "squared")


def sparse(shape, rng):
    w = 2 * rng.standard_normal(shape)
    w[..., 1::2] = 0
    return w


def examples():
    rng = np.random.default_rng(0)
    low_rank = rng.standard_normal((5, 2)) @ rng.standard_normal((2, 4))
    teacher = NETWORK.initial(rng)
    NETWORK.unflatten(teacher)["layer1.weight"][:, 2:] = 0
    first, *others = NETWORK.blocks
    columns = Blocks((Block(*first, GroupLasso(0.2, axis=0)), *(Block(*block) for block in others)))
    return {
        "lasso": (Quadratic.correlated(sparse(6, rng), 0.5, noise=0.3), L1(0.7)),
        "group lasso": (Quadratic.correlated(sparse((3, 6), rng), 0.5, noise=0.3), GroupLasso(0.7, axis=0)),
        "nuclear": (Quadratic.correlated(low_rank, 0.5, noise=0.3), Nuclear(0.7)),
        "logistic": (PopulationLogistic(sparse(4, rng), batch_size=3), L1(0.05)),
        "network": (TeacherStudent(NETWORK, teacher, keep=0.8, label_noise=0.3), columns),
    }


EXAMPLES = examples()
MARGIN = 0.02


@pytest.fixture(params=EXAMPLES)
def problem(request):
    return Planted.with_margin(*EXAMPLES[request.param], MARGIN, np.random.default_rng(1))


def least_gap(problem):
    """The least F(w) - F(W*) at points near and far, beyond rounding."""
    rng = np.random.default_rng(2)
    points = (
        problem.solution + size * rng.standard_normal(problem.solution.shape)
        for size in (1e-3, 1e-1, 1.0, 10.0)
        for _ in range(20)
    )
    return min(map(problem.objective, points)) - problem.optimal_value + 1e-12 * (1 + abs(problem.optimal_value))


def with_tilt(problem, tilt):
    """The problem with another tilt, unchecked."""
    wrong = copy.copy(problem)
    object.__setattr__(wrong, "tilt", tilt)
    return wrong


def test_the_solution_is_a_global_minimum(problem):
    """And is not one under a tilt that is no subgradient."""
    assert least_gap(problem) >= 0
    assert least_gap(with_tilt(problem, 3 * problem.tilt)) < 0


def test_the_margin_is_as_asked(problem):
    """The inactive part of the tilt may grow by the margin and stay a subgradient, but not by more."""
    psi, solution = problem.regularizer, problem.solution
    smaller = subgradient(psi, solution, 2 * MARGIN, np.random.default_rng(1))
    outwards = (problem.tilt - smaller) / MARGIN  # one unit of the dual norm on each inactive part
    assert psi.subdiff_distance(solution, problem.tilt + 0.99 * MARGIN * outwards) < 1e-13
    assert psi.subdiff_distance(solution, problem.tilt + 1.01 * MARGIN * outwards) > 0.009 * MARGIN
    assert problem.margin == pytest.approx(MARGIN, rel=1e-10)
    assert with_tilt(problem, smaller).margin == pytest.approx(2 * MARGIN, rel=1e-10)


def test_margins_by_hand():
    """Groups of unlike strength; nothing inactive; degenerate."""
    psi = GroupLasso(1.0, groups=[[0], [1, 2], [3]], weights=[1.0, 2.0, 3.0])
    w = np.array([1.0, 0.0, 0.0, 0.0])
    assert margin(psi, w, np.array([1.0, 0.3, 0.4, 1.0])) == 1.5
    assert margin(psi, w, np.array([1.0, 0.0, 2.0, 1.0])) == 0
    assert margin(L1(1.0), np.ones(2), np.ones(2)) == np.inf
    with pytest.raises(TypeError, match="no margin is known for ElasticNet"):
        margin(ElasticNet(1.0), np.zeros(2), np.zeros(2))


def test_exact_gradient_by_differences(problem):
    """Central differences: error h^2 times the third derivative, plus rounding over h; h = 1e-5 gives 1e-9 here."""
    rng = np.random.default_rng(3)
    w, direction = (rng.standard_normal(problem.solution.shape) for _ in range(2))

    def smooth(point):
        return problem.smooth.value(point)

    h = 1e-5
    slope = (smooth(w + h * direction) - smooth(w - h * direction)) / (2 * h)
    gradient = problem.smooth.gradient(w)
    assert slope == pytest.approx(float(np.sum(gradient * direction)), rel=1e-7, abs=1e-7)
    wrong = gradient + 1e-4 * np.sign(direction)
    assert slope != pytest.approx(float(np.sum(wrong * direction)), rel=1e-7, abs=1e-7)


@pytest.mark.parametrize("radius", [0.5, 3.0, 10.0, 15.0])
def test_the_logistic_curvature_by_adaptive_quadrature(radius):
    """Gauss-Hermite, which 150 nodes do not carry past radius 2, is the wrong rule that this refuses."""

    def integrand(z):
        return 2 * expit(radius * z) * expit(-radius * z) * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)

    exact, _ = quad(integrand, 0, min(12, 40 / radius), epsabs=0, epsrel=1e-13, limit=500)
    assert logistic._curvature(radius) == pytest.approx(exact, rel=1e-12)
    nodes, weights = np.polynomial.hermite_e.hermegauss(150)
    gauss = weights @ (expit(radius * nodes) * expit(-radius * nodes)) / weights.sum()
    assert (gauss == pytest.approx(exact, rel=1e-12)) == (radius < 2)


@pytest.mark.parametrize("name", ["lasso", "group lasso", "nuclear", "logistic"])
def test_the_oracle_is_unbiased(name):
    """Means of n = 20,000 within 6.5 standard errors: below 1e-9 for all entries together (Gaussian tail)."""
    problem = Planted.with_margin(*EXAMPLES[name], MARGIN, np.random.default_rng(1))
    rng = np.random.default_rng(4)
    w = problem.solution + 0.1
    samples = np.array([problem.noisy_gradient(w, rng) for _ in range(20_000)])
    error = np.abs(samples.mean(axis=0) - problem.gradient(w)) / (samples.std(axis=0) / np.sqrt(len(samples)))
    assert error.max() < 6.5
    biased = np.abs(samples.mean(axis=0) + 0.05 - problem.gradient(w)) / (samples.std(axis=0) / np.sqrt(len(samples)))
    assert biased.max() > 6.5


def test_dropout_and_label_noise_leave_the_teacher_optimal():
    """The mean stochastic gradient at the teacher is zero, within 6.5 standard errors."""
    smooth = EXAMPLES["network"][0]
    rng = np.random.default_rng(5)
    samples = np.array([smooth.noisy_gradient(smooth.target, rng) for _ in range(5000)])
    deviation = samples.std(axis=0)
    assert deviation.max() > 0
    assert (np.abs(samples.mean(axis=0)) <= 6.5 * deviation / np.sqrt(len(samples))).all()
    assert np.abs(smooth.gradient(smooth.target)).max() == 0


def test_a_wrong_tilt_is_refused():
    smooth, psi = EXAMPLES["lasso"]
    right = subgradient(psi, smooth.target, MARGIN, np.random.default_rng(1))
    with pytest.raises(ValueError, match="tilt is no subgradient of psi at the target"):
        Planted(smooth, psi, 1.1 * right)
    with pytest.raises(ValueError, match="tilt is no subgradient"):
        Planted(smooth, psi, -right)
    with pytest.raises(ValueError, match="tilt has shape"):
        Planted(smooth, psi, right[:1])
    for bad in (np.nan, np.inf):
        with pytest.raises(ValueError, match="tilt must be finite"):
            Planted(smooth, psi, np.where(smooth.target == 0, bad, right))


def test_manifolds():
    problem = Planted.with_margin(*EXAMPLES["nuclear"], MARGIN, np.random.default_rng(1))
    assert problem.manifold == Rank(2)
    problem = Planted.with_margin(*EXAMPLES["group lasso"], MARGIN, np.random.default_rng(1))
    np.testing.assert_array_equal(problem.manifold.mask, [True, False] * 3)


def test_copies_have_their_own_noise_and_the_same_gradient():
    smooth = EXAMPLES["lasso"][0]
    w = np.zeros((3, 6))
    np.testing.assert_array_equal(smooth.gradient(w), np.tile(smooth.gradient(w[0]), (3, 1)))
    noisy = smooth.noisy_gradient(w, np.random.default_rng(0))
    assert not np.array_equal(noisy[0], noisy[1])
    assert smooth.value(w) == pytest.approx(3 * smooth.value(w[0]), rel=1e-14)


def test_lipschitz_constants():
    assert Quadratic(np.zeros(2), np.diag([1.0, 3.0])).lipschitz == pytest.approx(3.0, rel=1e-15)
    smooth = PopulationLogistic(np.array([1.0, 0.0]))
    steepest = np.linalg.norm(smooth.gradient(np.array([1e-4, 0.0])) - smooth.gradient(np.zeros(2))) / 1e-4
    assert steepest <= smooth.lipschitz == pytest.approx(steepest, rel=1e-6)  # attained at 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Quadratic(np.zeros(2), np.eye(3)), "hessian has shape"),
        (lambda: Quadratic(np.zeros(2), np.array([[1.0, 1.0], [0.0, 1.0]])), "must be symmetric"),
        (lambda: Quadratic(np.zeros(2), -np.eye(2)), "negative eigenvalue"),
        (lambda: Quadratic(np.zeros(2), np.eye(2), -1.0), "noise must lie in"),
        (lambda: Quadratic(np.zeros(2), np.eye(2), np.inf), "noise must lie in"),
        (lambda: Quadratic(np.array([0.0, np.nan]), np.eye(2)), "target must be finite"),
        (lambda: PopulationLogistic(np.array([0.0, np.inf])), "target must be finite"),
        (lambda: PopulationLogistic(np.zeros((2, 2))), "must be a vector"),
        (lambda: PopulationLogistic(np.zeros(2), 0), "batch_size must be at least 1"),
        (lambda: TeacherStudent(MLP((2, 2)), np.zeros(6)), "needs the squared loss"),
        (lambda: TeacherStudent(NETWORK, np.zeros(3)), "network has 23 parameters"),
        (lambda: TeacherStudent(NETWORK, np.zeros(23), label_noise=-1.0), "label_noise must be at least 0"),
        (lambda: subgradient(L1(1.0), np.zeros(2), 1.5, np.random.default_rng(0)), r"margin must lie in \(0, 1\]"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_no_margin_for_other_regularizers():
    with pytest.raises(TypeError, match="no subgradient with a margin is known for ElasticNet"):
        subgradient(ElasticNet(1.0), np.zeros(2), 0.5, np.random.default_rng(0))
