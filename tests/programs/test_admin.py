"""The back office of programs and courses, driven over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django_tenants.utils import tenant_context

from apps.contacts.models import AdminAction
from apps.organizations.models import Organization, OrgRole
from apps.programs.models import (
    Course,
    CourseModule,
    CourseVersion,
    ModuleItem,
    Program,
    ProgramCourse,
)
from tests.clients import browser
from tests.factories import member
from tests.programs.factories import (
    draft_course,
    draft_program,
    next_draft,
    published_course,
    published_program,
)
from tests.programs.statements import statements

pytestmark = pytest.mark.django_db


@pytest.fixture
def author() -> Client:
    return browser(member(OrgRole.INSTRUCTOR))


def page(row: Any, *more: str) -> str:
    name = f"{row._meta.app_label}/{row._meta.model_name}"
    return "/".join(["/admin", name, str(row.pk), *(more or ("change",)), ""])


def formset(prefix: str, *rows: dict[str, Any], initial: int = 0) -> dict[str, Any]:
    """Return what an inline sends: its rows, of which `initial` were there before."""
    data: dict[str, Any] = {
        f"{prefix}-TOTAL_FORMS": len(rows),
        f"{prefix}-INITIAL_FORMS": initial,
    }
    for number, row in enumerate(rows):
        data |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    return data


def messages(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def test_a_course_is_written_and_published(author: Client) -> None:
    author.post("/admin/programs/course/add/", {"title": "Knots", "slug": "knots"})
    course = Course.objects.get()
    author.post(page(course, "draft"))
    draft = CourseVersion.objects.get()
    author.post(
        page(draft),
        {
            "summary": "All about knots.",
            **formset("modules", {"position": 1, "title": "One", "key": ""}),
            **formset("items"),
        },
    )
    module = CourseModule.objects.get()
    author.post(
        page(draft),
        {
            "summary": "All about knots.",
            **formset(
                "modules",
                {"id": str(module.id), "position": 1, "title": "One", "key": "one"},
                initial=1,
            ),
            **formset(
                "items",
                {
                    "module": str(module.id),
                    "position": 1,
                    "title": "Reef knot",
                    "key": "",
                    "type": "lesson",
                    "is_required": "on",
                    "body_markdown": "# Over",
                },
            ),
        },
    )
    shown = author.get(page(draft, "publish"))
    published = author.post(page(draft, "publish"), follow=True)

    draft.refresh_from_db()
    assert (module.key, ModuleItem.objects.get().key) == ("one", "reef-knot")
    assert b"Reef knot" in shown.content
    assert messages(published) == ["Published."]
    assert (draft.number, draft.status, draft.summary) == (1, "published", "All about knots.")
    assert list(AdminAction.objects.order_by("recorded_at").values_list("action", flat=True)) == [
        "course.created",
        "courseversion.draft-begun",
        "courseversion.changed",
        "courseversion.changed",
        "courseversion.published",
    ]


def test_publish_of_what_is_not_ready_tells_why(author: Client) -> None:
    draft = draft_program()

    shown = author.get(page(draft, "publish"))
    refused = author.post(page(draft, "publish"), follow=True)

    assert "The program has no course yet." in shown.content.decode()
    assert "The program has no course yet." in messages(refused)[1]
    draft.refresh_from_db()
    assert draft.is_draft


def test_publish_tells_which_programs_keep_the_old_version(author: Client) -> None:
    version = published_course()
    published_program(version)
    draft = next_draft(version)
    ModuleItem.objects.filter(version=draft, key="rules").update(title="House rules")

    shown = author.get(page(draft, "publish")).content.decode()

    assert "1 program takes this course: it keeps the version that it pins." in shown
    assert "House rules" in shown
    assert "House rules" in author.get(page(draft, "diff")).content.decode()


def test_a_program_offers_published_versions_and_keys_them_by_their_course(author: Client) -> None:
    good, draft = published_course("good"), draft_course("draft")
    program = draft_program()

    offered = author.get(page(program)).content.decode()
    author.post(
        page(program),
        {
            "description": "",
            **formset("courses", {"position": 1, "course_version": str(good.id)}),
        },
    )

    assert str(good.id) in offered
    assert str(draft.id) not in offered
    assert list(ProgramCourse.objects.values_list("key", "course_version")) == [("good", good.id)]


def test_the_same_course_twice_is_refused_politely(author: Client) -> None:
    good, program = published_course("good"), draft_program()
    pin = {"position": 1, "course_version": str(good.id)}

    response = author.post(
        page(program),
        {"description": "Both of them", **formset("courses", pin, pin | {"position": 2})},
    )

    text = response.content.decode()
    assert response.status_code == 200
    assert "with the same version and key already." in text
    assert "Both of them" in text, "what was entered is kept"
    assert not ProgramCourse.objects.exists()


def test_an_item_can_stand_only_in_a_module_of_its_own_version(author: Client) -> None:
    one, two = draft_course("one", {"m": ()}), draft_course("two", {"n": ()})
    module, strange = CourseModule.objects.get(version=one), CourseModule.objects.get(version=two)

    response = author.post(
        page(one),
        {
            "summary": "",
            **formset(
                "modules",
                {"id": str(module.id), "position": 1, "title": "M", "key": "m"},
                initial=1,
            ),
            **formset(
                "items",
                {"module": str(strange.id), "position": 1, "title": "X", "type": "lesson"},
            ),
        },
    )

    assert response.status_code == 200
    assert "Select a valid choice" in response.content.decode()
    assert not ModuleItem.objects.exists()


def test_a_published_version_is_shown_and_not_editable(author: Client) -> None:
    version = published_course()

    shown = author.get(page(version)).content.decode()
    refused = author.post(page(version), {"summary": "Other"})

    assert "Welcome" in shown
    assert 'name="summary"' not in shown
    assert 'name="items-0-title"' not in shown
    assert refused.status_code == 403
    version.refresh_from_db()
    assert version.summary == ""


def test_a_published_version_is_retired(author: Client) -> None:
    version = published_course()

    author.post(page(version, "retire"))

    version.refresh_from_db()
    assert version.status == "retired"


def test_pages_take_the_same_statements_for_2_and_20_rows(author: Client) -> None:
    taken = []
    for size in (2, 20):
        version = draft_course(f"c{size}", {})
        program = draft_program(slug=f"p{size}")
        for n in range(size):
            module = CourseModule.objects.create(
                version=version, key=f"m{n}", title="M", position=n
            )
            ModuleItem.objects.create(
                version=version, module=module, key=f"i{n}", title="I", position=1
            )
            course = published_course(f"c{size}-{n}")
            ProgramCourse.objects.create(
                version=program, key=f"c{size}-{n}", course_version=course, position=n
            )
        taken.append(
            [
                statements(author, address)
                for address in (
                    page(version),
                    page(program),
                    "/admin/programs/course/",
                    "/admin/programs/courseversion/",
                    "/admin/programs/programversion/",
                )
            ]
        )

    assert taken[0] == taken[1]


def test_who_may_come_in() -> None:
    draft = draft_course()
    auditor = browser(member(OrgRole.AUDITOR))

    assert auditor.get(page(draft)).status_code == 200
    assert auditor.post(page(draft), {"summary": "X"}).status_code == 403
    assert auditor.get(page(draft, "publish")).status_code == 404
    assert browser(member()).get(page(draft), follow=True).status_code == 403


def test_a_row_of_another_organisation_is_not_found(org_b: Organization) -> None:
    with tenant_context(org_b):
        version, program = draft_course("theirs"), draft_program(slug="theirs")
    owner = browser(member(OrgRole.OWNER))

    answers = [
        owner.post(page(version.definition, "draft")),
        owner.get(page(version, "publish")),
        owner.post(page(version, "publish")),
        owner.get(page(version, "diff")),
        owner.post(page(version, "retire")),
        owner.post(page(program, "publish")),
    ]

    assert [answer.status_code for answer in answers] == [404] * len(answers)
    assert not Program.objects.exists()
