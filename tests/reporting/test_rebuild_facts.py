"""`manage.py rebuild_facts`, and the step that is owed where facts are new."""

from __future__ import annotations

from importlib import import_module
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.core.tenancy import connection
from tests.assessment.factories import RIGHT, scene
from tests.outbox import drain
from tests.reporting.factories import facts, forget_facts

pytestmark = pytest.mark.django_db


def test_rebuild_facts_says_how_many_rows_were_not_right() -> None:
    scene().graded(RIGHT)
    drain()
    right = facts()
    forget_facts()

    printed = StringIO()
    for _ in range(2):
        call_command("rebuild_facts", organization="a", stdout=printed)

    assert printed.getvalue().splitlines() == [
        "a: rows mended: fact_attendance 0, fact_assessment 1, fact_progress 1, fact_ai_usage 0",
        "a: rows mended: fact_attendance 0, fact_assessment 0, fact_progress 0, fact_ai_usage 0",
    ]
    assert facts() == right


def test_rebuild_facts_of_an_unknown_organisation_is_refused() -> None:
    with pytest.raises(CommandError, match="no organisation"):
        call_command("rebuild_facts", organization="nowhere")


def test_who_was_there_before_the_tables_is_owed_facts() -> None:
    scene().graded(RIGHT)
    drain()
    right = facts()
    forget_facts()

    with connection.cursor() as cursor:
        cursor.execute(import_module("apps.reporting.migrations.0002_walls").OWE_FACTS)
    drain()

    assert facts() == right
