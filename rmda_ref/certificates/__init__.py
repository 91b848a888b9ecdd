"""What can be said of a run: since when it is on a manifold, when it will be, that it stays; and all of it, exactly."""

from rmda_ref.certificates.exact import ExactStep, exact_trajectory, supports_agree, ulps
from rmda_ref.certificates.identification import IdentificationTracker, StageReport
from rmda_ref.certificates.identification_time import (
    IdentificationPrediction,
    TimeLaw,
    first_passage,
    predict_identification,
    rda_law,
    rmda_law,
)
from rmda_ref.certificates.schur import SchurCertificate, SchurState
from rmda_ref.certificates.support import SupportCertificate, SupportState, anytime_radius, best_rho

__all__ = [
    "ExactStep",
    "IdentificationPrediction",
    "IdentificationTracker",
    "SchurCertificate",
    "SchurState",
    "StageReport",
    "SupportCertificate",
    "SupportState",
    "TimeLaw",
    "anytime_radius",
    "best_rho",
    "exact_trajectory",
    "first_passage",
    "predict_identification",
    "rda_law",
    "rmda_law",
    "supports_agree",
    "ulps",
]
