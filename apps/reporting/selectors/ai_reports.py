"""Reports about AI conversations, counted from their facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, F, QuerySet, Sum, Value
from django.db.models.functions import Coalesce

from apps.core.tenancy import connection
from apps.reporting.models import FactAiUsage
from apps.reporting.selectors.dashboards import Scope

# What costs are told by: the columns of its id and of its name.
BY: Final[Mapping[str, tuple[str, str]]] = {
    "organization": ("", ""),
    "day": ("day", "day"),
    "session": ("session_id", "session__started_at"),
    "learner": ("who", "who_name"),
    "course": ("course_id", "course__title"),
    "cohort": ("cohort_id", "cohort__title"),
    "model": ("model", "model"),
}


@dataclass(frozen=True)
class CostLine:
    """What one thing cost in US dollars; no `key`: what has none of its kind."""

    key: str
    label: str
    sessions: int
    calls: int
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal
    unpriced: int


@dataclass(frozen=True)
class QualityLine:
    """What people thought of one model in one kind of session; `rate` is up ÷ (up + down)."""

    provider: str
    model: str
    session_type: str
    calls: int
    thumbs_up: int
    thumbs_down: int
    flags: int
    cost_usd: Decimal

    @property
    def rated(self) -> int:
        return self.thumbs_up + self.thumbs_down

    @property
    def rate(self) -> float | None:
        return self.thumbs_up / self.rated if self.rated else None


@dataclass(frozen=True)
class TutoringLine:
    """Final attempts at the assessments of one course, with tutoring shortly before and without.

    A correlation: who asks a tutor may differ from who does not in more than that.
    """

    course_id: UUID
    title: str
    attempts: int
    passed: int
    tutored: int
    tutored_passed: int

    @property
    def base_rate(self) -> float | None:
        return _rate(self.passed, self.attempts)

    @property
    def tutored_rate(self) -> float | None:
        return _rate(self.tutored_passed, self.tutored)

    @property
    def untutored_rate(self) -> float | None:
        return _rate(self.passed - self.tutored_passed, self.attempts - self.tutored)


def _rate(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def usage(scope: Scope) -> QuerySet[Any]:
    """Return the facts in a scope; who sees some cohorts only sees nothing without a cohort."""
    rows: Any = FactAiUsage.objects.all()
    found: QuerySet[Any] = scope.of(rows, day="day")
    return found


def costs(scope: Scope, *, by: str, limit: int | None = None) -> list[CostLine]:
    """Return what each thing cost: days in their order, all else the dearest first. One statement.

    A person with aliases is one learner.
    """
    key, label = BY[by]
    rows = usage(scope)
    if by == "learner":
        rows = rows.annotate(
            who=Coalesce("contact__merged_into_id", "contact_id"),
            who_name=Coalesce("contact__merged_into__display_name", "contact__display_name"),
        )
    elif not key:
        rows = rows.annotate(all=Value(""))
        key = label = "all"
    grouped = rows.values(*dict.fromkeys((key, label))).annotate(
        sessions=Count("session_id", distinct=True),
        n=Sum("calls"),
        taken=Sum("input_tokens"),
        given=Sum("output_tokens"),
        cost=Sum("cost_usd"),
        unknown=Sum("unpriced"),
    )
    order = ("day",) if by == "day" else ("-cost", "-n", F(key).asc(nulls_last=True))
    return [
        CostLine(
            key=str(row[key] if row[key] is not None else ""),
            label=str(row[label] if row[label] is not None else ""),
            sessions=row["sessions"],
            calls=row["n"],
            input_tokens=row["taken"],
            output_tokens=row["given"],
            cost_usd=row["cost"],
            unpriced=row["unknown"],
        )
        for row in grouped.order_by(*order)[:limit]
        if row["n"] is not None  # one row of nothing, where everything is one group
    ]


def quality(scope: Scope) -> list[QualityLine]:
    """Return each model in each kind of session, the most asked first. One statement."""
    rows = (
        usage(scope)
        .exclude(model="")
        .values("provider", "model", "session_type")
        .annotate(
            n=Sum("calls"),
            up=Sum("thumbs_up"),
            down=Sum("thumbs_down"),
            flagged=Sum("flags"),
            cost=Sum("cost_usd"),
        )
        .order_by("-n", "model", "session_type", "provider")
    )
    return [
        QualityLine(
            provider=row["provider"],
            model=row["model"],
            session_type=row["session_type"],
            calls=row["n"],
            thumbs_up=row["up"],
            thumbs_down=row["down"],
            flags=row["flagged"],
            cost_usd=row["cost"],
        )
        for row in rows
    ]


TUTORING: Final = """
WITH people AS (
    SELECT id, coalesce(merged_into_id, id) AS who FROM crm_contacts
), placed AS (
    SELECT id AS template_id, course_id FROM assessment_templates WHERE course_id IS NOT NULL
    UNION
    SELECT a.definition_id, c.definition_id
    FROM assessment_placements p
    JOIN assessment_versions a ON a.id = p.assessment_version_id
    JOIN course_versions c ON c.id = p.version_id
    WHERE c.status <> 'draft'
), tried AS (
    SELECT a.id, w.who, t.course_id, a.submitted_at, r.passed
    FROM assessment_attempts a
    JOIN placed t ON t.template_id = a.template_id
    JOIN people w ON w.id = a.contact_id
    JOIN cohort_enrollments e ON e.id = a.enrollment_id
    JOIN program_cohorts c ON c.id = e.cohort_id
    JOIN program_versions v ON v.id = c.program_version_id
    JOIN assessment_results r ON r.attempt_id = a.id AND r.is_final AND NOT r.is_void
        AND NOT EXISTS (
            SELECT FROM assessment_results n
            WHERE n.attempt_id = r.attempt_id AND n.revision > r.revision
        )
    WHERE a.submitted_at IS NOT NULL
        AND (%(cohorts)s::uuid[] IS NULL OR e.cohort_id = ANY(%(cohorts)s::uuid[]))
        AND (%(program)s::uuid IS NULL OR v.definition_id = %(program)s::uuid)
        AND (%(since)s::date IS NULL
            OR (a.submitted_at AT TIME ZONE c.timezone)::date >= %(since)s::date)
        AND (%(until)s::date IS NULL
            OR (a.submitted_at AT TIME ZONE c.timezone)::date <= %(until)s::date)
), tutored AS (
    SELECT DISTINCT w.who, v.definition_id AS course_id, s.started_at
    FROM ai_sessions s
    JOIN people w ON w.id = s.contact_id
    JOIN module_items m ON m.id = s.module_item_id
    JOIN course_versions v ON v.id = m.version_id
    WHERE s.session_type = 'tutoring'
        AND EXISTS (SELECT FROM ai_interactions i WHERE i.session_id = s.id)
), judged AS (
    SELECT x.course_id, x.passed, EXISTS (
        SELECT FROM tutored u
        WHERE u.who = x.who AND u.course_id = x.course_id
            AND u.started_at < x.submitted_at AND u.started_at >= x.submitted_at - %(window)s
    ) AS is_tutored
    FROM tried x
)
SELECT j.course_id, c.title, count(*), count(*) FILTER (WHERE j.passed),
    count(*) FILTER (WHERE j.is_tutored), count(*) FILTER (WHERE j.is_tutored AND j.passed)
FROM judged j JOIN courses c ON c.id = j.course_id
GROUP BY 1, 2 ORDER BY c.title, j.course_id
"""


def tutoring_before_a_pass(scope: Scope, *, window: timedelta) -> list[TutoringLine]:
    """Return, by course, how often attempts were passed with tutoring in the window before them.

    Counted are final attempts that stand, by the day on which they were handed in; a tutoring
    session counts when it was about an item of the same course and began within the window. One
    statement.
    """
    cohorts = None if scope.cohorts is None else sorted(scope.cohorts)
    with connection.cursor() as cursor:
        cursor.execute(
            TUTORING,
            {
                "cohorts": cohorts,
                "program": scope.program_id,
                "since": scope.since,
                "until": scope.until,
                "window": window,
            },
        )
        return [TutoringLine(*row) for row in cursor.fetchall()]
