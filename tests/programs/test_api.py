"""Programs and courses under /v1."""

from __future__ import annotations

from typing import Any

import pytest
from django_tenants.utils import tenant_context
from rest_framework.test import APIClient

from apps.contacts.models import AdminAction
from apps.core.versions import new_draft, publish
from apps.organizations.models import Organization, OrgRole
from apps.programs.models import Course, CourseModule, CourseVersion, ModuleItem, ProgramCourse
from tests.clients import api, problem_of
from tests.cohorts.factories import NOON, open_cohort, planned_cohort
from tests.factories import member
from tests.programs.factories import (
    AUTHORED,
    draft_course,
    draft_program,
    published_course,
    published_program,
)
from tests.programs.statements import statements

pytestmark = pytest.mark.django_db

LISTS = [
    "programs",
    "program-versions",
    "program-courses",
    "courses",
    "course-versions",
    "course-modules",
    "module-items",
]


@pytest.fixture
def author() -> APIClient:
    return api(member(OrgRole.INSTRUCTOR))


def codes(response: Any) -> list[tuple[str, str]]:
    assert response.status_code == 422, response.json()
    return [(error["field"], error["code"]) for error in response.json()["errors"]]


def ids(response: Any) -> set[str]:
    assert response.status_code == 200, response.json()
    return {row["id"] for row in response.json()["results"]}


def test_a_course_from_nothing_to_published_and_its_next_version(author: APIClient) -> None:
    course = author.post("/v1/courses", {"slug": "knots", "title": "Knots"}).json()
    draft = author.post(f"/v1/courses/{course['id']}/draft").json()
    version = draft["id"]
    module = author.post(
        "/v1/course-modules", {"version": version, "key": "one", "title": "One", "position": 1}
    ).json()
    item = {"version": version, "module": module["id"], "key": "reef", "title": "Reef knot"}
    author.post("/v1/module-items", {**item, "position": 1, "body_markdown": "# Over"})
    author.patch(f"/v1/course-versions/{version}", {"summary": "All about knots."})

    published = author.post(f"/v1/course-versions/{version}/publish").json()
    author.post(f"/v1/courses/{course['id']}/draft")
    [second] = CourseVersion.objects.filter(status="draft")
    ModuleItem.objects.filter(version=second).update(title="Square knot")

    assert (published["number"], published["status"], published["summary"]) == (
        1,
        "published",
        "All about knots.",
    )
    assert author.get(f"/v1/course-versions/{second.id}/diff").json() == {
        "changes": [
            {
                "part": "module item",
                "key": "reef",
                "outcome": "changed",
                "fields_changed": [{"field": "title", "old": "Reef knot", "new": "Square knot"}],
            }
        ]
    }
    assert list(AdminAction.objects.order_by("recorded_at").values_list("action", flat=True)) == [
        "course.created",
        "courseversion.draft-begun",
        "coursemodule.created",
        "moduleitem.created",
        "courseversion.changed",
        "courseversion.published",
        "courseversion.draft-begun",
    ]


def test_a_program_pins_published_versions_under_the_courses_slug(author: APIClient) -> None:
    course = published_course("knots")
    program = author.post("/v1/programs", {"slug": "sailor", "title": "Sailor"}).json()
    draft = author.post(f"/v1/programs/{program['id']}/draft").json()
    pin = {"version": draft["id"], "course_version": str(course.id), "position": 1}

    pinned = author.post("/v1/program-courses", pin)
    again = author.post("/v1/program-courses", {**pin, "position": 2})
    published = author.post(f"/v1/program-versions/{draft['id']}/publish")

    assert (pinned.status_code, pinned.json()["key"]) == (201, "knots")
    assert problem_of(again) == (409, "urn:assay:problem:duplicate")
    assert published.json()["number"] == 1


def test_publish_of_what_is_not_ready_names_every_reason(author: APIClient) -> None:
    draft = draft_program()

    response = author.post(f"/v1/program-versions/{draft.id}/publish")

    assert problem_of(response) == (409, "urn:assay:problem:not-publishable")
    assert [error["code"] for error in response.json()["errors"]] == ["no-courses"]


def test_outline_is_the_table_of_contents_without_texts(author: APIClient) -> None:
    version = published_course("knots")

    body = author.get(f"/v1/course-versions/{version.id}/outline").json()

    assert (body["title"], body["number"]) == ("Knots", 1)
    assert [
        (module["key"], [(item["key"], item["type"], item["is_required"]) for item in items])
        for module in body["modules"]
        for items in [module["items"]]
    ] == [
        ("start", [("welcome", "lesson", True), ("rules", "lesson", True)]),
        ("practice", [("video", "external", True), ("more", "lesson", False)]),
    ]
    assert "body_markdown" not in body["modules"][0]["items"][0]


def test_outline_takes_the_same_statements_for_any_length(author: APIClient) -> None:
    taken = []
    for size in (2, 20):
        version = draft_course(f"c{size}")
        module = CourseModule.objects.filter(version=version).first()
        for n in range(size):
            ModuleItem.objects.create(
                version=version, module=module, key=f"i{n}", title="I", position=10 + n
            )
        taken.append(statements(author, f"/v1/course-versions/{version.id}/outline"))

    assert taken[0] == taken[1]


@pytest.mark.parametrize("name", LISTS)
def test_lists_take_the_same_statements_for_2_and_20_rows(author: APIClient, name: str) -> None:
    taken = []
    for size in (2, 18):
        for n in range(size):
            published_program(published_course(f"c{size}-{n}"), slug=f"p{size}-{n}")
        taken.append(statements(author, f"/v1/{name}"))
        assert len(ids(author.get(f"/v1/{name}"))) >= size

    assert taken[0] == taken[1]


def test_lists_are_filtered_by_the_ids_of_what_rows_belong_to(author: APIClient) -> None:
    one, two = draft_course("one"), draft_course("two")
    items = ModuleItem.objects.filter(version=two, type="external")

    assert ids(author.get(f"/v1/module-items?version={two.id}&type=external")) == {
        str(item.id) for item in items
    }
    assert ids(author.get(f"/v1/course-versions?definition={one.definition_id}")) == {str(one.id)}
    assert codes(author.get("/v1/module-items?version=seven")) == [("version", "invalid")]


def test_what_is_published_can_no_longer_be_changed(author: APIClient) -> None:
    version = published_course()
    item = ModuleItem.objects.filter(version=version).first()
    assert item is not None
    module = {"version": str(version.id), "key": "new", "title": "New", "position": 9}

    refusals = [
        author.patch(f"/v1/module-items/{item.id}", {"title": "Other"}),
        author.delete(f"/v1/module-items/{item.id}"),
        author.post("/v1/course-modules", module),
        author.patch(f"/v1/course-versions/{version.id}", {"summary": "Other"}),
    ]

    assert [problem_of(response) for response in refusals] == [
        *[(409, "urn:assay:problem:frozen")] * 3,
        (409, "urn:assay:problem:not-a-draft"),
    ]
    item.refresh_from_db()
    assert item.title == "Welcome"


def test_a_draft_item_can_be_deleted(author: APIClient) -> None:
    item = ModuleItem.objects.filter(version=draft_course(), key="more").get()

    assert author.delete(f"/v1/module-items/{item.id}").status_code == 204
    assert not ModuleItem.objects.filter(pk=item.pk).exists()
    assert AdminAction.objects.filter(action="moduleitem.deleted", entity_id=item.pk).exists()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"title": None}, ("title", "null")),
        ({"title": ["x"]}, ("title", "invalid")),
        ({"position": 10**12}, ("position", "max-value")),
        ({"position": -1}, ("position", "min-value")),
        ({"position": "first"}, ("position", "invalid")),
        ({"type": "film"}, ("type", "invalid-choice")),
        ({"key": "no spaces"}, ("key", "invalid")),
        ({"url": "javascript:alert(1)"}, ("url", "not-a-web-address")),
        ({"colour": "red"}, ("colour", "unknown")),
        ({"version": "0a000000-0000-7000-8000-0000000000ff"}, ("version", "does-not-exist")),
        ({"version": "seven"}, ("version", "invalid")),
        ({"version": True}, ("version", "incorrect-type")),
    ],
)
def test_create_item_with_bad_input_tells_the_field(
    author: APIClient, changes: dict[str, Any], expected: tuple[str, str]
) -> None:
    module = CourseModule.objects.filter(version=draft_course()).first()
    assert module is not None
    good = {"version": str(module.version_id), "module": str(module.id), "key": "new"}

    response = author.post(
        "/v1/module-items", {**good, "title": "New", "position": 9, "type": "external", **changes}
    )

    assert expected in codes(response)
    assert not ModuleItem.objects.filter(key="new").exists()


def test_a_part_stays_in_its_version_and_its_module_is_of_the_same(author: APIClient) -> None:
    one, two = draft_course("one"), draft_course("two")
    item = ModuleItem.objects.filter(version=one).first()
    other = CourseModule.objects.filter(version=two).first()
    assert item is not None
    assert other is not None

    moved = author.patch(f"/v1/module-items/{item.id}", {"version": str(two.id)})
    strange = author.patch(f"/v1/module-items/{item.id}", {"module": str(other.id)})

    assert codes(moved) == [("version", "fixed")]
    assert codes(strange) == [("module", "of-another-version")]


def test_if_match_refuses_an_item_that_changed_in_between(author: APIClient) -> None:
    item = ModuleItem.objects.filter(version=draft_course()).first()
    assert item is not None
    address = f"/v1/module-items/{item.id}"
    tag = author.get(address)["ETag"]
    author.patch(address, {"title": "Theirs"})

    stale = author.patch(address, {"title": "Mine"}, headers={"If-Match": tag})

    assert problem_of(stale) == (412, "urn:assay:problem:stale")


def test_begin_draft_under_one_key_twice_is_one_draft(author: APIClient) -> None:
    course = published_course().definition

    def begin() -> tuple[int, Any]:
        response = author.post(f"/v1/courses/{course.id}/draft", headers={"Idempotency-Key": "k"})
        return response.status_code, response.json()

    first, again = begin(), begin()

    assert first == again
    assert first[0] == 201
    assert problem_of(author.post(f"/v1/courses/{course.id}/draft")) == (
        409,
        "urn:assay:problem:draft-exists",
    )


def test_an_auditor_reads_and_changes_nothing() -> None:
    auditor = api(member(OrgRole.AUDITOR))
    version = draft_course()

    assert ids(auditor.get("/v1/course-versions")) == {str(version.id)}
    assert problem_of(auditor.post("/v1/courses", {"slug": "a", "title": "A"}))[0] == 403
    assert problem_of(auditor.post(f"/v1/course-versions/{version.id}/publish"))[0] == 403


def test_a_stranger_is_refused_everywhere() -> None:
    assert {api().get(f"/v1/{name}").status_code for name in LISTS} == {401}


def test_a_learner_reads_what_they_may_begin_and_nothing_else() -> None:
    free = published_program(published_course("free"), slug="free")
    open_cohort(free, slug="free", is_self_paced=True)
    closed = published_program(published_course("closed"), slug="closed")
    planned_cohort(closed, slug="closed")
    learner = api(member(OrgRole.LEARNER))
    [course] = ProgramCourse.objects.filter(version=free)
    hidden = ProgramCourse.objects.get(version=closed)

    assert ids(learner.get("/v1/programs")) == {str(free.definition_id)}
    assert ids(learner.get("/v1/program-versions")) == {str(free.id)}
    assert ids(learner.get("/v1/program-courses")) == {str(course.id)}
    assert ids(learner.get("/v1/courses")) == {str(course.course_version.definition_id)}
    assert ids(learner.get("/v1/course-versions")) == {str(course.course_version_id)}
    modules = ids(learner.get("/v1/course-modules"))
    assert modules == set(
        map(
            str,
            CourseModule.objects.filter(version=course.course_version).values_list("id", flat=True),
        )
    )
    outline = "/v1/course-versions/{}/outline"
    assert learner.get(outline.format(course.course_version_id)).status_code == 200
    assert learner.get(outline.format(hidden.course_version_id)).status_code == 404
    assert learner.get("/v1/module-items").status_code == 403
    assert learner.post("/v1/courses", {"slug": "x", "title": "X"}).status_code == 403


def test_a_row_of_another_organisation_is_not_found(org_b: Organization) -> None:
    with tenant_context(org_b):
        version = draft_course("theirs")
        program = draft_program(slug="theirs")
        theirs = {
            "courses": version.definition_id,
            "course-versions": version.id,
            "course-modules": version.modules.get(key="start").id,
            "module-items": version.items.get(key="rules").id,
            "programs": program.definition_id,
            "program-versions": program.id,
        }
    owner = api(member(OrgRole.OWNER))

    found = {
        (name, method): getattr(owner, method)(f"/v1/{name}/{row}").status_code
        for name, row in theirs.items()
        for method in ("get", "patch")
    }
    actions = [
        owner.post(f"/v1/courses/{theirs['courses']}/draft").status_code,
        owner.post(f"/v1/course-versions/{theirs['course-versions']}/publish").status_code,
        owner.delete(f"/v1/module-items/{theirs['module-items']}").status_code,
        owner.get(f"/v1/course-versions/{theirs['course-versions']}/outline").status_code,
    ]

    assert set(found.values()) == {404}
    assert actions == [404] * 4
    assert not Course.objects.exists()


def test_a_retired_version_stays_readable(author: APIClient) -> None:
    version = published_course()

    retired = author.post(f"/v1/course-versions/{version.id}/retire")
    draft = new_draft(definition=version.definition, actor=None, at=NOON)
    publish(version=draft, actor=None, at=AUTHORED)

    assert retired.json()["status"] == "retired"
    assert author.get(f"/v1/course-versions/{version.id}").json()["number"] == 1
