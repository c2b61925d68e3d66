"""Tables of requirements, by noun."""

from apps.requirements.models.decisions import (
    RequirementEvaluation,
    RequirementEvidenceLink,
    pointer_field,
)
from apps.requirements.models.people import (
    EnrollmentStanding,
    RequirementAssignment,
    SignOff,
    SignOffStatus,
    Waiver,
    WaiverStatus,
)
from apps.requirements.models.sets import (
    Purpose,
    RequirementEdge,
    RequirementNode,
    RequirementSet,
    RequirementSetVersion,
)

__all__ = [
    "EnrollmentStanding",
    "Purpose",
    "RequirementAssignment",
    "RequirementEdge",
    "RequirementEvaluation",
    "RequirementEvidenceLink",
    "RequirementNode",
    "RequirementSet",
    "RequirementSetVersion",
    "SignOff",
    "SignOffStatus",
    "Waiver",
    "WaiverStatus",
    "pointer_field",
]
