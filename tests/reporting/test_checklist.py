"""`manage.py audit` finds nothing in an honest organisation, and every planted fault."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from psycopg import sql

from apps.cohorts.models import AttendanceRecord, CohortEnrollment
from apps.core.models import OutboxMessage
from apps.core.outbox import owe
from apps.reporting.checklist import CHECKS
from apps.reporting.models import FactProgress
from tests.ai_logs.factories import conversation
from tests.cohorts.factories import NOON
from tests.credentials.factories import World, world
from tests.database import ORG_A, Server
from tests.outbox import drain
from tests.requirements.factories import attend, sessions_of

SCHEMA = f"org_{ORG_A.hex}"


def audit(**options: Any) -> tuple[int, str]:
    """Return the exit code and what was printed."""
    printed = StringIO()
    try:
        call_command("audit", organization="a", stdout=printed, no_color=True, **options)
    except SystemExit as ended:
        return int(ended.code or 0), printed.getvalue()
    return 0, printed.getvalue()


def found() -> dict[str, list[str]]:
    """Return check -> ids, of the checks that found something."""
    code, printed = audit(as_json=True, ids=100)
    told = json.loads(printed)
    assert code == bool(told["faults"])
    [organization] = told["organizations"]
    assert [check["name"] for check in organization["checks"]] == [check.name for check in CHECKS]
    return {check["name"]: check["ids"] for check in organization["checks"] if check["faults"]}


def lived_in() -> World:
    """Return a world with an award, attendance, a quiz, a sign-off and a tutor; nothing is owed."""
    it = world()
    [session] = sessions_of(it.enrollment, 1)
    attend(it.enrollment, session, "present", by=it.scene.grader)
    it.awarded()
    conversation(it.enrollment.contact, enrollment=it.enrollment)
    drain("learner.advance", "assessment.grade", "ai_logs.session_changed")
    return it


@pytest.fixture
def superuser(server: Server, own_database: str) -> Iterator[psycopg.Connection]:
    """Somebody for whom the walls are off."""
    lived_in()
    with psycopg.connect(server.superuser_url, dbname=own_database, autocommit=True) as connected:
        connected.execute("SET session_replication_role = replica")
        connected.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(SCHEMA)))
        yield connected


def only_id(superuser: psycopg.Connection, table: str, where: str = "true") -> str:
    query = sql.SQL("SELECT id FROM {} WHERE {} ORDER BY id LIMIT 1").format(
        sql.Identifier(table),
        sql.SQL(where),  # type: ignore[arg-type]
    )
    [row_id] = superuser.execute(query).fetchone() or [None]
    return str(row_id)


# The check, what a superuser does, and the row that must be named.
FAULTS = [
    (
        "decisions-without-evidence",
        "DELETE FROM requirement_evidence_links WHERE signoff_id IS NOT NULL",
        ("requirement_evaluations", "node_id IN (SELECT node_id FROM requirement_signoffs)"),
    ),
    (
        "decisions-without-evidence",
        "DELETE FROM requirement_signoffs",
        (
            "requirement_evaluations",
            "node_id IN (SELECT id FROM requirement_nodes WHERE kind = 'signoff')",
        ),
    ),
    ("decisions-without-evidence", "DELETE FROM grading_events", ("assessment_results", "true")),
    (
        "attempts-without-context",
        "DELETE FROM assessment_versions",
        ("assessment_attempts", "true"),
    ),
    (
        "attempts-without-context",
        "DELETE FROM assessment_templates",
        ("assessment_attempts", "true"),
    ),
    (
        "attempts-without-context",
        "UPDATE assessment_attempts SET item_order = '[]'",
        ("assessment_attempts", "true"),
    ),
    (
        "attempts-without-context",
        "DELETE FROM assessment_items WHERE key = 'pi'",
        ("assessment_attempts", "true"),
    ),
    (
        "awards-without-outcome",
        "UPDATE certification_awards SET evaluation_id = gen_random_uuid()",
        ("certification_awards", "true"),
    ),
    (
        "awards-without-outcome",
        "UPDATE requirement_evaluations SET status = 'failed'",
        ("certification_awards", "true"),
    ),
    (
        "awards-without-outcome",
        "UPDATE certification_template_versions SET requirement_set_id = gen_random_uuid()",
        ("certification_awards", "true"),
    ),
    (
        "attendance-without-enrolment",
        "UPDATE session_attendance_records SET enrollment_id = gen_random_uuid()",
        ("session_attendance_records", "true"),
    ),
    (
        "attendance-without-enrolment",
        "DELETE FROM program_cohort_sessions",
        ("session_attendance_records", "true"),
    ),
    (
        "assessments-without-enrolment",
        "UPDATE assessment_attempts SET contact_id = gen_random_uuid()",
        ("assessment_attempts", "true"),
    ),
    (
        "assessments-without-enrolment",
        "DELETE FROM assessment_attempts",
        ("assessment_results", "true"),
    ),
    (
        "progress-unlike-events",
        "UPDATE course_progress SET percent_complete = 99",
        ("cohort_enrollments", "true"),
    ),
    (
        "facts-unlike-sources",
        "UPDATE fact_attendance SET status = 'absent'",
        ("cohort_enrollments", "true"),
    ),
    (
        "facts-unlike-sources",
        "DELETE FROM fact_assessment",
        ("cohort_enrollments", "true"),
    ),
    (
        "ai-usage-unlike-log",
        "UPDATE fact_ai_usage SET calls = calls + 1",
        ("ai_sessions", "true"),
    ),
    (
        "ai-usage-unlike-log",
        "DELETE FROM fact_ai_usage",
        ("ai_sessions", "true"),
    ),
    (
        "ai-spending-unlike-costs",
        "UPDATE ai_month_spend SET amount = amount + 1",
        ("ai_month_spend", "true"),
    ),
    (
        "ai-spending-unlike-costs",
        "DELETE FROM ai_month_spend",
        ("ai_interactions", "true"),
    ),
    (
        "parked-messages",
        "INSERT INTO outbox_messages (id, topic, key, payload, attempts, last_error, parked_at)"
        " VALUES (gen_random_uuid(), 'some.topic', 'x', '{}', 8, 'Broken', now())",
        ("outbox_messages", "parked_at IS NOT NULL"),
    ),
]


def test_a_planted_fault_is_found_and_named(superuser: psycopg.Connection) -> None:
    """Each fault in turn, planted and taken back: an honest organisation before and after."""
    assert found() == {}
    for check, fault, (table, where) in FAULTS:
        offender = only_id(superuser, table, where)
        tables = _kept(superuser)
        superuser.execute(fault)  # type: ignore[arg-type]
        if offender == "None":
            offender = only_id(superuser, table, where)
        named = found()
        assert offender in named.get(check, []), (check, fault, named)
        _restore(superuser, tables)
    assert found() == {}


def _kept(superuser: psycopg.Connection) -> list[str]:
    """Copy every table that faults are planted in; return their names."""
    touched = sorted(
        {fault.split()[1 + (not fault.startswith("UPDATE"))] for _c, fault, _w in FAULTS}
    )
    for table in touched:
        _on(superuser, "CREATE TEMP TABLE {1} AS TABLE {0}", table)
    return touched


def _restore(superuser: psycopg.Connection, tables: list[str]) -> None:
    for table in tables:
        _on(superuser, "DELETE FROM {0}", table)
        _on(superuser, "INSERT INTO {0} SELECT * FROM {1}", table)
        _on(superuser, "DROP TABLE {1}", table)


def _on(superuser: psycopg.Connection, statement: str, table: str) -> None:
    names = (sql.Identifier(table), sql.Identifier(f"kept_{table}"))
    superuser.execute(sql.SQL(statement).format(*names))  # type: ignore[arg-type]


@pytest.mark.django_db
def test_audit_counts_names_the_first_and_ends_in_one() -> None:
    first, second = (
        OutboxMessage.objects.create(topic="t", key=key, parked_at=NOON) for key in "ab"
    )

    code, printed = audit(ids=1)

    assert (code, printed.splitlines()) == (
        1,
        [
            *(f"a: {check.name}: 0" for check in CHECKS[:-1]),
            "a: parked-messages: 2",
            f"a:   {min(first.id, second.id)}",
            "a:   and 1 more",
            "2 faults",
        ],
    )


@pytest.mark.django_db
def test_audit_of_an_honest_organisation_says_so() -> None:
    lived_in()

    code, printed = audit()

    assert (code, printed.splitlines()) == (
        0,
        [*(f"a: {check.name}: 0" for check in CHECKS), "no fault"],
    )
    assert AttendanceRecord.objects.exists()


@pytest.mark.django_db
def test_what_the_pipeline_still_owes_is_late_and_no_fault() -> None:
    lived_in()
    enrollment = CohortEnrollment.objects.get()
    FactProgress.objects.update(percent_complete=1)
    assert found() == {"facts-unlike-sources": [str(enrollment.id)]}

    owe("learner.advance", str(enrollment.id))

    assert found() == {}


@pytest.mark.django_db
def test_options_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(CommandError, match="--json"):
        audit(replay=True, as_json=True)
    with pytest.raises(CommandError, match="--ids"):
        audit(ids=-1)
