"""Back office of requirements: graphs, learners' standings, decisions and what they rest on."""

from apps.requirements.admin.authoring import RequirementSetAdmin, RequirementSetVersionAdmin
from apps.requirements.admin.decisions import (
    RequirementAssignmentAdmin,
    RequirementEvaluationAdmin,
    SignOffAdmin,
    WaiverAdmin,
)
from apps.requirements.admin.standings import EnrollmentStandingAdmin

__all__ = [
    "EnrollmentStandingAdmin",
    "RequirementAssignmentAdmin",
    "RequirementEvaluationAdmin",
    "RequirementSetAdmin",
    "RequirementSetVersionAdmin",
    "SignOffAdmin",
    "WaiverAdmin",
]
