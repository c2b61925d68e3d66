"""Writes of this app, by noun; other apps import them from here."""

from apps.assessment.services.accommodations import end_accommodation, grant_accommodation
from apps.assessment.services.attempts import (
    GRADE,
    StartedAttempt,
    close_attempt,
    close_expired,
    start_attempt,
    submit_attempt,
)
from apps.assessment.services.authoring import archive_question, copy_from_bank, place_assessment
from apps.assessment.services.autosave import (
    Answer,
    SavedAnswer,
    save_response,
    save_responses,
)
from apps.assessment.services.grading import (
    grade_attempt,
    record_grade,
    record_rubric_grade,
)
from apps.assessment.services.imports import (
    import_gift,
    import_gift_into_version,
    preview_gift,
)
from apps.assessment.services.queue import (
    gradable_tasks,
    lease_next_task,
    lease_task,
    release_task,
)
from apps.assessment.services.releases import decide_attempt_release, decide_release
from apps.assessment.services.rubrics import RubricChanged, save_rubric
from apps.assessment.services.rulings import (
    override_result,
    void_attempt,
    withdraw_override,
)
from apps.assessment.services.windows import (
    change_window,
    open_window,
    remove_window,
)

__all__ = [
    "GRADE",
    "Answer",
    "RubricChanged",
    "SavedAnswer",
    "StartedAttempt",
    "archive_question",
    "change_window",
    "close_attempt",
    "close_expired",
    "copy_from_bank",
    "decide_attempt_release",
    "decide_release",
    "end_accommodation",
    "gradable_tasks",
    "grade_attempt",
    "grant_accommodation",
    "import_gift",
    "import_gift_into_version",
    "lease_next_task",
    "lease_task",
    "open_window",
    "override_result",
    "place_assessment",
    "preview_gift",
    "record_grade",
    "record_rubric_grade",
    "release_task",
    "remove_window",
    "save_response",
    "save_responses",
    "save_rubric",
    "start_attempt",
    "submit_attempt",
    "void_attempt",
    "withdraw_override",
]
