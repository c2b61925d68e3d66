"""The health checklist of one organisation: what the walls forbid, looked for all the same.

Each check names the rows that should not be there. With the walls up none can come about, but for
a projection that somebody wrote past the services and work that failed until it was parked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import transaction

from apps.ai_logs.models import AiSession
from apps.ai_logs.services.sessions import SESSION_CHANGED, lock_sessions
from apps.cohorts.models import CohortEnrollment
from apps.cohorts.services.progress import ADVANCE, progress_unlike_events
from apps.contacts.services import lock_learners
from apps.core.models import OutboxMessage
from apps.core.tenancy import connection
from apps.reporting import ports
from apps.reporting.models import FactAiUsage
from apps.reporting.selectors.ai_sources import ai_usage_differences
from apps.reporting.selectors.sources import FACT_TABLES, places_of

BATCH: Final = 1_000

Search = Callable[[], list[UUID]]


@dataclass(frozen=True)
class Check:
    """One line of the checklist: a stable name, what it proves, and the search for offenders."""

    name: str
    proves: str
    search: Search


@dataclass(frozen=True)
class Outcome:
    """What a check found: the ids of the offending rows, in their order."""

    check: Check
    ids: tuple[UUID, ...]

    @property
    def faults(self) -> int:
        return len(self.ids)


def run_checklist() -> list[Outcome]:
    """Return the outcome of every check in the organisation in force."""
    return [Outcome(check, tuple(sorted(check.search()))) for check in CHECKS]


def _rows(statement: str) -> Search:
    """Return the search by a statement that selects ids."""

    def search() -> list[UUID]:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return [row_id for (row_id,) in cursor.fetchall()]

    return search


DECISIONS: Final = """
SELECT e.id FROM requirement_evaluations e
WHERE NOT EXISTS (
    SELECT FROM requirement_evidence_links l
    WHERE l.evaluation_id = e.id AND l.id = e.primary_evidence_id
)
UNION
SELECT l.evaluation_id FROM requirement_evidence_links l
LEFT JOIN assessment_results r ON r.id = l.result_id
LEFT JOIN session_attendance_records a ON a.id = l.attendance_id
LEFT JOIN progress_events p ON p.id = l.event_id
LEFT JOIN requirement_signoffs s ON s.id = l.signoff_id
LEFT JOIN requirement_waivers w ON w.id = l.waiver_id
LEFT JOIN requirement_assignments g ON g.id = l.assignment_id
LEFT JOIN requirement_evaluations d ON d.id = l.decision_id
WHERE coalesce(r.id, a.id, p.id, s.id, w.id, g.id, d.id) IS NULL
UNION
SELECT r.id FROM assessment_results r
WHERE r.is_final
    AND NOT EXISTS (SELECT FROM grading_events g WHERE g.attempt_id = r.attempt_id)
"""

# An attempt names its template, a version of that template, and items of that version.
CONTEXT: Final = """
SELECT a.id FROM assessment_attempts a
LEFT JOIN assessment_versions v ON v.id = a.version_id AND v.definition_id = a.template_id
LEFT JOIN assessment_templates t ON t.id = a.template_id
WHERE v.id IS NULL OR t.id IS NULL OR CASE
    WHEN jsonb_typeof(a.item_order) <> 'array' THEN true
    WHEN jsonb_array_length(a.item_order) = 0 THEN true
    ELSE EXISTS (
        SELECT FROM jsonb_array_elements_text(a.item_order) AS drawn (item)
        WHERE NOT EXISTS (
            SELECT FROM assessment_items i
            WHERE i.version_id = a.version_id AND i.id::text = drawn.item
        )
    )
END
"""

# An award rests on a satisfied evaluation of the same learner under the set that earns it.
ANCHORS: Final = """
SELECT a.id FROM certification_awards a
LEFT JOIN requirement_evaluations e ON e.id = a.evaluation_id
    AND e.contact_id = a.contact_id AND e.enrollment_id = a.enrollment_id
    AND e.status = 'satisfied'
LEFT JOIN requirement_set_versions s ON s.id = e.set_version_id
LEFT JOIN certification_template_versions v ON v.id = a.template_version_id
    AND v.requirement_set_id = s.definition_id
WHERE v.id IS NULL OR NOT EXISTS (
    SELECT FROM requirement_evidence_links l WHERE l.evaluation_id = e.id
)
"""

ATTENDANCE: Final = """
SELECT r.id FROM session_attendance_records r
LEFT JOIN cohort_enrollments e ON e.id = r.enrollment_id
    AND e.contact_id = r.contact_id AND e.cohort_id = r.cohort_id
LEFT JOIN program_cohort_sessions s ON s.id = r.session_id AND s.cohort_id = r.cohort_id
WHERE e.id IS NULL OR s.id IS NULL
"""

ASSESSMENTS: Final = """
SELECT a.id FROM assessment_attempts a
LEFT JOIN cohort_enrollments e ON e.id = a.enrollment_id AND e.contact_id = a.contact_id
WHERE e.id IS NULL
UNION
SELECT r.id FROM assessment_results r
LEFT JOIN assessment_attempts a ON a.id = r.attempt_id
WHERE a.id IS NULL
"""


# Sums and costs in one statement: they are written in one transaction.
SPENDING: Final = """
WITH costs AS (
    SELECT date_trunc('month', i.occurred_at AT TIME ZONE 'UTC')::date AS month,
        coalesce(sum(c.amount) FILTER (WHERE c.currency = 'USD'), 0) AS amount,
        count(*) FILTER (WHERE c.amount IS NULL OR c.currency <> 'USD') AS unpriced
    FROM ai_interaction_costs c
    JOIN ai_interactions i ON i.id = c.interaction_id
    WHERE NOT EXISTS (
        SELECT FROM ai_interaction_costs n
        WHERE n.interaction_id = c.interaction_id AND n.revision > c.revision
    )
    GROUP BY 1
), sums AS (
    SELECT month, sum(amount) AS amount, sum(unpriced) AS unpriced, min(id::text)::uuid AS id
    FROM ai_month_spend GROUP BY month
)
SELECT coalesce(
    s.id,
    (SELECT min(i.id::text)::uuid FROM ai_interactions i
     WHERE date_trunc('month', i.occurred_at AT TIME ZONE 'UTC')::date = c.month)
)
FROM costs c FULL JOIN sums s ON s.month = c.month
WHERE (c.amount, c.unpriced) IS DISTINCT FROM (s.amount, s.unpriced)
"""


def _in_batches(search: Callable[[list[UUID]], set[UUID]]) -> Search:
    """Return a search among all enrolments that looks at each suspect again, under its lock.

    What the pipeline still owes somebody is late, not wrong.
    """

    def found() -> list[UUID]:
        ids = list(CohortEnrollment.objects.order_by("id").values_list("id", flat=True))
        batches = [ids[start : start + BATCH] for start in range(0, len(ids), BATCH)]
        return [one for batch in batches for one in _confirmed(batch, search)]

    return found


def _confirmed(batch: list[UUID], search: Callable[[list[UUID]], set[UUID]]) -> set[UUID]:
    suspects = sorted(search(batch))
    if not suspects:
        return set()
    with transaction.atomic():
        lock_learners(
            CohortEnrollment.objects.filter(id__in=suspects).values_list("contact_id", flat=True)
        )
        owed = OutboxMessage.objects.filter(
            topic=ADVANCE, key__in=[str(one) for one in suspects], parked_at=None
        )
        late = set(owed.values_list("key", flat=True))
        return search([one for one in suspects if str(one) not in late])


def _facts_unlike_sources(enrollment_ids: list[UUID]) -> set[UUID]:
    places = places_of(enrollment_ids)
    return {
        enrollment_id
        for table in FACT_TABLES
        for enrollment_id in table.differences(enrollment_ids, places).enrollments
    }


def _ai_usage_unlike_log() -> list[UUID]:
    """Return the sessions whose facts differ from the log and are owed no news of it."""
    ids = list(AiSession.objects.order_by("id").values_list("id", flat=True))
    found: list[UUID] = []
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        suspects = _sessions_unlike_log(batch)
        if suspects:
            with transaction.atomic():
                lock_sessions(suspects)
                owed = OutboxMessage.objects.filter(topic=SESSION_CHANGED, parked_at=None)
                late = set(owed.filter(key__in=map(str, suspects)).values_list("key", flat=True))
                found += _sessions_unlike_log([one for one in suspects if str(one) not in late])
    return found


def _sessions_unlike_log(session_ids: list[UUID]) -> list[UUID]:
    gone, new = ai_usage_differences(session_ids)
    stale = FactAiUsage.objects.filter(id__in=gone).values_list("session_id", flat=True)
    return sorted({*stale, *(row[0] for row in new)})


def _parked() -> list[UUID]:
    parked = OutboxMessage.objects.filter(parked_at__isnull=False)
    return list(parked.values_list("id", flat=True))


CHECKS: Final = (
    Check(
        "decisions-without-evidence",
        "Every evaluation rests on evidence that is there, and every final result on grading.",
        _rows(DECISIONS),
    ),
    Check(
        "attempts-without-context",
        "Every attempt names its assessment, a version of it, and items of that version.",
        _rows(CONTEXT),
    ),
    Check(
        "awards-without-outcome",
        "Every award rests on a satisfied evaluation of its learner, under the set that earns it.",
        _rows(ANCHORS),
    ),
    Check(
        "attendance-without-enrolment",
        "Every attendance record joins an enrolment and a session of its cohort.",
        _rows(ATTENDANCE),
    ),
    Check(
        "assessments-without-enrolment",
        "Every attempt joins an enrolment of its learner, and every result an attempt.",
        _rows(ASSESSMENTS),
    ),
    Check(
        "progress-unlike-events",
        "Course progress is what the events add up to. Told are enrolments.",
        _in_batches(progress_unlike_events),
    ),
    Check(
        "facts-unlike-sources",
        "Facts are what their sources say. Told are enrolments.",
        _in_batches(_facts_unlike_sources),
    ),
    Check(
        "documents-unlike-content",
        "The search index says what is published. Told are courses, programs and assessments.",
        ports.documents_unlike_content,
    ),
    Check(
        "ai-usage-unlike-log",
        "Facts about AI are what the log says. Told are sessions.",
        _ai_usage_unlike_log,
    ),
    Check(
        "ai-spending-unlike-costs",
        "What a month's AI calls cost is the sum of their costs. Told are parts of the sum.",
        _rows(SPENDING),
    ),
    Check(
        "parked-messages",
        "No work that is owed has failed until it was parked.",
        _parked,
    ),
)
