"""Organisations that were lived in, by chance or on purpose, through the services of everybody."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from apps.assessment.models import AssessmentAttempt
from apps.assessment.services import void_attempt
from apps.assessment.vocabulary import AttemptStatus
from apps.cohorts.models import (
    AttendanceStatus,
    CohortEnrollment,
    CohortSession,
    EnrollmentState,
)
from apps.cohorts.services import (
    AttendanceEntry,
    Meeting,
    cancel_session,
    end_enrollment,
    enroll,
    record_attendance,
    record_event,
    reschedule_session,
    schedule_session,
    update_cohort,
    withdraw,
)
from apps.contacts.models import Contact
from apps.contacts.services import merge_contacts
from apps.programs.models import Course
from apps.reporting.models import Fact
from apps.reporting.selectors.sources import FACT_TABLES
from tests.assessment.factories import RIGHT, WRONG, Scene, scene
from tests.cohorts.factories import NOON, item_of, person
from tests.outbox import drain

DAY = timedelta(days=1)
ZONES = ("UTC", "Pacific/Auckland", "America/Los_Angeles")


def facts() -> dict[str, list[tuple[Any, ...]]]:
    """Return every fact of the organisation in force, without the ids of the rows."""
    return {
        table.name: list(
            table.model._default_manager.order_by(*table.columns[:2]).values_list(*table.columns)
        )
        for table in FACT_TABLES
    }


def forget_facts() -> None:
    for table in FACT_TABLES:
        table.model._default_manager.all().delete()


def all_facts() -> list[Fact]:
    return [fact for table in FACT_TABLES for fact in table.model._default_manager.all()]


class Life:
    """A cohort in which something happens at random, the same for the same seed."""

    def __init__(self, seed: int, *, learners: int = 3) -> None:
        self.chance = random.Random(seed)
        self.it: Scene = scene()
        self.cohort = self.it.cohort
        self.enrollments: list[CohortEnrollment] = [self.it.enrollment]
        self.sessions: list[CohortSession] = []
        self.hours = 0
        for _ in range(learners - 1):
            self.join()
        for _ in range(2):
            self.meet()

    @property
    def at(self) -> Any:
        self.hours += 1
        return NOON + timedelta(hours=self.hours)

    def live(self, deeds: int) -> None:
        """Do so many things; what the pipeline is owed is worked after some of them."""
        choices: list[Callable[[], Any]] = [
            self.join,
            self.leave,
            self.meet,
            self.move,
            self.call_off,
            *[self.attend] * 4,
            *[self.study] * 3,
            *[self.sit] * 3,
            self.void,
            self.merge,
            self.shift,
        ]
        for _ in range(deeds):
            self.chance.choice(choices)()
            if self.chance.random() < 0.3:
                drain()
        drain()

    def _someone(self) -> CohortEnrollment:
        enrollment = self.chance.choice(self.enrollments)
        enrollment.refresh_from_db()
        return enrollment

    def join(self) -> None:
        name = f"Learner{len(self.enrollments)}x{self.hours}"
        self.enrollments.append(
            enroll(cohort=self.cohort, contact=person(name), actor=None, at=self.at)
        )

    def leave(self) -> None:
        go = self.chance.choice([withdraw, end_enrollment])
        go(enrollment=self._someone(), actor=None, at=self.at)

    def meet(self) -> None:
        starts_at = NOON + self.chance.randint(-3, 3) * DAY
        self.sessions.append(
            schedule_session(
                cohort=self.cohort,
                meeting=Meeting("Meeting", is_required=self.chance.random() < 0.8),
                starts_at=starts_at,
                ends_at=starts_at + timedelta(hours=1),
                timezone=self.chance.choice(ZONES),
                actor=None,
            )
        )

    def _session(self) -> CohortSession | None:
        standing = CohortSession.objects.filter(cohort=self.cohort, cancelled_at=None)
        return self.chance.choice(list(standing.order_by("id")) or [None])

    def move(self) -> None:
        session = self._session()
        if session:
            starts_at = session.starts_at + self.chance.randint(-5, 5) * timedelta(hours=7)
            ends_at = starts_at + timedelta(hours=1)
            reschedule_session(session=session, starts_at=starts_at, ends_at=ends_at, actor=None)

    def call_off(self) -> None:
        session = self._session()
        if session:
            cancel_session(session=session, actor=None)

    def attend(self) -> None:
        session = self._session()
        if session:
            status = self.chance.choice(AttendanceStatus.values)
            minutes = self.chance.choice([None, 45])
            record_attendance(
                session=session,
                entries=[AttendanceEntry(self._someone().id, status, minutes)],
                recorded_by=self.it.grader,
                at=NOON + 9 * DAY,
            )

    def study(self) -> None:
        enrollment = self._someone()
        item = item_of(self.cohort, self.chance.choice(["intro", "quiz"]))
        record_event(
            enrollment=enrollment,
            type=self.chance.choice(["item_started", "item_completed"]),
            entity=item,
            course=Course.objects.get(versions=item.version_id),
            payload={"time_spent": self.chance.randint(1, 600)},
            occurred_at=self.at,
        )

    def sit(self) -> None:
        enrollment = self._someone()
        if enrollment.state == EnrollmentState.ENROLLED:
            answers = self.chance.choice([RIGHT, WRONG, {**RIGHT, "pi": "0"}])
            Scene(self.it.version, self.cohort, enrollment, self.it.grader, self.it.items).graded(
                answers, self.at
            )

    def void(self) -> None:
        sat = AssessmentAttempt.objects.exclude(status=AttemptStatus.VOID).order_by("id")
        attempt = self.chance.choice([*sat, None])
        if attempt:
            void_attempt(attempt_id=attempt.id, actor=self.it.grader, reason="Noise", at=self.at)

    def merge(self) -> None:
        """Find out that two learners are the same person."""
        apart = Contact.objects.filter(merged_into=None, enrollments__cohort=self.cohort)
        if apart.count() > 2:
            source, into = self.chance.sample(list(apart.order_by("id").distinct()), 2)
            merge_contacts(source=source, into=into, actor=None)

    def shift(self) -> None:
        """Change the cohort's clock and first day."""
        update_cohort(
            cohort=self.cohort,
            actor=None,
            at=self.at,
            timezone=self.chance.choice(ZONES),
            starts_on=(NOON + self.chance.randint(-2, 2) * DAY).date(),
        )
