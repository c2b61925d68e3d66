"""A cohort of the demo from its opening to the first day: seats, staff, roster, requirements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import cycle
from zoneinfo import ZoneInfo

from django.db import transaction

from apps.assessment.rules.policy import WindowTerms
from apps.assessment.services import grant_accommodation, open_window
from apps.cohorts.models import (
    Cohort,
    CohortEnrollment,
    CohortSession,
    EnrollmentState,
    StaffRole,
)
from apps.cohorts.roster.reader import read_roster
from apps.cohorts.services import (
    Meeting,
    add_staff,
    create_cohort,
    import_roster,
    open_cohort,
    schedule_session,
)
from apps.contacts.models import ChannelKind, Contact
from apps.contacts.services import contact_by_email
from apps.demo.authoring import Curriculum
from apps.demo.content.organizations import CohortPlan, Life, OrganizationPlan
from apps.requirements.services import assign_to_enrollments

ROSTER = "roster.csv"


class DemoBroken(RuntimeError):
    """The demo's own content and the services it is made with do not fit together."""


@dataclass(frozen=True)
class Learner:
    """Somebody of the roster with a seat, and how they do."""

    email: str
    contact: Contact
    enrollment: CohortEnrollment
    life: Life


@dataclass(frozen=True)
class Group:
    """A cohort with everything that its story needs; `now` is the moment of loading."""

    organization: OrganizationPlan
    plan: CohortPlan
    curriculum: Curriculum
    cohort: Cohort
    instructor: Contact
    director: Contact
    learners: tuple[Learner, ...]
    sessions: tuple[CohortSession, ...]
    now: datetime

    def moment(self, days: float, hour: int = 12) -> datetime:
        """Return an hour of the cohort's wall clock, so many days from today."""
        return moment(self.now, self.organization.timezone, days, hour)

    @property
    def ends_at(self) -> datetime:
        return self.moment(self.plan.ends, 18)

    def learner(self, email: str) -> Learner:
        """Return the learner of this address. Raises DemoBroken for somebody without a seat."""
        found = next((one for one in self.learners if one.email == email), None)
        if found is None:
            raise DemoBroken(f"{self.plan.title} has no learner {email}.")
        return found


def _enroll(
    cohort: Cohort,
    organization: OrganizationPlan,
    plan: CohortPlan,
    *,
    actor: Contact,
    at: datetime,
) -> None:
    """Import the roster's class. Raises DemoBroken when a row is refused."""
    report = import_roster(
        cohort=cohort,
        roster=read_roster((organization.folder / ROSTER).read_bytes(), ROSTER),
        actor=actor,
        at=at,
        class_id=plan.class_id,
    )
    if report.failed or report.counts["refused"]:
        raise DemoBroken(f"{organization.slug}: the roster of {plan.title} was refused.")


def moment(now: datetime, timezone: str, days: float, hour: int) -> datetime:
    """Return an hour of a wall clock, so many days from today; a moment in UTC, as all are."""
    whole = int(days // 1)
    day = day_of(now, timezone, whole)
    wall = datetime.combine(day, time(hour), tzinfo=ZoneInfo(timezone))
    return wall.astimezone(UTC) + timedelta(days=days - whole)


@transaction.atomic
def open_group(
    *,
    organization: OrganizationPlan,
    plan: CohortPlan,
    curriculum: Curriculum,
    director: Contact,
    now: datetime,
) -> Group:
    """Return the cohort, open, with its sessions planned and its learners enrolled."""
    starts = moment(now, organization.timezone, plan.starts, 8)
    instructor = _contact(plan.instructor)
    cohort = create_cohort(
        program_version=curriculum.program,
        slug=plan.slug,
        title=plan.title,
        starts_on=day_of(now, organization.timezone, plan.starts),
        ends_on=day_of(now, organization.timezone, plan.ends),
        capacity=plan.capacity,
        timezone=organization.timezone,
        actor=director,
    )
    cohort = open_cohort(cohort=cohort, actor=director, at=starts)
    add_staff(cohort=cohort, contact=instructor, role=StaffRole.INSTRUCTOR, actor=director)
    sessions = _schedule(cohort, organization, plan, actor=director, now=now)
    _enroll(cohort, organization, plan, actor=director, at=starts)
    learners = _learners(cohort, plan)
    for version in (curriculum.progression, curriculum.certification):
        assign_to_enrollments(
            enrollment_ids=[learner.enrollment.id for learner in learners],
            set_version=version,
            actor=director,
            reason=f"Enrolled with {plan.title}.",
            at=starts,
        )
    group = Group(
        organization=organization,
        plan=plan,
        curriculum=curriculum,
        cohort=cohort,
        instructor=instructor,
        director=director,
        learners=learners,
        sessions=sessions,
        now=now,
    )
    _set_terms(group)
    return group


def day_of(now: datetime, timezone: str, days: int) -> date:
    return now.astimezone(ZoneInfo(timezone)).date() + timedelta(days=days)


def _contact(email: str) -> Contact:
    contact = contact_by_email(email)
    if contact is None:
        raise DemoBroken(f"Nobody has the address {email}.")
    return contact


def _schedule(
    cohort: Cohort,
    organization: OrganizationPlan,
    plan: CohortPlan,
    *,
    actor: Contact,
    now: datetime,
) -> tuple[CohortSession, ...]:
    sessions = []
    for meeting in plan.meetings:
        starts_at = moment(now, organization.timezone, meeting.days, meeting.hour)
        sessions.append(
            schedule_session(
                cohort=cohort,
                meeting=Meeting(
                    title=meeting.title,
                    location=meeting.location,
                    url=meeting.url,
                    is_required=meeting.is_required,
                ),
                starts_at=starts_at,
                ends_at=starts_at + timedelta(minutes=meeting.minutes),
                actor=actor,
            )
        )
    return tuple(sessions)


def _set_terms(group: Group) -> None:
    """Say when assessments are due, and who gets more time for them."""
    for slug, days in group.plan.due:
        open_window(
            cohort=group.cohort,
            template=group.curriculum.assessments[slug].definition,
            terms=WindowTerms(due_at=group.moment(days, 18)),
            actor=group.director,
        )
    if group.plan.granted is not None:
        email, multiplier, reason = group.plan.granted
        grant_accommodation(
            contact=group.learner(email).contact,
            template=None,
            time_multiplier=multiplier,
            extra_attempts=0,
            reason=reason,
            actor=group.director,
            at=group.moment(group.plan.starts, 9),
        )


def _learners(cohort: Cohort, plan: CohortPlan) -> tuple[Learner, ...]:
    """Return who got a seat, in the order of the roster, each with their life."""
    enrollments = cohort.enrollments.select_related("contact", "cohort").order_by(
        "contact__external_id"
    )
    seated = []
    for enrollment, life in zip(enrollments, cycle(plan.lives), strict=False):
        if enrollment.state != EnrollmentState.ENROLLED:
            continue
        channel = enrollment.contact.channels.get(kind=ChannelKind.EMAIL, is_primary=True)
        seated.append(Learner(channel.value, enrollment.contact, enrollment, life))
    return tuple(seated)
