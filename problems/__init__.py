"""Problems that know their answer, and data problems."""

from problems.augmentation import GaussianNoise, InputDropout, RandomShift
from problems.data import DataError, DataSource, ImageData, load
from problems.logistic import PopulationLogistic
from problems.mlp import MLP
from problems.multinomial_regression import MultinomialRegression
from problems.plant import planted
from problems.planted import Planted
from problems.quadratic import Quadratic
from problems.teacher_student import TeacherStudent
from problems.tilt import subgradient

__all__ = [
    "MLP",
    "DataError",
    "DataSource",
    "GaussianNoise",
    "ImageData",
    "InputDropout",
    "MultinomialRegression",
    "Planted",
    "PopulationLogistic",
    "Quadratic",
    "RandomShift",
    "TeacherStudent",
    "load",
    "planted",
    "subgradient",
]
