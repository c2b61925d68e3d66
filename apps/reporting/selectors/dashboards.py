"""The numbers of dashboards, counted from the facts; none of these reads grows with learners."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from statistics import median
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Avg, Count, F, IntegerField, Max, Min, Q, QuerySet
from django.db.models.functions import Cast, Floor, Least

from apps.cohorts.models import Cohort, ProgressStatus
from apps.contacts.capabilities import UNSCOPED_ROLES, Capability
from apps.contacts.principal import Principal
from apps.credentials.models import CertificationAward
from apps.programs.models import Program
from apps.reporting.models import Fact, FactAssessment, FactAttendance, FactProgress

Row = TypeVar("Row", bound=Fact)


@dataclass(frozen=True)
class Scope:
    """What a dashboard looks at. `cohorts` None: all of them. Both days count.

    A day means when a session was held, when work was handed in, and for enrolments the day from
    which their time counts.
    """

    cohorts: frozenset[UUID] | None = None
    program_id: UUID | None = None
    since: date | None = None
    until: date | None = None

    def of(self, rows: QuerySet[Row], *, day: str) -> QuerySet[Row]:
        """Return the facts in this scope; `day` is the column that the days are compared to."""
        if self.cohorts is not None:
            rows = rows.filter(cohort_id__in=self.cohorts)
        if self.program_id is not None:
            rows = rows.filter(program_id=self.program_id)
        if self.since is not None:
            rows = rows.filter(**{f"{day}__gte": self.since})
        if self.until is not None:
            rows = rows.filter(**{f"{day}__lte": self.until})
        return rows


@dataclass(frozen=True)
class Funnel:
    """How many enrolments came how far. Completed: every required course of the program."""

    enrolled: int
    started: int
    halfway: int
    completed: int
    certified: int
    withdrawn: int


@dataclass(frozen=True)
class SessionAttendance:
    """What was said about those expected at one session that has begun."""

    session_id: UUID
    title: str
    cohort_title: str
    held_on: date
    is_required: bool
    present: int
    late: int
    excused: int
    absent: int
    unrecorded: int

    @property
    def attended(self) -> int:
        return self.present + self.late

    @property
    def recorded(self) -> int:
        return self.attended + self.excused + self.absent


@dataclass(frozen=True)
class AssessmentScores:
    """The final results of record of one assessment. `deciles` count 0–9 %, 10–19 % … 90–100 %."""

    template_id: UUID
    title: str
    results: int
    passed: int
    mean_percent: Decimal
    deciles: tuple[int, ...]


@dataclass(frozen=True)
class CompletionTimes:
    """In how many days the program was completed, each time by one enrolment, and when."""

    days: tuple[int, ...]
    completed_on: tuple[date, ...]

    @property
    def median_days(self) -> float | None:
        return median(self.days) if self.days else None


def analysed_cohorts(principal: Principal) -> frozenset[UUID] | None:
    """Return the cohorts whose numbers this caller may see, None for all of them."""
    if not principal.has(Capability.VIEW_ANALYTICS):
        return frozenset()
    return None if principal.org_role in UNSCOPED_ROLES else principal.cohort_ids


def cohorts_to_choose(allowed: Collection[UUID] | None) -> QuerySet[Cohort]:
    """Return the cohorts that a dashboard can be narrowed to."""
    cohorts = Cohort.objects.select_related("program_version__definition")
    return cohorts if allowed is None else cohorts.filter(id__in=allowed)


def programs_to_choose(allowed: Collection[UUID] | None) -> QuerySet[Program]:
    """Return the programs of those cohorts; without a limit all programs."""
    if allowed is None:
        return Program.objects.all()
    return Program.objects.filter(versions__cohorts__in=allowed).distinct()


def funnel(scope: Scope) -> Funnel:
    """Return how far enrolments came: two statements."""
    facts = scope.of(FactProgress.objects.all(), day="begins_on")
    required = Q(is_required=True)
    counted = facts.values("enrollment_id").annotate(
        begun=Count("id", filter=~Q(status=ProgressStatus.NOT_STARTED)),
        asked=Count("id", filter=required),
        done=Count("id", filter=required & Q(status=ProgressStatus.COMPLETED)),
        far=Avg("percent_complete", filter=required),
        left=Count("id", filter=Q(enrollment_state="withdrawn")),
    )
    said = counted.aggregate(
        enrolled=Count("enrollment_id"),
        started=Count("enrollment_id", filter=Q(begun__gt=0)),
        halfway=Count("enrollment_id", filter=Q(far__gte=50)),
        completed=Count("enrollment_id", filter=Q(asked__gt=0, done=F("asked"))),
        withdrawn=Count("enrollment_id", filter=Q(left__gt=0)),
    )
    awards = CertificationAward.objects.filter(
        revoked_at=None, enrollment_id__in=facts.values("enrollment_id")
    )
    return Funnel(certified=awards.aggregate(n=Count("enrollment", distinct=True))["n"], **said)


def attendance_by_session(scope: Scope, *, at: datetime) -> list[SessionAttendance]:
    """Return the sessions that have begun, in their order: one statement."""
    facts = scope.of(FactAttendance.objects.filter(starts_at__lte=at), day="held_on")
    counted = {
        name: Count("id", filter=Q(status=status))
        for name, status in (
            ("present", "present"),
            ("late", "late"),
            ("excused", "excused"),
            ("absent", "absent"),
            ("unrecorded", ""),
        )
    }
    rows: Any = (
        facts.values(
            "session_id", "session__title", "cohort__title", "held_on", "is_required", "starts_at"
        )
        .annotate(**counted)
        .order_by("starts_at", "session_id")
    )
    return [
        SessionAttendance(
            session_id=row["session_id"],
            title=row["session__title"],
            cohort_title=row["cohort__title"],
            held_on=row["held_on"],
            is_required=row["is_required"],
            **{name: row[name] for name in counted},
        )
        for row in rows
    ]


def scores(scope: Scope) -> list[AssessmentScores]:
    """Return the final results of record by assessment, in the order of titles: one statement."""
    facts = scope.of(FactAssessment.objects.filter(is_final=True), day="submitted_on")
    rows: Any = (
        facts.annotate(decile=Cast(Least(Floor(F("percent") / 10), 9), output_field=IntegerField()))
        .values("template_id", "template__title", "decile")
        .annotate(n=Count("id"), right=Count("id", filter=Q(passed=True)), mean=Avg("percent"))
        .order_by("template__title", "template_id", "decile")
    )
    grouped: dict[tuple[UUID, str], list[dict[str, Any]]] = {}
    for row in rows:
        grouped.setdefault((row["template_id"], row["template__title"]), []).append(row)
    return [_scores(template_id, title, some) for (template_id, title), some in grouped.items()]


def _scores(template_id: UUID, title: str, rows: list[dict[str, Any]]) -> AssessmentScores:
    counts = {row["decile"]: row["n"] for row in rows}
    total = sum(counts.values())
    mean = sum((row["mean"] * row["n"] for row in rows), Decimal()) / total
    return AssessmentScores(
        template_id=template_id,
        title=title,
        results=total,
        passed=sum(row["right"] for row in rows),
        mean_percent=mean.quantize(Decimal("0.1")),
        deciles=tuple(counts.get(decile, 0) for decile in range(10)),
    )


def completion_times(scope: Scope) -> CompletionTimes:
    """Return the days that each completed enrolment took, by the day of completion: one statement.

    Whoever was through before the cohort began took 0 days.
    """
    facts = scope.of(FactProgress.objects.filter(is_required=True), day="begins_on")
    rows = (
        facts.values("enrollment_id")
        .annotate(
            asked=Count("id"),
            done=Count("id", filter=Q(status=ProgressStatus.COMPLETED)),
            last=Max("completed_on"),
            first=Min("begins_on"),
        )
        .filter(done=F("asked"))
        .order_by("last", "enrollment_id")
        .values_list("last", "first")
    )
    through = list(rows)
    return CompletionTimes(
        days=tuple(max((last - first).days, 0) for last, first in through),
        completed_on=tuple(last for last, _first in through),
    )
