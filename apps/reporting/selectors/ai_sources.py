"""What the facts of AI conversations should be, read from the log."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final
from uuid import UUID

from apps.core.tenancy import connection

COLUMNS: Final = (
    "session_id",
    "day",
    "provider",
    "model",
    "contact_id",
    "enrollment_id",
    "cohort_id",
    "program_id",
    "course_id",
    "session_type",
    "calls",
    "input_tokens",
    "output_tokens",
    "cost_usd",
    "unpriced",
    "thumbs_up",
    "thumbs_down",
    "flags",
)
KEY: Final = 4
"""So many of the columns say what a row is about."""

Row = tuple[Any, ...]

READ: Final = """
SELECT s.id,
    (i.occurred_at AT TIME ZONE coalesce(c.timezone, 'UTC'))::date,
    i.provider,
    CASE WHEN i.responded_model <> '' THEN i.responded_model ELSE i.requested_model END,
    s.contact_id, s.enrollment_id, e.cohort_id, p.definition_id, v.definition_id, s.session_type,
    count(*) FILTER (WHERE i.role = 'assistant' AND i.call_id IS NULL),
    coalesce(sum(i.input_tokens), 0)::bigint,
    coalesce(sum(i.output_tokens), 0)::bigint,
    coalesce(sum(k.amount) FILTER (WHERE k.currency = 'USD'), 0),
    count(k.id) FILTER (WHERE k.amount IS NULL OR k.currency <> 'USD'),
    coalesce(sum(f.up), 0)::int, coalesce(sum(f.down), 0)::int, coalesce(sum(f.flags), 0)::int
FROM ai_sessions s
JOIN ai_interactions i ON i.session_id = s.id
LEFT JOIN cohort_enrollments e ON e.id = s.enrollment_id
LEFT JOIN program_cohorts c ON c.id = e.cohort_id
LEFT JOIN program_versions p ON p.id = c.program_version_id
LEFT JOIN module_items m ON m.id = s.module_item_id
LEFT JOIN course_versions v ON v.id = m.version_id
LEFT JOIN ai_interaction_costs k ON k.interaction_id = i.id AND NOT EXISTS (
    SELECT FROM ai_interaction_costs n
    WHERE n.interaction_id = k.interaction_id AND n.revision > k.revision
)
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE b.rating = 'thumbs_up') AS up,
        count(*) FILTER (WHERE b.rating = 'thumbs_down') AS down,
        count(*) FILTER (WHERE b.rating = 'flag') AS flags
    FROM ai_feedback b
    WHERE b.interaction_id = i.id AND NOT EXISTS (
        SELECT FROM ai_feedback n
        WHERE n.interaction_id = b.interaction_id AND n.contact_id = b.contact_id
            AND n.revision > b.revision
    )
) f ON true
WHERE s.id = ANY(%s)
    AND ((i.role = 'assistant' AND i.call_id IS NULL) OR f.up + f.down + f.flags > 0)
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
"""

STORED: Final = f"""
SELECT id, {", ".join(COLUMNS)} FROM fact_ai_usage WHERE session_id = ANY(%s)
"""  # noqa: S608 - names of our own columns


def ai_usage_differences(
    session_ids: Collection[UUID],
) -> tuple[list[UUID], list[Row]]:
    """Return the rows of these sessions that should not be there, and those that should.

    A row that changed is one of each. Two statements.
    """
    with connection.cursor() as cursor:
        cursor.execute(READ, [list(session_ids)])
        right = set(cursor.fetchall())
        cursor.execute(STORED, [list(session_ids)])
        stored = {row[1:]: row[0] for row in cursor.fetchall()}
    gone = [row_id for row, row_id in stored.items() if row not in right]
    return gone, sorted((row for row in right if row not in stored), key=lambda row: row[:KEY])
