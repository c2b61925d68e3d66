"""The search of learners and that of the back office, as people use them."""

from __future__ import annotations

import pytest
from django.urls import reverse

from apps.core.versions import publish
from apps.organizations.models import OrgRole
from apps.search.models import SearchSettings
from tests.assessment.factories import draft_assessment
from tests.clients import browser
from tests.factories import member
from tests.programs.factories import AUTHORED
from tests.search.factories import cohort_with, course_with, index_all, learner_of

pytestmark = pytest.mark.django_db

ADMIN = "/admin/search/searchdocument/"


def test_a_learner_follows_a_hit_to_the_lesson() -> None:
    ada = member(OrgRole.LEARNER)
    version = course_with()
    enrollment = learner_of(cohort_with(version), ada)
    client = browser(ada)
    lesson = reverse(
        "pages:item", args=[enrollment.id, version.items.get(title="Bleeding wounds").id]
    )

    page = client.get("/search", {"q": "tourniquet"})

    assert page.status_code == 200
    assert lesson in page.content.decode()
    assert "<mark>tourniquet</mark>" in page.content.decode()
    assert client.get(lesson).status_code == 200


def test_every_page_has_a_search_box_but_the_search_itself() -> None:
    client = browser(member(OrgRole.LEARNER))

    assert client.get("/").content.count(b'action="/search"') == 1
    assert client.get("/search").content.count(b'action="/search"') == 1
    assert b'action="/search"' not in browser().get("/accounts/login/").content


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("", "Finds lessons of the courses that you take"),
        ("x", "Search for at least two characters."),
        ("x" * 201, "Search for at most 200 characters."),
        ("zebra", "Nothing was found for “zebra”"),
        ("tuorniquet", "Nothing has the words “tuorniquet”. Did you mean one of these?"),
        ("<script>", "Nothing was found for “&lt;script&gt;”"),
    ],
)
def test_the_page_tells_what_happened(asked: str, told: str) -> None:
    ada = member(OrgRole.LEARNER)
    learner_of(cohort_with(course_with({"The tourniquet": "Stops it."})), ada)

    page = browser(ada).get("/search", {"q": asked})

    assert page.status_code == 200
    assert told in page.content.decode()


def test_long_lists_go_over_pages() -> None:
    ada = member(OrgRole.LEARNER)
    lessons = {f"Bleeding {n}": "Press." for n in range(12)}
    learner_of(cohort_with(course_with(lessons)), ada)

    first = browser(ada).get("/search", {"q": "bleeding", "kind": "lesson"}).content.decode()
    second = browser(ada).get("/search", {"q": "bleeding", "kind": "lesson", "page": 2})

    assert "12 hits" in first
    assert "?q=bleeding&amp;kind=lesson&amp;page=2" in first
    assert second.content.decode().count('<li class="card">') == 2


def test_staff_search_everything_and_follow_hits_to_their_pages() -> None:
    owner = member(OrgRole.OWNER)
    version = course_with()
    quiz = publish(version=draft_assessment(), actor=None, at=AUTHORED)
    index_all()
    client = browser(owner)
    pages = [
        reverse("admin:programs_courseversion_change", args=[version.id]),
        reverse("admin:assessment_assessmentitem_change", args=[quiz.items.get(key="capital").id]),
    ]

    page = client.get(ADMIN, {"q": "tourniquet or capital"}).content.decode()

    assert "2 hits" in page
    for address in pages:
        assert f'href="{address}"' in page
        assert client.get(address).status_code == 200
    assert ADMIN in client.get("/admin/").content.decode()


@pytest.mark.parametrize(
    ("role", "status"),
    [(OrgRole.INSTRUCTOR, 200), (OrgRole.AUDITOR, 200), (OrgRole.LEARNER, 302)],
)
def test_the_back_office_search_is_for_who_views_content(role: OrgRole, status: int) -> None:
    assert browser(member(role)).get(ADMIN, {"q": "xy"}).status_code == status


@pytest.mark.parametrize("asked", ["", "x", "zebra", "x" * 201])
def test_the_back_office_search_tells_what_happened(asked: str) -> None:
    course_with()

    assert browser(member(OrgRole.OWNER)).get(ADMIN, {"q": asked}).status_code == 200


def test_the_language_is_set_by_who_manages_settings() -> None:
    owner = browser(member(OrgRole.OWNER))

    answer = owner.post(f"{ADMIN}language/", {"language": "german"}, follow=True)

    assert answer.redirect_chain == [(ADMIN, 302)]
    assert "Language of the content: German." in answer.content.decode()
    assert SearchSettings.objects.get().language == "german"
    assert owner.post(f"{ADMIN}language/", {"language": "klingon"}).status_code == 200
    assert SearchSettings.objects.get().language == "german"


@pytest.mark.parametrize("role", [OrgRole.INSTRUCTOR, OrgRole.AUDITOR])
def test_the_language_is_not_for_others(role: OrgRole) -> None:
    client = browser(member(role))

    assert client.get(f"{ADMIN}language/").status_code == 403
    assert client.post(f"{ADMIN}language/", {"language": "german"}).status_code == 403
    assert not SearchSettings.objects.exists()
