"""The life of a cohort: planned, open, ended or cancelled; and who works with it."""

from __future__ import annotations

from datetime import date, datetime
from typing import TypedDict, Unpack

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError, transaction

from apps.cohorts import ports
from apps.cohorts.models import Cohort, CohortStaff, CohortStatus, StaffRole
from apps.cohorts.services.enrollments import end_all, fill_seats, lock_cohort
from apps.cohorts.services.progress import ADVANCE
from apps.contacts.models import Contact
from apps.contacts.services import record_admin_action
from apps.core.models import VersionStatus
from apps.core.outbox import owe_many
from apps.core.problems import Conflict, FieldError, Invalid
from apps.core.revisions import violates
from apps.programs.models import ProgramVersion


class CohortInvalid(Invalid):
    code = "cohort-invalid"
    title = "The cohort can't be like this."


class SlugTaken(Conflict):
    code = "slug-taken"
    title = "Another cohort has this slug."


class ProgramNotPublished(Conflict):
    code = "program-not-published"
    title = "A cohort pins a published version of a program."


class ProgramNotReady(Conflict):
    code = "program-not-ready"
    title = "The program has no published progression requirements yet."


class CohortStateConflict(Conflict):
    code = "cohort-state"
    title = "The cohort is not in a state that allows this."


class CohortChanges(TypedDict, total=False):
    """What may change about a cohort; its program version never does."""

    title: str
    starts_on: date
    ends_on: date | None
    capacity: int | None
    timezone: str


@transaction.atomic
def create_cohort(
    *,
    program_version: ProgramVersion,
    slug: str,
    title: str,
    starts_on: date,
    actor: Contact | None,
    ends_on: date | None = None,
    is_self_paced: bool = False,
    capacity: int | None = None,
    timezone: str = "UTC",
) -> Cohort:
    """Return a new planned cohort that pins `program_version`.

    Raises ProgramNotPublished, SlugTaken, CohortInvalid.
    """
    if program_version.status != VersionStatus.PUBLISHED:
        raise ProgramNotPublished
    cohort = Cohort(
        program_version=program_version,
        slug=slug,
        title=title,
        starts_on=starts_on,
        ends_on=ends_on,
        is_self_paced=is_self_paced,
        capacity=capacity,
        timezone=timezone,
    )
    _check(cohort)
    try:
        with transaction.atomic():
            cohort.save()
    except IntegrityError as error:
        if not violates(error, "program_cohorts_slug"):
            raise
        raise SlugTaken(
            errors=[{"field": "slug", "code": "taken", "message": SlugTaken.title}]
        ) from error
    record_admin_action(actor=actor, action="cohort.created", entity=cohort)
    return cohort


@transaction.atomic
def update_cohort(
    *, cohort: Cohort, actor: Contact | None, at: datetime, **changes: Unpack[CohortChanges]
) -> Cohort:
    """Return the cohort with `changes`; new seats go to those who wait.

    A new start or clock moves days that count for everybody: each learner is owed a step. Raises
    CohortInvalid, and CohortStateConflict once it has ended or was cancelled.
    """
    cohort = lock_cohort(cohort.id)
    _demand(cohort, CohortStatus.PLANNED, CohortStatus.OPEN)
    for field, value in changes.items():
        setattr(cohort, field, value)
    _check(cohort)
    cohort.save(update_fields=list(changes))
    details = {field: str(value) for field, value in changes.items()}
    record_admin_action(actor=actor, action="cohort.updated", entity=cohort, details=details)
    if "capacity" in changes:
        fill_seats(cohort=cohort, actor=actor, at=at)
    if changes.keys() & {"timezone", "starts_on"}:
        enrolled = cohort.enrollments.filter(enrolled_at__isnull=False).order_by("id")
        owe_many(ADVANCE, [str(one) for one in enrolled.values_list("id", flat=True)])
    return cohort


@transaction.atomic
def open_cohort(*, cohort: Cohort, actor: Contact | None, at: datetime) -> Cohort:
    """Return the cohort, open; one that is open already stays as it is.

    Raises ProgramNotReady while its program version has no published progression set.
    """
    cohort = lock_cohort(cohort.id)
    if cohort.status == CohortStatus.OPEN:
        return cohort
    _demand(cohort, CohortStatus.PLANNED)
    if not ports.program_is_ready(cohort.program_version_id):
        raise ProgramNotReady
    return _move(cohort, CohortStatus.OPEN, actor=actor)


@transaction.atomic
def end_cohort(*, cohort: Cohort, actor: Contact | None, at: datetime) -> Cohort:
    """Return the cohort, ended, and with it all participation. What was earned stays."""
    cohort = lock_cohort(cohort.id)
    if cohort.status == CohortStatus.ENDED:
        return cohort
    _demand(cohort, CohortStatus.OPEN)
    end_all(cohort=cohort, actor=actor, at=at)
    return _move(cohort, CohortStatus.ENDED, actor=actor)


@transaction.atomic
def cancel_cohort(*, cohort: Cohort, actor: Contact | None, at: datetime) -> Cohort:
    """Return the cohort, cancelled, and with it all participation."""
    cohort = lock_cohort(cohort.id)
    if cohort.status == CohortStatus.CANCELLED:
        return cohort
    _demand(cohort, CohortStatus.PLANNED, CohortStatus.OPEN)
    end_all(cohort=cohort, actor=actor, at=at)
    return _move(cohort, CohortStatus.CANCELLED, actor=actor)


@transaction.atomic
def add_staff(*, cohort: Cohort, contact: Contact, role: str, actor: Contact | None) -> CohortStaff:
    """Return the staff row of this person in this role, new or not. Raises CohortInvalid."""
    if role not in StaffRole.values:
        raise CohortInvalid(
            errors=[{"field": "role", "code": "unknown", "message": f"“{role}” is no role."}]
        )
    staff, created = CohortStaff.objects.get_or_create(cohort=cohort, contact=contact, role=role)
    if created:
        details = {"contact": str(contact.id), "role": role}
        record_admin_action(
            actor=actor, action="cohort.staff_added", entity=cohort, details=details
        )
    return staff


@transaction.atomic
def remove_staff(*, staff: CohortStaff, actor: Contact | None) -> None:
    """Take somebody's role in a cohort away; what they did there stays theirs."""
    details = {"contact": str(staff.contact_id), "role": staff.role}
    record_admin_action(
        actor=actor, action="cohort.staff_removed", entity=staff.cohort, details=details
    )
    staff.delete()


def _demand(cohort: Cohort, *allowed: CohortStatus) -> None:
    if cohort.status not in allowed:
        raise CohortStateConflict(detail=f"“{cohort.title}” is {cohort.status}.")


def _move(cohort: Cohort, status: CohortStatus, *, actor: Contact | None) -> Cohort:
    details = {"from": cohort.status, "to": status.value}
    cohort.status = status
    cohort.save(update_fields=["status"])
    record_admin_action(actor=actor, action="cohort.status", entity=cohort, details=details)
    return cohort


def _check(cohort: Cohort) -> None:
    """Raise CohortInvalid with everything that the fields and constraints forbid."""
    try:
        cohort.clean_fields(exclude=["program_version"])
        cohort.validate_constraints()
    except ValidationError as error:
        raise CohortInvalid(errors=_field_errors(error)) from error


def _field_errors(error: ValidationError) -> list[FieldError]:
    return [
        {
            "field": "" if field == NON_FIELD_ERRORS else field,
            "code": problem.code or "invalid",
            "message": "; ".join(problem.messages),
        }
        for field, problems in error.error_dict.items()
        for problem in problems
    ]
