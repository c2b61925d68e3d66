"""Starting an attempt and handing it in. The server's clock and the frozen policy decide."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.assessment import ports
from apps.assessment.models import AssessmentAttempt, AssessmentTemplate
from apps.assessment.rules.paper import item_order
from apps.assessment.rules.policy import deadlines, effective_policy, start_refusal
from apps.assessment.selectors.offers import Offer, offer, placements
from apps.assessment.selectors.papers import published_paper
from apps.assessment.vocabulary import AttemptStatus
from apps.cohorts.events import EventType
from apps.cohorts.models import CohortEnrollment, EnrollmentState
from apps.cohorts.services import record_event
from apps.contacts.models import Contact
from apps.contacts.selectors import is_own_work
from apps.contacts.services import lock_learner
from apps.core.outbox import owe
from apps.core.problems import Conflict, Forbidden, NotFound
from apps.programs.models import Course

GRADE = "assessment.grade"
"""The outbox topic under which a submitted attempt is owed its grading; the key is its id."""

_STARTS_TRIED = 3


class NoSuchAttempt(NotFound):
    code = "no-such-attempt"


class NoSuchItem(NotFound):
    code = "no-such-item"
    title = "The attempt has no such item."


class NotEnrolled(Conflict):
    code = "not-enrolled"
    title = "Only somebody who is enrolled can start an attempt."


class NotOffered(Forbidden):
    code = "not-offered"
    title = "This assessment is no part of the learner's program."


class NotTheLearner(Forbidden):
    code = "not-the-learner"
    title = "Only the learner can do this with their own attempt."


class Locked(Forbidden):
    code = "locked"
    title = "This assessment is still locked."


class CannotStart(Conflict):
    code = "cannot-start"
    title = "No attempt can be started now."


class NotOpenYet(CannotStart):
    code = "not-open-yet"


class Closed(CannotStart):
    code = "closed"


class NoAttemptsLeft(CannotStart):
    code = "no-attempts-left"


class AttemptVoid(Conflict):
    code = "attempt-void"
    title = "This attempt was declared void."


_REFUSALS = {refusal.code: refusal for refusal in (NotOpenYet, Closed, NoAttemptsLeft)}


@dataclass(frozen=True)
class StartedAttempt:
    """The learner's open attempt, and whether this call made it."""

    attempt: AssessmentAttempt
    is_new: bool


@transaction.atomic
def start_attempt(
    *,
    enrollment: CohortEnrollment,
    template: AssessmentTemplate,
    actor: Contact,
    at: datetime,
) -> StartedAttempt:
    """Return the learner's open attempt at this assessment, starting one if there is none.

    Simultaneous calls get the same attempt. Raises NotTheLearner, NotEnrolled, NotOffered, Locked
    (by the requirements), NotOpenYet, Closed or NoAttemptsLeft.
    """
    if not is_own_work(actor_id=actor.id, learner_id=enrollment.contact_id):
        raise NotTheLearner
    if enrollment.state != EnrollmentState.ENROLLED:
        raise NotEnrolled
    for _ in range(_STARTS_TRIED):
        attempts = list(AssessmentAttempt.objects.filter(enrollment=enrollment, template=template))
        running = _still_open(attempts, at)
        if running is not None:
            return StartedAttempt(running, is_new=False)
        new = _new_attempt(enrollment, template, attempts, at)
        AssessmentAttempt.objects.bulk_create([new], ignore_conflicts=True)
        if AssessmentAttempt.objects.filter(id=new.id).exists():
            return StartedAttempt(new, is_new=True)
    raise CannotStart(detail="Another attempt was started and handed in at this moment: try again.")


def _still_open(attempts: list[AssessmentAttempt], at: datetime) -> AssessmentAttempt | None:
    """Return the open attempt; one whose time is over is closed here, if no beat has done so."""
    for attempt in attempts:
        if attempt.status == AttemptStatus.IN_PROGRESS:
            if attempt.accepts_until is None or at <= attempt.accepts_until:
                return attempt
            _close(attempt, actor=None, at=at)
    return None


def _new_attempt(
    enrollment: CohortEnrollment,
    template: AssessmentTemplate,
    attempts: list[AssessmentAttempt],
    at: datetime,
) -> AssessmentAttempt:
    offered = _offered(enrollment, template.id)
    paper = published_paper(offered.version_id)
    policy = effective_policy(paper.terms, offered.window, offered.accommodation)
    refusal = start_refusal(policy, attempts_made=len(attempts), at=at)
    if refusal is not None:
        raise _REFUSALS[refusal.code](detail=refusal.message)
    gate = ports.may_start(enrollment.id, template.id)
    if not gate.allowed:
        raise Locked(detail=gate.reason, reason=gate.code)
    ends = deadlines(policy, started_at=at)
    seed = secrets.token_hex(16)
    items = item_order(paper.items, seed=seed, shuffle=paper.shuffle_items)
    return AssessmentAttempt(
        enrollment=enrollment,
        contact_id=enrollment.contact_id,
        template=template,
        version_id=paper.version_id,
        attempt_no=len(attempts) + 1,
        started_at=at,
        ends_at=ends.ends_at,
        accepts_until=ends.accepts_until,
        seed=seed,
        item_order=[str(item.id) for item in items],
        policy=policy.as_json(),
    )


def _offered(enrollment: CohortEnrollment, template_id: UUID) -> Offer:
    offered = offer(enrollment, template_id)
    if offered is None:
        raise NotOffered
    return offered


@transaction.atomic
def submit_attempt(
    *, attempt: AssessmentAttempt, actor: Contact, at: datetime
) -> AssessmentAttempt:
    """Return the attempt, handed in; its grading is owed. Handed in again it stays as it is.

    What arrives after the grace counts as closed by the server at the deadline, with what was
    saved until then. Raises NotTheLearner, or AttemptVoid.
    """
    if not is_own_work(actor_id=actor.id, learner_id=attempt.contact_id):
        raise NotTheLearner
    return _close(attempt, actor=actor, at=at)


@transaction.atomic
def close_attempt(*, attempt_id: UUID, at: datetime) -> AssessmentAttempt:
    """Return the attempt; if its time and the grace are over it is closed as of its end."""
    attempt = AssessmentAttempt.objects.select_related("enrollment").get(id=attempt_id)
    is_over = attempt.accepts_until is not None and at > attempt.accepts_until
    if attempt.status == AttemptStatus.IN_PROGRESS and is_over:
        return _close(attempt, actor=None, at=at)
    return attempt


def close_expired(*, at: datetime, limit: int = 1_000) -> int:
    """Close attempts whose time is over, each in its own transaction; return how many were found.

    A late or missed call changes nothing in the outcome: an attempt ends at its own deadline.
    """
    expired = list(
        AssessmentAttempt.objects.filter(status=AttemptStatus.IN_PROGRESS, accepts_until__lt=at)
        .order_by("accepts_until")
        .values_list("id", flat=True)[:limit]
    )
    for attempt_id in expired:
        close_attempt(attempt_id=attempt_id, at=at)
    return len(expired)


def _close(attempt: AssessmentAttempt, *, actor: Contact | None, at: datetime) -> AssessmentAttempt:
    lock_learner(attempt.contact_id)
    is_late = attempt.accepts_until is not None and at > attempt.accepts_until
    submitted_at = attempt.ends_at if is_late and attempt.ends_at else at
    closed = AssessmentAttempt.objects.filter(
        id=attempt.id, status=AttemptStatus.IN_PROGRESS
    ).update(status=AttemptStatus.SUBMITTED, submitted_at=submitted_at, closed_by_server=is_late)
    if not closed:
        attempt.refresh_from_db(fields=["status", "submitted_at", "closed_by_server", "graded_at"])
        if attempt.status == AttemptStatus.VOID:
            raise AttemptVoid
        return attempt
    attempt.status = AttemptStatus.SUBMITTED
    attempt.submitted_at = submitted_at
    attempt.closed_by_server = is_late
    record_attempt_event(
        attempt, EventType.ASSESSMENT_SUBMITTED, actor=actor, at=submitted_at, owes_step=False
    )
    owe(GRADE, str(attempt.id))  # which ends in the learner's next step
    return attempt


def record_attempt_event(
    attempt: AssessmentAttempt,
    type: str,  # noqa: A002
    *,
    actor: Contact | None,
    at: datetime,
    facts: dict[str, str] | None = None,
    owes_step: bool = True,
) -> None:
    """Record a progress event about an attempt, naming the items where its assessment stands."""
    enrollment = attempt.enrollment
    placed = placements(enrollment.cohort_id, [attempt.template_id])
    record_event(
        enrollment=enrollment,
        type=type,
        entity=attempt,
        course=Course(id=placed[0].course_id) if placed else None,
        payload={
            "assessment": str(attempt.template_id),
            "module_items": [str(place.module_item_id) for place in placed],
            **(facts or {}),
        },
        actor=actor,
        occurred_at=at,
        owes_step=owes_step,
    )
