"""What can happen to a learner: the types of progress events, and what each one carries."""

from __future__ import annotations


class EventType:
    """The types that this platform writes. Others are kept as they come, so this is no closed set.

    Items: `entity` is the module item; the payload may carry `time_spent` (seconds). Assessments:
    `entity` is the attempt, the payload carries `assessment` (the template's id) and
    `module_items` (the ids of the items where it is placed). Of several assessment events about
    one attempt the latest counts, so a void or a regrade undoes an earlier pass.
    Modules: `entity` is the module of the pinned course version. Courses: the event's `course`.
    """

    INVITED = "invited"
    WAITLISTED = "waitlisted"
    ENROLLED = "enrolled"
    UNENROLLED = "unenrolled"
    ENROLLMENT_ENDED = "enrollment_ended"
    PROMOTION_NOTIFIED = "promotion_notified"

    ITEM_STARTED = "item_started"
    ITEM_COMPLETED = "item_completed"

    MODULE_STARTED = "module_started"
    MODULE_COMPLETED = "module_completed"
    MODULE_REOPENED = "module_reopened"
    COURSE_COMPLETED = "course_completed"
    COURSE_REOPENED = "course_reopened"

    ASSESSMENT_SUBMITTED = "assessment_submitted"
    ASSESSMENT_PASSED = "assessment_passed"
    ASSESSMENT_FAILED = "assessment_failed"
    ASSESSMENT_VOIDED = "assessment_voided"

    CREDENTIAL_ISSUED = "credential_issued"
    CREDENTIAL_SUSPENDED = "credential_suspended"
    CREDENTIAL_REINSTATED = "credential_reinstated"
    CREDENTIAL_REVOKED = "credential_revoked"
    CREDENTIAL_EXPIRED = "credential_expired"
    CREDENTIAL_RENEWED = "credential_renewed"


ITEM_EVENTS = frozenset({EventType.ITEM_STARTED, EventType.ITEM_COMPLETED})
"""Events about one item, whose entity is the item."""

ASSESSMENT_OUTCOMES = frozenset(
    {EventType.ASSESSMENT_PASSED, EventType.ASSESSMENT_FAILED, EventType.ASSESSMENT_VOIDED}
)
"""Events that decide an attempt; the latest of an attempt counts."""

ASSESSMENT_EVENTS = ASSESSMENT_OUTCOMES | {EventType.ASSESSMENT_SUBMITTED}
"""Events about one attempt, whose payload names the items where the assessment is placed."""
