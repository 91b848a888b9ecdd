"""Problems that know their answer, and data problems."""

from problems.augmentation import GaussianNoise, InputDropout, RandomShift
from problems.canonical_polyadic import CanonicalPolyadic
from problems.constant_target import ConstantTarget
from problems.data import DataError, DataSource, ImageData, load
from problems.image_network import ImageNetwork
from problems.logistic import PopulationLogistic
from problems.mlp import MLP
from problems.multinomial_regression import MultinomialRegression
from problems.plant import planted
from problems.planted import Planted
from problems.quadratic import Quadratic
from problems.teacher_student import TeacherStudent
from problems.tilt import subgradient
from problems.unrolled_ista import UnrolledISTA

__all__ = [
    "MLP",
    "CanonicalPolyadic",
    "ConstantTarget",
    "DataError",
    "DataSource",
    "GaussianNoise",
    "ImageData",
    "ImageNetwork",
    "InputDropout",
    "MultinomialRegression",
    "Planted",
    "PopulationLogistic",
    "Quadratic",
    "RandomShift",
    "TeacherStudent",
    "UnrolledISTA",
    "load",
    "planted",
    "subgradient",
]
