"""What can be proved of a run: a support that stays for ever, a trajectory without rounding."""

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
