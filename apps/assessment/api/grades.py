"""A grade as the API takes it, handed to the service that fits."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from apps.assessment.models import AssessmentResult
from apps.assessment.rules.rubrics import LevelChoice
from apps.assessment.services import record_grade, record_rubric_grade
from apps.contacts.models import Contact


def record(
    attempt_id: UUID, item_id: UUID, given: dict[str, Any], *, grader: Contact, at: datetime
) -> AssessmentResult:
    """Return the result after the grade; `given` is what GradeSerializer has checked."""
    common: dict[str, Any] = {
        "attempt_id": attempt_id,
        "item_id": item_id,
        "grader": grader,
        "expected_revision": given["expected_revision"],
        "feedback": given["feedback"],
        "reason": given["reason"],
        "at": at,
    }
    if "levels" not in given:
        return record_grade(score=given["score"], **common)
    choices = {
        level["criterion"]: LevelChoice(level["level"], level["comment"])
        for level in given["levels"]
    }
    return record_rubric_grade(choices=choices, **common)
