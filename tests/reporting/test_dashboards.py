"""Dashboards: the numbers, who sees them, and what they cost."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.cohorts.services import schedule_session, withdraw
from apps.cohorts.services.sessions import Meeting
from apps.organizations.models import OrgRole
from apps.reporting.charts import Table
from apps.reporting.drawing import charts
from apps.reporting.selectors.dashboards import (
    AssessmentScores,
    CompletionTimes,
    Funnel,
    Scope,
    attendance_by_session,
    completion_times,
    funnel,
    scores,
)
from apps.reporting.spreadsheets import csv_response
from tests.assessment.factories import RIGHT, WRONG, Scene, staff_of
from tests.clients import browser
from tests.cohorts.factories import NOON, open_cohort
from tests.credentials.factories import World, world
from tests.factories import member
from tests.outbox import drain
from tests.programs.factories import published_course, published_program
from tests.reporting.factories import DAY
from tests.requirements.factories import attend, complete_item, sessions_of

pytestmark = pytest.mark.django_db

PAGE = "/admin/reporting/factprogress/"


@pytest.fixture
def it() -> World:
    """Ada completed and is certified, Bea failed the quiz, Cleo left, Dan has not begun."""
    ada = world()
    bea, cleo, dan = (ada.another(name) for name in ("Bea", "Cleo", "Dan"))
    first, second = sessions_of(ada.enrollment, 2)
    complete_item(ada.enrollment, "intro", at=NOON + 3 * DAY)
    ada.awarded()
    complete_item(bea.enrollment, "intro", at=NOON + DAY)
    bea.scene.graded(WRONG)
    for one, status in ((ada, "present"), (bea, "late"), (cleo, "absent"), (dan, "excused")):
        attend(one.enrollment, first, status, by=ada.scene.grader)
    attend(ada.enrollment, second, "present", by=ada.scene.grader)
    withdraw(enrollment=cleo.enrollment, actor=None, at=NOON)
    schedule_session(
        cohort=ada.scene.cohort,
        meeting=Meeting("Later"),
        starts_at=NOON + 30 * DAY,
        ends_at=NOON + 30 * DAY + timedelta(hours=1),
        actor=None,
    )
    drain("learner.advance", "assessment.grade")
    return ada


def test_numbers_are_those_of_what_happened(it: World) -> None:
    everything = Scope()

    assert funnel(everything) == Funnel(
        enrolled=4, started=2, halfway=2, completed=1, certified=1, withdrawn=1
    )
    assert [
        (one.title, one.present, one.late, one.excused, one.absent, one.unrecorded)
        for one in attendance_by_session(everything, at=NOON)
    ] == [("Day 1", 1, 1, 1, 1, 0), ("Day 2", 1, 0, 0, 0, 3)]
    assert scores(everything) == [
        AssessmentScores(
            template_id=it.scene.template.id,
            title="Quiz",
            results=2,
            passed=1,
            mean_percent=Decimal("50.0"),
            deciles=(1, 0, 0, 0, 0, 0, 0, 0, 0, 1),
        )
    ]
    assert completion_times(everything) == CompletionTimes((3,), (date(2026, 3, 5),))


@pytest.mark.parametrize(
    "scope",
    [
        lambda it: Scope(cohorts=frozenset()),
        lambda it: Scope(cohorts=frozenset([it.enrollment.id])),
        lambda it: Scope(program_id=it.enrollment.id),
        lambda it: Scope(since=date(2026, 3, 6)),
        lambda it: Scope(until=date(2026, 2, 27)),
    ],
    ids=["no cohort", "another cohort", "another program", "later", "earlier"],
)
def test_outside_of_the_scope_there_is_nothing(it: World, scope: Callable[[World], Scope]) -> None:
    elsewhere = scope(it)

    assert funnel(elsewhere) == Funnel(0, 0, 0, 0, 0, 0)
    assert attendance_by_session(elsewhere, at=NOON) == []
    assert scores(elsewhere) == []
    assert completion_times(elsewhere) == CompletionTimes((), ())


def test_days_bound_sessions_by_when_they_were_held(it: World) -> None:
    found = attendance_by_session(Scope(since=date(2026, 3, 1), until=date(2026, 3, 1)), at=NOON)

    assert [one.title for one in found] == ["Day 2"]


def test_the_page_shows_every_chart_with_its_table_and_no_inline_style(it: World) -> None:
    page = browser(member(OrgRole.AUDITOR)).get(PAGE)

    html = page.content.decode()
    assert page.status_code == 200
    assert re.findall(r'<svg class="chart"[^>]*aria-labelledby="(\w+)-title', html) == [
        "funnel",
        "attendance",
        "scores",
        "assessments",
        "times",
        "completions",
    ]
    assert html.count("<details>") == 6
    assert " style=" not in html
    assert "Of 4 enrolments 1 completed the program, 1 withdrew." in html


def test_a_chart_is_sent_as_csv_for_what_is_chosen(it: World) -> None:
    office = browser(member(OrgRole.OWNER))
    cohort = it.scene.cohort

    answer = office.get(PAGE, {"csv": "attendance", "cohort": cohort.id, "until": "2026-02-28"})

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="attendance.csv"'
    assert answer.content.decode("utf-8-sig").splitlines() == [
        "Session,Cohort,Day,Present,Late,Excused,Absent,Not recorded,Attended",
        "Day 1,Spring,2026-02-28,1,1,1,1,0,50 %",
    ]
    assert office.get(PAGE, {"csv": "nothing"}).status_code == 404


def test_instructors_see_the_numbers_of_their_cohorts_only(it: World) -> None:
    elsewhere = open_cohort(published_program(published_course("two"), slug="two"), slug="other")
    stranger, own = browser(staff_of(elsewhere)), browser(staff_of(it.scene.cohort))

    assert "Of 4 enrolments" in own.get(PAGE).content.decode()
    page = stranger.get(PAGE).content.decode()
    assert "Of 0 enrolments" in page
    assert it.scene.cohort.title not in page
    named = stranger.get(PAGE, {"cohort": it.scene.cohort.id}).content.decode()
    assert '<svg class="chart"' not in named
    assert stranger.get(PAGE, {"cohort": it.scene.cohort.id, "csv": "funnel"}).status_code == 404


def test_learners_and_strangers_see_nothing(it: World) -> None:
    assert browser(member(OrgRole.LEARNER)).get(PAGE).status_code in (302, 403)
    assert browser().get(PAGE).status_code == 302


def test_days_in_the_wrong_order_and_no_days_are_told() -> None:
    office = browser(member(OrgRole.OWNER))

    wrong = office.get(PAGE, {"since": "2026-03-02", "until": "2026-03-01"}).content.decode()
    assert "This day is before the first one." in wrong
    assert "Enter a valid date." in office.get(PAGE, {"since": "soon"}).content.decode()


def test_an_organisation_without_facts_has_an_empty_page() -> None:
    page = browser(member(OrgRole.OWNER)).get(PAGE).content.decode()

    assert "Nothing to count yet." in page


def test_dashboards_take_as_many_statements_for_twenty_as_for_two(it: World) -> None:
    def spent() -> int:
        with CaptureQueriesContext(connection) as captured:
            charts(Scope(), at=NOON)
        return len(captured)

    before = spent()
    for number in range(16):
        other = it.another(f"L{number}")
        scene = other.scene
        Scene(scene.version, scene.cohort, other.enrollment, scene.grader, scene.items).graded(
            RIGHT
        )
    drain("learner.advance", "assessment.grade")

    assert (before, spent()) == (5, 5)


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_csv_holds_no_formula(cell: Any) -> None:
    sent = csv_response("x", Table(("a",), ((cell,), (-1,)))).content.decode("utf-8-sig")

    assert sent.splitlines()[1:] == [f"'{cell}", "-1"]
