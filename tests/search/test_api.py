"""GET /v1/search, as its clients see it."""

from __future__ import annotations

from typing import Any

import pytest

from apps.core.tenancy import tenant_context
from apps.core.versions import publish
from apps.organizations.models import OrgRole
from tests.assessment.factories import draft_assessment
from tests.clients import api, problem_of
from tests.factories import member
from tests.programs.factories import AUTHORED
from tests.search.factories import cohort_with, course_with, index_all, learner_of

pytestmark = pytest.mark.django_db


def test_search_answers_hits_with_what_they_are_part_of() -> None:
    version = course_with()
    lesson = version.items.get(title="Bleeding wounds")

    answer = api(member(OrgRole.OWNER)).get("/v1/search", {"q": "tourniquet"})

    assert answer.status_code == 200
    assert answer.json() == {
        "count": 1,
        "next": None,
        "previous": None,
        "results": [
            {
                "kind": "lesson",
                "id": str(lesson.id),
                "title": "Bleeding wounds",
                "title_html": "Bleeding wounds",
                "excerpt_html": "Pressure Press on the wound. A <mark>tourniquet</mark> stops"
                " heavy bleeding",
                "within": "First aid",
                "is_exact": True,
                "enrollment": None,
                "program": None,
                "program_version": None,
                "course": str(version.definition_id),
                "course_version": str(version.id),
                "assessment": None,
                "assessment_version": None,
            }
        ],
    }


def test_search_names_the_enrolment_to_a_learner() -> None:
    ada = member(OrgRole.LEARNER)
    enrollment = learner_of(cohort_with(course_with()), ada)

    (hit,) = api(ada).get("/v1/search", {"q": "tourniquet"}).json()["results"]

    assert hit["enrollment"] == str(enrollment.id)


def test_search_narrows_to_a_kind() -> None:
    course_with()
    publish(version=draft_assessment(), actor=None, at=AUTHORED)
    index_all()
    client = api(member(OrgRole.AUDITOR))

    def kinds(**asked: str) -> list[str]:
        return [hit["kind"] for hit in client.get("/v1/search", asked).json()["results"]]

    assert sorted(kinds(q="aid or capital or tourniquet")) == ["course", "lesson", "question"]
    assert kinds(q="aid or capital or tourniquet", kind="question") == ["question"]


def test_search_goes_through_pages() -> None:
    course_with({f"Bleeding {n}": "Press." for n in range(7)})
    client = api(member(OrgRole.OWNER))

    first = client.get("/v1/search", {"q": "bleeding", "page_size": 5}).json()
    second = client.get(first["next"]).json()

    assert (first["count"], len(first["results"]), len(second["results"])) == (7, 5, 2)
    assert second["next"] is None
    titles = {hit["title"] for hit in first["results"] + second["results"]}
    assert titles == {f"Bleeding {n}" for n in range(7)}
    beyond = client.get("/v1/search", {"q": "bleeding", "page": 9})
    assert problem_of(beyond) == (404, "urn:assay:problem:not-found")


@pytest.mark.parametrize(
    ("asked", "code", "field"),
    [
        ({}, "search-query-too-short", "q"),
        ({"q": ""}, "search-query-too-short", "q"),
        ({"q": " x\t"}, "search-query-too-short", "q"),
        ({"q": "x" * 201}, "search-query-too-long", "q"),
        ({"q": "xy", "kind": "secret"}, "invalid", "kind"),
        ({"q": "xy", "else": "1"}, "invalid", "else"),
        ({"q": "x\x00y"}, "invalid", "q"),
    ],
)
def test_search_refuses_with_a_stable_problem(asked: dict[str, str], code: str, field: str) -> None:
    answer = api(member(OrgRole.LEARNER)).get("/v1/search", asked)

    assert problem_of(answer) == (422, f"urn:assay:problem:{code}")
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_search_is_for_members() -> None:
    assert problem_of(api().get("/v1/search", {"q": "xy"}))[0] == 401


def test_search_finds_nothing_of_another_organisation(org_b: Any) -> None:
    with tenant_context(org_b):
        course_with()

    assert api(member(OrgRole.OWNER)).get("/v1/search", {"q": "tourniquet"}).json()["count"] == 0


def test_renaming_a_course_is_found_under_its_new_name() -> None:
    version = course_with()
    client = api(member(OrgRole.OWNER))

    client.patch(f"/v1/courses/{version.definition_id}", {"title": "Resuscitation"})
    index_all()

    found = client.get("/v1/search", {"q": "resuscitation"}).json()["results"]
    assert [hit["id"] for hit in found] == [str(version.definition_id)]
    assert client.get("/v1/search", {"q": '"first aid"', "kind": "course"}).json()["count"] == 1


@pytest.mark.parametrize("count", [2, 20])
def test_search_takes_a_constant_number_of_statements(
    count: int, django_assert_num_queries: Any
) -> None:
    course_with({f"Bleeding {n}": "Press." for n in range(count)})
    client = api(member(OrgRole.OWNER))
    client.get("/v1/search", {"q": "bleeding"})

    with django_assert_num_queries(7):
        answer = client.get("/v1/search", {"q": "bleeding"})

    assert answer.json()["count"] == count
