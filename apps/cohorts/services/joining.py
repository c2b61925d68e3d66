"""Coming in: by taking a course, or by an address that staff know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from apps.cohorts.models import Cohort, CohortEnrollment, EnrollmentState
from apps.cohorts.selectors import enrollment_with_course, self_paced_cohort, teaches
from apps.cohorts.services.enrollments import (
    NotOpenForEnrolment,
    enroll,
    invite,
    lock_cohort,
)
from apps.contacts.models import Contact
from apps.contacts.selectors import alias_ids
from apps.contacts.services import contact_by_email, find_or_create_contact, record_admin_action
from apps.core.problems import Invalid
from apps.programs.models import Course


class NameMissing(Invalid):
    code = "name-missing"
    title = "This address is new here: give a name too."


class CourseNotInCohort(Invalid):
    code = "course-not-in-cohort"
    title = "This cohort does not take that course."


@dataclass(frozen=True)
class Joined:
    """The enrolment under which a course is taken, and whether this very call brought it about."""

    enrollment: CohortEnrollment
    is_new: bool


def cohort_to_join(*, course: Course, contact: Contact) -> Cohort:
    """Return the cohort in which this person takes the course already, or may on their own.

    Raises NotOpenForEnrolment when there is neither.
    """
    taking = enrollment_with_course(contact.id, course.id)
    cohort = taking.cohort if taking else self_paced_cohort(course.id)
    if cohort is None:
        raise NotOpenForEnrolment(detail=f"No open self-paced cohort takes “{course.title}”.")
    return cohort


@transaction.atomic
def enroll_in_course(
    *, course: Course, contact: Contact, cohort: Cohort, actor: Contact | None, at: datetime
) -> Joined:
    """Return the contact's enrolment in `cohort`, made or accepted now or known before.

    Raises CourseNotInCohort, and what `enroll` raises.
    """
    if not teaches(cohort=cohort, course_id=course.id):
        raise CourseNotInCohort
    lock_cohort(cohort.id)
    before = (
        cohort.enrollments.active()
        .filter(contact_id__in=alias_ids(contact.id))
        .exclude(state=EnrollmentState.INVITED)
    )
    is_new = not before.exists()
    enrollment = enroll(cohort=cohort, contact=contact, actor=actor, at=at)
    return Joined(enrollment, is_new)


@transaction.atomic
def add_learner(
    *,
    cohort: Cohort,
    email: str,
    display_name: str,
    actor: Contact,
    at: datetime,
    only_invite: bool = False,
) -> CohortEnrollment:
    """Return the enrolment of whom this address leads to, somebody new by that name if nobody.

    Raises NameMissing for somebody new without a name, and what `enroll` and `invite` raise.
    """
    contact = contact_by_email(email)
    if contact is None:
        if not display_name:
            raise NameMissing(
                errors=[{"field": "name", "code": "required", "message": NameMissing.title}]
            )
        contact = find_or_create_contact(email=email, display_name=display_name)
    let_in = invite if only_invite else enroll
    enrollment = let_in(cohort=cohort, contact=contact, actor=actor, at=at)
    record_admin_action(
        actor=actor,
        action=f"cohortenrollment.{'invited' if only_invite else 'enrolled'}",
        entity=enrollment,
        details={"state": enrollment.state},
    )
    return enrollment
