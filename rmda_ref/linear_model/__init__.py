"""scikit-learn estimators of sparse linear models: RMDA finds the structure, Newton finishes, the gap proves it."""

from rmda_ref.linear_model.classifier import RMDAClassifier
from rmda_ref.linear_model.cross_validation import RMDAClassifierCV, RMDARegressorCV
from rmda_ref.linear_model.history import History, Record
from rmda_ref.linear_model.path import Path, alpha_max, rmda_path
from rmda_ref.linear_model.regressor import RMDARegressor

__all__ = [
    "History",
    "Path",
    "RMDAClassifier",
    "RMDAClassifierCV",
    "RMDARegressor",
    "RMDARegressorCV",
    "Record",
    "alpha_max",
    "rmda_path",
]
