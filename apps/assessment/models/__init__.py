"""Tables of assessment, by noun."""

from apps.assessment.models.attempts import (
    Accommodation,
    AssessmentAttempt,
    AssessmentResponse,
    AssessmentWindow,
    CohortGradebook,
    ResponseRevision,
)
from apps.assessment.models.banks import BankItem, QuestionBank
from apps.assessment.models.grading import (
    AssessmentResult,
    GradingEvent,
    GradingTask,
    ResultRelease,
)
from apps.assessment.models.templates import (
    AssessmentItem,
    AssessmentPlacement,
    AssessmentTemplate,
    AssessmentVersion,
    Rubric,
    RubricCriterion,
    RubricLevel,
)

__all__ = [
    "Accommodation",
    "AssessmentAttempt",
    "AssessmentItem",
    "AssessmentPlacement",
    "AssessmentResponse",
    "AssessmentResult",
    "AssessmentTemplate",
    "AssessmentVersion",
    "AssessmentWindow",
    "BankItem",
    "CohortGradebook",
    "GradingEvent",
    "GradingTask",
    "QuestionBank",
    "ResponseRevision",
    "ResultRelease",
    "Rubric",
    "RubricCriterion",
    "RubricLevel",
]
