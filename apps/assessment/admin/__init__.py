"""Back office of assessment: authoring, banks, terms, the grading queue, attempts, results."""

from apps.assessment.admin.attempts import AttemptAdmin, ReleaseAdmin, ResultAdmin
from apps.assessment.admin.authoring import AssessmentAdmin, AssessmentVersionAdmin, PlacementAdmin
from apps.assessment.admin.gradebook import GradebookAdmin
from apps.assessment.admin.grading import GradingAdmin
from apps.assessment.admin.questions import BankItemAdmin, ItemAdmin, QuestionBankAdmin
from apps.assessment.admin.rubrics import RubricAdmin
from apps.assessment.admin.terms import AccommodationAdmin, WindowAdmin

__all__ = [
    "AccommodationAdmin",
    "AssessmentAdmin",
    "AssessmentVersionAdmin",
    "AttemptAdmin",
    "BankItemAdmin",
    "GradebookAdmin",
    "GradingAdmin",
    "ItemAdmin",
    "PlacementAdmin",
    "QuestionBankAdmin",
    "ReleaseAdmin",
    "ResultAdmin",
    "RubricAdmin",
    "WindowAdmin",
]
