"""`manage.py audit --replay` finds nothing in an honest history, and every planted lie."""

from __future__ import annotations

from io import StringIO

import psycopg
import pytest
from django.core.management import CommandError, call_command
from psycopg import sql

from tests.credentials.factories import world
from tests.database import ORG_A, Server

SCHEMA = f"org_{ORG_A.hex}"


def audit() -> tuple[int, str]:
    """Return the exit code and what was printed."""
    printed = StringIO()
    try:
        call_command("audit", replay=True, organization="a", stdout=printed, no_color=True)
    except SystemExit as ended:
        return int(ended.code or 0), printed.getvalue()
    return 0, printed.getvalue()


# Table, what a superuser writes into its newest row, and the check that must name it.
LIES = [
    ("assessment_results", "percent = percent / 2", "assessment.assessmentresult"),
    ("assessment_results", "facts_hash = repeat('0', 64)", "assessment.assessmentresult"),
    ("grading_events", "score = 0", "assessment.gradingevent"),
    ("requirement_evaluations", "facts_hash = repeat('0', 64)", "requirementevaluation"),
    ("requirement_evaluations", "reason = 'deadline_missed'", "requirementevaluation"),
    ("certification_awards", "legal_name = 'Eve'", "certificationaward"),
    ("certification_awards", "certificate_number = 'X-1'", "certificationaward"),
]


def test_an_honest_history_replays_without_a_difference(own_database: str) -> None:
    world().awarded()

    code, printed = audit()

    assert (code, printed.splitlines()[-1]) == (0, "no difference")


@pytest.mark.parametrize(("table", "lie", "named"), LIES, ids=[f"{t}: {w}" for t, w, _n in LIES])
def test_a_planted_lie_is_found_and_named(
    own_database: str, server: Server, table: str, lie: str, named: str
) -> None:
    world().awarded()
    with psycopg.connect(server.superuser_url, dbname=own_database) as superuser:
        superuser.execute("SET LOCAL session_replication_role = replica")
        name = sql.Identifier(SCHEMA, table)
        superuser.execute(
            sql.SQL("UPDATE {} SET {} WHERE id = (SELECT max(id::text)::uuid FROM {})").format(
                name,
                sql.SQL(lie),  # type: ignore[arg-type]
                name,
            )
        )

    code, printed = audit()

    assert code == 1
    assert named in printed


def test_an_unknown_organisation_is_refused(own_database: str) -> None:
    with pytest.raises(CommandError, match="no organisation"):
        call_command("audit", replay=True, organization="nowhere")
