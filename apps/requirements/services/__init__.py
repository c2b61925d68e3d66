"""Writes about requirements: assignments, people's words, and the decisions themselves."""

from apps.requirements.services.assignments import (
    ForeignProgram,
    NotAssignable,
    assign_requirements,
    assign_to_enrollments,
    preview_assignment,
)
from apps.requirements.services.evaluations import evaluate_enrollment, evaluate_enrollments
from apps.requirements.services.signoffs import NotSignedOff, sign_off, withdraw_sign_off
from apps.requirements.services.waivers import NotWaived, waive, withdraw_waiver
from apps.requirements.services.words import NotRequired, OwnWork, ReasonMissing

__all__ = [
    "ForeignProgram",
    "NotAssignable",
    "NotRequired",
    "NotSignedOff",
    "NotWaived",
    "OwnWork",
    "ReasonMissing",
    "assign_requirements",
    "assign_to_enrollments",
    "evaluate_enrollment",
    "evaluate_enrollments",
    "preview_assignment",
    "sign_off",
    "waive",
    "withdraw_sign_off",
    "withdraw_waiver",
]
