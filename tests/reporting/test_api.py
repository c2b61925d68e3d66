"""/v1/reports: the numbers of the dashboards, to whom they may be told."""

from __future__ import annotations

from typing import Any

import pytest

from apps.core.ids import uuid7
from apps.organizations.models import OrgRole
from tests.assessment.factories import WRONG, Scene, scene, staff_of
from tests.clients import api, problem_of
from tests.cohorts.factories import NOON, open_cohort
from tests.factories import member
from tests.outbox import drain
from tests.programs.factories import published_course, published_program
from tests.programs.statements import statements
from tests.reporting.factories import DAY
from tests.requirements.factories import attend, complete_item, sessions_of

pytestmark = pytest.mark.django_db

REPORTS = ("funnel", "attendance", "scores", "completion-times")
NOTHING = {
    "funnel": dict.fromkeys(
        ("enrolled", "started", "halfway", "completed", "certified", "withdrawn"), 0
    ),
    "attendance": {"sessions": []},
    "scores": {"assessments": []},
    "completion-times": {"median_days": None, "days": [], "completed_on": []},
}


@pytest.fixture
def it() -> Scene:
    """Ada was there, did the reading and failed the quiz."""
    found = scene()
    [session] = sessions_of(found.enrollment, 1)
    attend(found.enrollment, session, "late", by=found.grader)
    complete_item(found.enrollment, "intro", at=NOON + DAY)
    found.graded(WRONG)
    drain()
    return found


def told(client: Any, **chosen: Any) -> dict[str, Any]:
    answers = {name: client.get(f"/v1/reports/{name}", chosen) for name in REPORTS}
    assert {answer.status_code for answer in answers.values()} == {200}
    return {name: answer.json() for name, answer in answers.items()}


def test_reports_tell_what_happened(it: Scene) -> None:
    answer = told(api(member(OrgRole.AUDITOR)), cohort=it.cohort.id, since="2026-03-01")

    assert answer == {
        "funnel": {
            "enrolled": 1,
            "started": 1,
            "halfway": 1,
            "completed": 0,
            "certified": 0,
            "withdrawn": 0,
        },
        "attendance": {
            "sessions": [
                {
                    "session": str(it.cohort.sessions.get().id),
                    "title": "Day 1",
                    "cohort_title": "Spring",
                    "held_on": "2026-03-01",
                    "is_required": True,
                    "present": 0,
                    "late": 1,
                    "excused": 0,
                    "absent": 0,
                    "unrecorded": 0,
                }
            ]
        },
        "scores": {
            "assessments": [
                {
                    "assessment": str(it.template.id),
                    "title": "Quiz",
                    "results": 1,
                    "passed": 0,
                    "mean_percent": "0.0",
                    "deciles": [1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
                }
            ]
        },
        "completion-times": NOTHING["completion-times"],
    }


def test_instructors_are_told_of_their_cohorts_only(it: Scene) -> None:
    elsewhere = open_cohort(published_program(published_course("two"), slug="two"), slug="other")
    stranger = api(staff_of(elsewhere))

    assert told(stranger) == NOTHING
    assert told(api(staff_of(it.cohort)))["funnel"]["enrolled"] == 1
    for name in REPORTS:
        for chosen in (
            {"cohort": it.cohort.id},
            {"program": it.cohort.program_version.definition_id},
        ):
            refused = problem_of(stranger.get(f"/v1/reports/{name}", chosen))
            assert refused == (404, "urn:assay:problem:not-found")


def test_learners_and_strangers_are_told_nothing(it: Scene) -> None:
    for name in REPORTS:
        assert api(member(OrgRole.LEARNER)).get(f"/v1/reports/{name}").status_code == 403
        assert api().get(f"/v1/reports/{name}").status_code == 401


@pytest.mark.parametrize(
    ("chosen", "status", "field"),
    [
        ({"cohort": "x"}, 422, "cohort"),
        ({"since": "soon"}, 422, "since"),
        ({"since": "2026-03-02", "until": "2026-03-01"}, 422, "until"),
        ({"colour": "red"}, 422, "colour"),
        ({"cohort": uuid7()}, 404, "cohort"),
        ({"program": uuid7()}, 404, "program"),
    ],
)
def test_a_scope_that_cannot_be_is_refused(chosen: dict[str, Any], status: int, field: str) -> None:
    answer = api(member(OrgRole.OWNER)).get("/v1/reports/funnel", chosen)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (status, field)


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_takes_as_many_statements_for_twenty_as_for_two(name: str) -> None:
    life = scene()
    client = api(member(OrgRole.OWNER))
    address = f"/v1/reports/{name}?cohort={life.cohort.id}"
    sessions_of(life.enrollment, 2)
    drain()
    few = statements(client, address)
    sessions_of(life.enrollment, 18)
    life.graded(WRONG)
    drain()

    assert statements(client, address) == few
