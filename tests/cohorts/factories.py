"""Cohorts and learners for tests, made through the same services as everybody's."""

from __future__ import annotations

from datetime import UTC, date, datetime

from apps.cohorts.models import Cohort, CohortEnrollment, CohortStatus, ProgressEvent
from apps.cohorts.services import create_cohort
from apps.contacts.models import Contact
from apps.contacts.principal import Principal
from apps.contacts.services import create_contact
from apps.organizations.models import OrgRole
from apps.programs.models import ModuleItem, ProgramVersion
from tests.database import ORG_A
from tests.programs.factories import published_program

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def person(name: str) -> Contact:
    """Return a new contact with an e-mail address."""
    return create_contact(display_name=name, email=f"{name.lower()}@example.org")


def people(*names: str) -> list[Contact]:
    """Return new contacts of these names, in order."""
    return [person(name) for name in names]


def planned_cohort(
    program_version: ProgramVersion | None = None,
    *,
    slug: str = "spring",
    capacity: int | None = None,
    is_self_paced: bool = False,
    timezone: str = "Europe/Berlin",
) -> Cohort:
    """Return a planned cohort of the program, or of a new one."""
    return create_cohort(
        program_version=program_version or published_program(),
        slug=slug,
        title=slug.title(),
        starts_on=date(2026, 3, 2),
        actor=None,
        capacity=capacity,
        is_self_paced=is_self_paced,
        timezone=timezone,
    )


def open_cohort(
    program_version: ProgramVersion | None = None,
    *,
    slug: str = "spring",
    capacity: int | None = None,
    is_self_paced: bool = False,
) -> Cohort:
    """Return an open cohort, whatever the program's requirements: that gate has its own tests."""
    cohort = planned_cohort(
        program_version, slug=slug, capacity=capacity, is_self_paced=is_self_paced
    )
    cohort.status = CohortStatus.OPEN
    cohort.save(update_fields=["status"])
    return cohort


def principal_for(contact: Contact, role: str = OrgRole.LEARNER, *cohorts: Cohort) -> Principal:
    """Return this contact as somebody with a role, who staffs these cohorts."""
    return Principal(
        user_id=None,
        contact_id=contact.id,
        org_id=ORG_A,
        org_role=role,
        cohort_ids=frozenset(cohort.id for cohort in cohorts),
    )


def item_of(cohort: Cohort, key: str) -> ModuleItem:
    """Return the item of this key in the courses that the cohort's program version pins."""
    return ModuleItem.objects.get(version__pinned_by__version_id=cohort.program_version_id, key=key)


def event_types(enrollment: CohortEnrollment) -> list[str]:
    """Return the types of an enrolment's events, as they were recorded."""
    events = ProgressEvent.objects.filter(enrollment=enrollment).order_by("recorded_at", "id")
    return list(events.values_list("type", flat=True))


def states(cohort: Cohort) -> dict[str, str]:
    """Return name -> state of everybody in the cohort, as they came."""
    rows = cohort.enrollments.order_by("created_at").values_list("contact__display_name", "state")
    return dict(rows)
