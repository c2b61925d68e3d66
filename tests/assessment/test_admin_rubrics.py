"""The page of a rubric in the back office."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client

from apps.assessment.models import AssessmentVersion, Rubric, RubricCriterion, RubricLevel
from apps.assessment.rules.rubrics import RubricSpec
from apps.assessment.selectors.papers import rubric_spec
from apps.contacts.models import AdminAction
from apps.core.versions import publish
from apps.organizations.models import OrgRole
from tests.assessment.factories import WITH_ESSAY, draft_assessment, published_assessment
from tests.clients import browser
from tests.cohorts.factories import NOON
from tests.factories import member

pytestmark = pytest.mark.django_db

ADMIN = "/admin/assessment/rubric"


class Fields(HTMLParser):
    """What a browser sends of the page's form when nothing is changed."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: dict[str, str] = {}
        self._open = False
        self._area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        about = dict(attrs)
        if tag == "form":
            self._open = about.get("id") == "rubric-form"
        if tag == "template":
            self._open = False
        name = about.get("name") or ""
        if not self._open or not name or about.get("type") in ("submit", "checkbox"):
            return
        if tag == "input":
            self.sent[name] = about.get("value") or ""
        elif tag == "textarea":
            self.sent[name] = ""
            self._area = name

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.sent[self._area] += data.removeprefix("\n")


def fields_of(page: str) -> dict[str, str]:
    parser = Fields()
    parser.feed(page)
    return parser.sent


@pytest.fixture
def author() -> Client:
    return browser(member(OrgRole.INSTRUCTOR))


@pytest.fixture
def draft() -> AssessmentVersion:
    return draft_assessment(WITH_ESSAY)


def add_url(version: AssessmentVersion) -> str:
    return f"{ADMIN}/add/?version={version.id}"


def change_url(rubric: Rubric) -> str:
    return f"{ADMIN}/{rubric.id}/change/"


def text(response: Any) -> str:
    return str(response.content.decode())


def outline(spec: RubricSpec) -> list[tuple[str, list[tuple[str, str]]]]:
    return [
        (one.title, [(level.title, f"{level.points.normalize():f}") for level in one.levels])
        for one in spec.criteria
    ]


def written(draft: AssessmentVersion) -> RubricSpec:
    return rubric_spec(draft.rubrics.order_by("-id")[0])


def test_a_rubric_is_written_on_one_page(author: Client, draft: AssessmentVersion) -> None:
    sent = fields_of(text(author.get(add_url(draft))))
    sent |= {
        "rubric-title": "Reports",
        "criteria-0-title": "Facts",
        "criteria-0-levels-0-title": "Wrong",
        "criteria-0-levels-0-points": "0",
        "criteria-0-levels-1-title": "Right",
        "criteria-0-levels-1-points": "2.5",
    }

    response = author.post(add_url(draft), sent)

    assert response["Location"] == f"/admin/assessment/assessmentversion/{draft.id}/change/"
    assert outline(written(draft)) == [("Facts", [("Wrong", "0"), ("Right", "2.5")])]
    made = Rubric.objects.get(title="Reports")
    assert AdminAction.objects.filter(action="rubric.created", entity_id=made.id).exists()


def test_it_is_changed_reordered_and_shortened(author: Client, draft: AssessmentVersion) -> None:
    rubric = draft.rubrics.get()
    sent = fields_of(text(author.get(change_url(rubric))))
    sent |= {
        "criteria-0-order": "5",
        "criteria-0-levels-1-title": "Very good",
        "criteria-1-levels-0-remove": "on",
        "criteria-1-levels-0-points": "not a number",
    }
    keys = set(RubricLevel.objects.values_list("key", flat=True))

    response = author.post(change_url(rubric), {**sent, "_continue": "Save"})

    assert response["Location"] == change_url(rubric)
    assert outline(rubric_spec(Rubric.objects.get(pk=rubric.pk))) == [
        ("Depth", [("Good", "2")]),
        ("Clarity", [("Poor", "0"), ("Very good", "2")]),
    ]
    assert set(RubricLevel.objects.values_list("key", flat=True)) == keys - {"depth-poor"}


def test_more_rows_are_given_without_saving_or_finding_fault(
    author: Client, draft: AssessmentVersion
) -> None:
    sent = fields_of(text(author.get(add_url(draft))))
    sent |= {"criteria-0-levels-0-points": "not a number", "criteria-1-remove": "on"}

    more = text(author.post(add_url(draft), {**sent, "more": "criteria"}))
    fuller = fields_of(more)
    fullest = fields_of(text(author.post(add_url(draft), {**fuller, "more": "criteria-2-levels"})))

    assert 'class="errorlist"' not in more
    assert re.search(r'name="criteria-1-remove"[^>]*checked', more)
    assert (sent["criteria-TOTAL_FORMS"], fuller["criteria-TOTAL_FORMS"]) == ("2", "3")
    assert fuller["criteria-0-levels-0-points"] == "not a number"
    assert (fuller["criteria-2-levels-TOTAL_FORMS"], fullest["criteria-2-levels-TOTAL_FORMS"]) == (
        "3",
        "4",
    )
    assert draft.rubrics.count() == 1


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"rubric-title": ""}, "This field is required."),
        ({"criteria-0-levels-0-title": "Poor"}, "Say how many points it is worth."),
        ({"criteria-0-levels-0-points": "1"}, "Name the level."),
        (
            {"criteria-0-levels-0-title": "Poor", "criteria-0-levels-0-points": "-1"},
            "Ensure this value is greater than or equal to 0.",
        ),
        (
            {"criteria-0-levels-0-title": "Poor", "criteria-0-levels-0-points": "1"},
            "Name the criterion.",
        ),
        ({"criteria-0-description": "Something"}, "Name the criterion."),
        ({"criteria-TOTAL_FORMS": "51"}, "Please submit at most 50 forms."),
        ({"criteria-TOTAL_FORMS": "x"}, "ManagementForm data is missing"),
    ],
)
def test_what_is_wrong_is_told_beside_it_and_nothing_is_saved(
    author: Client, draft: AssessmentVersion, wrong: dict[str, str], sentence: str
) -> None:
    sent = fields_of(text(author.get(add_url(draft)))) | {"rubric-title": "Kept"} | wrong

    response = author.post(add_url(draft), sent)

    assert response.status_code == 200
    assert sentence in text(response)
    assert "<title>Error:" in text(response)
    assert draft.rubrics.count() == 1
    assert wrong.get("rubric-title") == "" or 'value="Kept"' in text(response)


def test_what_forbids_publishing_is_said(author: Client, draft: AssessmentVersion) -> None:
    rubric = draft.rubrics.get()
    RubricLevel.objects.filter(key="depth-good").delete()

    page = text(author.get(change_url(rubric)))

    assert "The criterion “depth” needs two levels at least." in page


def test_two_authors_do_not_overwrite_each_other_unseen(
    author: Client, draft: AssessmentVersion
) -> None:
    rubric = draft.rubrics.get()
    sent = fields_of(text(author.get(change_url(rubric))))
    author.post(change_url(rubric), sent | {"rubric-title": "First"})

    refused = author.post(change_url(rubric), sent | {"rubric-title": "Second"})
    rubric.refresh_from_db()
    in_between = rubric.title
    author.post(change_url(rubric), fields_of(text(refused)))
    rubric.refresh_from_db()

    assert "Somebody else changed this rubric in the meantime." in text(refused)
    assert (in_between, rubric.title) == ("First", "Second")


def test_a_published_rubric_is_shown_and_stays(author: Client) -> None:
    rubric = published_assessment(WITH_ESSAY).rubrics.get()
    criteria = RubricCriterion.objects.count()

    page = author.get(change_url(rubric))

    assert "At most 4 points." in text(page)
    assert "<form method" not in text(page).partition('id="content"')[2]
    assert author.post(change_url(rubric), {"rubric-title": "X"}).status_code == 404
    assert author.post(f"{ADMIN}/{rubric.id}/delete/", {"post": "yes"}).status_code == 403
    assert RubricCriterion.objects.count() == criteria


def test_a_draft_published_meanwhile_is_told(author: Client, draft: AssessmentVersion) -> None:
    sent = fields_of(text(author.get(add_url(draft)))) | {"rubric-title": "Late"}
    publish(version=draft, actor=None, at=NOON)

    assert author.post(add_url(draft), sent).status_code == 404


def test_a_rubric_is_deleted_after_a_question(author: Client, draft: AssessmentVersion) -> None:
    rubric = draft.rubrics.get()
    page = f"{ADMIN}/{rubric.id}/delete/"

    asked = author.get(page)
    author.post(page, {"post": "yes"})

    assert asked.status_code == 200
    assert not draft.rubrics.exists()
    assert draft.items.get(key="causes").rubric is None
    assert AdminAction.objects.filter(action="rubric.deleted", entity_id=rubric.id).exists()


@pytest.mark.parametrize("role", [OrgRole.AUDITOR, OrgRole.LEARNER])
def test_who_does_not_author_writes_none(draft: AssessmentVersion, role: str) -> None:
    client = browser(member(role))

    answers = {
        client.get(add_url(draft), follow=True).status_code,
        client.post(change_url(draft.rubrics.get()), {}, follow=True).status_code,
    }

    assert answers <= {403, 404}


def test_the_page_of_the_version_leads_to_its_rubrics(
    author: Client, draft: AssessmentVersion
) -> None:
    page = text(author.get(f"/admin/assessment/assessmentversion/{draft.id}/change/"))

    assert change_url(draft.rubrics.get()) in page
    assert add_url(draft) in page
