"""The back office of assessments and banks, driven over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from apps.assessment.models import (
    AssessmentItem,
    AssessmentPlacement,
    AssessmentTemplate,
    AssessmentVersion,
    BankItem,
    QuestionBank,
)
from apps.assessment.questions.items import JsonValue
from apps.assessment.vocabulary import Kind
from apps.contacts.models import AdminAction
from apps.core.tenancy import tenant_context
from apps.organizations.models import Organization, OrgRole
from apps.programs.models import ItemType
from tests.assessment.factories import (
    WITH_ESSAY,
    Question,
    draft_assessment,
    published_assessment,
    scene,
)
from tests.assessment.specs import CAPITAL, KEYS
from tests.clients import browser
from tests.database import ORG_B
from tests.factories import member
from tests.programs.factories import Item, draft_course
from tests.programs.statements import statements

pytestmark = pytest.mark.django_db

ADMIN = "/admin/assessment"
LISTS = [
    "assessmenttemplate",
    "assessmentversion",
    "assessmentplacement",
    "assessmentitem",
    "questionbank",
    "bankitem",
    "assessmentwindow",
    "accommodation",
    "gradingtask",
    "assessmentattempt",
    "assessmentresult",
    "resultrelease",
]
GIFT = "::Sky:: Is it blue? {T}\n\n::Sum:: 1+1? {=2 ~3}\n\n::Broken:: {\n"


@pytest.fixture
def author() -> Client:
    return browser(member(OrgRole.INSTRUCTOR))


def bank() -> QuestionBank:
    return QuestionBank.objects.create(slug="bank", title="Bank")


def actions(prefix: str = "") -> list[str]:
    rows = AdminAction.objects.filter(action__startswith=prefix).order_by("recorded_at")
    return list(rows.values_list("action", flat=True))


def item_page(item: AssessmentItem) -> str:
    return f"{ADMIN}/assessmentitem/{item.id}/change/"


def rows(*given: dict[str, Any], initial: int = 0) -> dict[str, Any]:
    """Return the fields of a formset of rows."""
    fields: dict[str, Any] = {"rows-TOTAL_FORMS": len(given), "rows-INITIAL_FORMS": initial}
    for number, row in enumerate(given):
        fields |= {f"rows-{number}-{name}": value for name, value in row.items()}
    return fields


def question(**fields: Any) -> dict[str, Any]:
    common = {
        "position": "1",
        "title": "A question",
        "key": "",
        "prompt_markdown": "What?",
        "points": "2",
        "graded_by": "engine",
    }
    return {**common, **fields}


ENTERED: dict[str, dict[str, Any]] = {
    Kind.MULTIPLE_CHOICE: {
        "scoring_rule": "fractions",
        "key-shuffle": "on",
        **rows(
            {"text": "Paris", "percent": "100", "feedback": "Yes.", "ORDER": "2"},
            {"text": "Lyon", "percent": "25", "ORDER": "1"},
            {"text": "", "percent": "", "feedback": ""},
        ),
    },
    Kind.MULTIPLE_RESPONSE: {
        "scoring_rule": "all_or_nothing",
        **rows({"text": "2", "percent": "50"}, {"text": "4", "percent": "-50"}),
    },
    Kind.TRUE_FALSE: {
        "scoring_rule": "all_or_nothing",
        "key-correct": "false",
        "key-feedback_true": "No.",
    },
    Kind.NUMERIC: {
        "scoring_rule": "first_match",
        **rows(
            {"minimum": "3.13", "maximum": "3.15", "percent": "100"},
            {"minimum": "", "maximum": "", "percent": "0", "feedback": "Think of circles."},
        ),
    },
    Kind.SHORT_TEXT: {
        "scoring_rule": "first_match",
        "key-collapse_spaces": "on",
        **rows({"pattern": "colo*r", "percent": "100"}, {"pattern": "hue", "percent": "33.33333"}),
    },
    Kind.ESSAY: {
        "scoring_rule": "person",
        "graded_by": "person",
        "key-maximum_characters": "500",
        "key-guidance": "Two causes.",
    },
}
STORED: dict[str, JsonValue] = {
    Kind.MULTIPLE_CHOICE: {
        "options": [
            {"key": "lyon", "text": "Lyon", "fraction": "0.25", "feedback": ""},
            {"key": "paris", "text": "Paris", "fraction": "1", "feedback": "Yes."},
        ],
        "shuffle": True,
    },
    Kind.MULTIPLE_RESPONSE: {
        "options": [
            {"key": "2", "text": "2", "fraction": "0.5", "feedback": ""},
            {"key": "4", "text": "4", "fraction": "-0.5", "feedback": ""},
        ],
        "shuffle": False,
    },
    Kind.TRUE_FALSE: {"correct": False, "feedback_true": "No.", "feedback_false": ""},
    Kind.NUMERIC: {
        "answers": [
            {
                "key": "answer-1",
                "minimum": "3.13",
                "maximum": "3.15",
                "fraction": "1",
                "feedback": "",
            },
            {
                "key": "answer-2",
                "minimum": None,
                "maximum": None,
                "fraction": "0",
                "feedback": "Think of circles.",
            },
        ]
    },
    Kind.SHORT_TEXT: {
        "answers": [
            {"key": "color", "pattern": "colo*r", "fraction": "1", "feedback": ""},
            {"key": "hue", "pattern": "hue", "fraction": "0.3333333", "feedback": ""},
        ],
        "case_sensitive": False,
        "collapse_spaces": True,
    },
    Kind.ESSAY: {"maximum_characters": 500, "minimum_words": None, "guidance": "Two causes."},
}


@pytest.mark.parametrize("name", LISTS)
def test_every_list_opens_for_staff_and_no_learner(name: str) -> None:
    it = scene(WITH_ESSAY)
    it.graded({"capital": "paris", "causes": "Rain."})
    address = f"{ADMIN}/{name}/"

    for role in (OrgRole.OWNER, OrgRole.INSTRUCTOR, OrgRole.AUDITOR):
        assert browser(member(role)).get(address).status_code == 200
    assert browser(member()).get(address, follow=True).status_code == 403


def test_an_assessment_is_made_and_its_draft_begun(author: Client) -> None:
    author.post(
        f"{ADMIN}/assessmenttemplate/add/",
        {"title": "Geography", "slug": "geo", "type": "quiz", "scoring_model": "auto"},
    )
    template = AssessmentTemplate.objects.get()

    begun = author.post(f"{ADMIN}/assessmenttemplate/{template.id}/draft/")
    draft = AssessmentVersion.objects.get()

    assert begun["Location"] == f"{ADMIN}/assessmentversion/{draft.id}/change/"
    assert actions("assessment") == ["assessmenttemplate.created", "assessmentversion.draft-begun"]


@pytest.mark.parametrize("kind", list(Kind))
def test_a_question_of_each_kind_is_written_in_a_form(author: Client, kind: Kind) -> None:
    draft = draft_assessment(())
    address = f"{ADMIN}/assessmentitem/add/?version={draft.id}&kind={kind.value}"

    shown = author.get(address)
    sent = author.post(address, question(**ENTERED[kind]))

    assert shown.status_code == 200
    assert sent.status_code == 302, sent.content.decode()
    item = draft.items.get()
    assert (item.key, item.kind, item.key_data) == ("a-question", kind.value, STORED[kind])
    assert item.scoring_rule == ENTERED[kind]["scoring_rule"]
    assert actions("assessmentitem") == ["assessmentitem.created"]


@pytest.mark.parametrize("kind", list(Kind))
def test_saving_what_the_form_shows_changes_nothing(author: Client, kind: Kind) -> None:
    draft = draft_assessment(())
    item = AssessmentItem(
        version=draft,
        key="q",
        kind=kind,
        title="Q",
        prompt_markdown="?",
        position=1,
        key_data=KEYS[kind],
    )
    item.clean()
    item.save()
    page = author.get(item_page(item))

    sent = author.post(item_page(item), _as_sent(page.context["form"], page.context["key"]))

    assert sent.status_code == 302, sent.content.decode()
    assert AssessmentItem.objects.get().key_data == item.key_data


def _as_sent(form: Any, key: Any) -> dict[str, Any]:
    """Return what a browser sends of a page that nobody changed."""
    shown = [form, key.settings]
    if key.rows is not None:
        shown += [key.rows.management_form, *key.rows]
    sent = {}
    for one in shown:
        for field in one:
            value = field.value()
            if value is True:
                sent[field.html_name] = "on"
            elif value is not None and value is not False:
                sent[field.html_name] = str(value)
    return sent


@pytest.mark.parametrize(
    ("kind", "changes", "told"),
    [
        (Kind.MULTIPLE_CHOICE, {"rows-0-percent": "90"}, "No answer earns full marks."),
        (Kind.MULTIPLE_CHOICE, {"rows-0-percent": "200"}, "The share must be from 0 to 1."),
        (Kind.MULTIPLE_CHOICE, {"rows-0-percent": "much"}, "Enter a number."),
        (Kind.MULTIPLE_CHOICE, {"rows-1-text": " "}, "This field is required."),
        (Kind.MULTIPLE_CHOICE, {"rows-0-DELETE": "on"}, "From 2 to 100 entries are possible here."),
        (Kind.NUMERIC, {"rows-0-minimum": "three"}, "A number is expected here."),
        (Kind.NUMERIC, {"rows-0-minimum": "9"}, "The maximum is below the minimum."),
        (Kind.TRUE_FALSE, {"key-correct": ""}, "This field is required."),
        (Kind.ESSAY, {"key-maximum_characters": "900000"}, "A whole number from 1 to 100000"),
        (Kind.ESSAY, {"graded_by": "engine"}, "Select a valid choice."),
        (Kind.SHORT_TEXT, {"scoring_rule": "person"}, "Select a valid choice."),
        (Kind.SHORT_TEXT, {"points": "-1"}, "greater than or equal to 0"),
        (Kind.SHORT_TEXT, {"rows-TOTAL_FORMS": "x"}, "ManagementForm data is missing"),
        (Kind.SHORT_TEXT, {"prompt_markdown": "a\x00b"}, "Null characters are not allowed."),
    ],
)
def test_a_key_that_cannot_be_scored_by_is_told_where_it_is_wrong(
    author: Client, kind: Kind, changes: dict[str, Any], told: str
) -> None:
    draft = draft_assessment(())
    address = f"{ADMIN}/assessmentitem/add/?version={draft.id}&kind={kind.value}"

    response = author.post(address, question(**{**ENTERED[kind], **changes}))

    assert response.status_code == 200
    assert told in response.content.decode()
    assert "What?" in response.content.decode() or "prompt_markdown" in changes
    assert not draft.items.exists()


def test_a_key_that_is_taken_is_told_and_the_input_kept(author: Client) -> None:
    draft = draft_assessment()
    address = f"{ADMIN}/assessmentitem/add/?version={draft.id}&kind=true_false"

    response = author.post(address, question(**ENTERED[Kind.TRUE_FALSE], key="pi"))

    assert response.status_code == 200
    assert "with the same version and key already." in response.content.decode()
    assert draft.items.filter(key="pi").count() == 1


def test_a_question_of_a_published_version_is_shown_and_not_changed(author: Client) -> None:
    item = published_assessment().items.get(key="capital")

    shown = author.get(item_page(item))
    sent = author.post(item_page(item), question(**ENTERED[Kind.MULTIPLE_CHOICE]))

    assert "Paris" in shown.content.decode()
    assert "Save and continue" not in shown.content.decode()
    assert sent.status_code == 404
    item.refresh_from_db()
    assert item.title == "Capital"


@pytest.mark.parametrize(
    "query", ["", "?kind=film", "?version=x&kind=essay", f"?version={ORG_B}&kind=essay"]
)
def test_a_question_of_nothing_is_not_found(author: Client, query: str) -> None:
    assert author.get(f"{ADMIN}/assessmentitem/add/{query}").status_code == 404


def test_no_question_is_added_to_a_published_version(author: Client) -> None:
    version = published_assessment()

    address = f"{ADMIN}/assessmentitem/add/?version={version.id}&kind=essay"

    assert author.get(address).status_code == 404


def test_the_page_of_a_draft_edits_terms_and_the_order(author: Client) -> None:
    draft = draft_assessment(WITH_ESSAY)
    page = author.get(f"{ADMIN}/assessmentversion/{draft.id}/change/")
    sent = _as_sent_inlines(page)
    sent["pass_percent"] = "75"
    sent["items-0-title"] = "Another title"

    response = author.post(f"{ADMIN}/assessmentversion/{draft.id}/change/", sent)

    assert response.status_code == 302, response.content.decode()
    draft.refresh_from_db()
    first = draft.items.order_by("position").first()
    assert first is not None
    assert (str(draft.pass_percent), first.title, first.key_data["options"][0]["key"]) == (
        "75.00",
        "Another title",
        "paris",
    )


def _as_sent_inlines(page: Any) -> dict[str, Any]:
    """Return what a browser sends of a change form with inlines that nobody changed."""
    context = page.context
    forms = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    sent = {}
    for form in forms:
        for field in form:
            value = field.value()
            if value is True:
                sent[field.html_name] = "on"
            elif value is not None and value is not False:
                sent[field.html_name] = str(value)
    return sent


def test_a_draft_is_published_with_its_consequences_shown(author: Client) -> None:
    version = published_assessment()
    template = version.definition
    author.post(f"{ADMIN}/assessmenttemplate/{template.id}/draft/")
    draft = AssessmentVersion.objects.get(status="draft")
    address = f"{ADMIN}/assessmentversion/{draft.id}"

    page = author.get(f"{address}/publish/").content.decode()
    changes = author.get(f"{address}/diff/").content.decode()
    author.post(f"{address}/publish/")

    assert "The version is frozen" in page
    assert "Nothing differs." in changes
    draft.refresh_from_db()
    assert draft.number == 2


def test_a_draft_that_is_not_ready_tells_every_reason(author: Client) -> None:
    draft = draft_assessment(())

    page = author.get(f"{ADMIN}/assessmentversion/{draft.id}/publish/").content.decode()

    assert "The assessment has no item yet." in page


def test_questions_are_imported_into_a_draft_after_a_report(author: Client) -> None:
    draft, kept = draft_assessment(()), bank()
    address = f"{ADMIN}/assessmentversion/{draft.id}/import/"
    body = {"bank": str(kept.id), "text": GIFT, "filename": "geo.gift"}

    form = author.get(address)
    report = author.post(address, {**body, "check": "1"})
    before = BankItem.objects.count()
    done = author.post(address, {**body, "take": "1"})

    assert form.status_code == 200
    text = report.content.decode()
    assert all(word in text for word in ("Sky", "Sum", "imported", "refused"))
    assert "Is it blue?" in text
    assert before == 0
    assert done["Location"] == f"{ADMIN}/assessmentversion/{draft.id}/change/"
    assert list(draft.items.order_by("position").values_list("title", flat=True)) == ["Sky", "Sum"]
    assert actions("assessment.") == ["assessment.bank_imported"]


def test_a_file_is_read_in_its_encoding_and_its_text_shown(author: Client) -> None:
    address = f"{ADMIN}/questionbank/{bank().id}/import/"
    file = _file("geo.gift", "::Fluß:: Heißt er Rhein? {T}".encode("cp1252"))

    report = author.post(address, {"file": file, "check": "1"})

    assert "Heißt er Rhein?" in report.content.decode()
    assert 'value="geo.gift"' in report.content.decode()


def _file(name: str, data: bytes) -> Any:
    return SimpleUploadedFile(name, data)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "Choose a file, or type questions."),
        ({"text": "  "}, "Choose a file, or type questions."),
        ({"file": b"\x00\x01\x02\xff\xfe"}, ""),
        ({"file": b"a" * (2 * 1024 * 1024 + 1)}, "A file may have 2 MB here"),
    ],
)
def test_an_import_of_nothing_readable_says_so(
    author: Client, body: dict[str, Any], told: str
) -> None:
    target = bank()
    if "file" in body:
        body = {"file": _file("x.gift", body["file"])}

    response = author.post(f"{ADMIN}/questionbank/{target.id}/import/", {**body, "take": "1"})

    assert response.status_code in (200, 302)
    assert told in response.content.decode()
    assert not BankItem.objects.exists()


def test_a_bank_takes_questions_and_lets_them_go(author: Client) -> None:
    author.post(f"{ADMIN}/questionbank/add/", {"title": "Geo", "slug": "geo"})
    kept = QuestionBank.objects.get()
    address = f"{ADMIN}/bankitem/add/?bank={kept.id}&kind=true_false"

    sent = author.post(
        address,
        {**question(**ENTERED[Kind.TRUE_FALSE]), "category": "Europe", "tags": "a, b ,a"},
    )
    item = BankItem.objects.get()
    chosen = {"action": "archive", "_selected_action": [str(item.id)]}
    asked = author.post(f"{ADMIN}/bankitem/", chosen)
    author.post(f"{ADMIN}/bankitem/", {**chosen, "confirmed": "1"})
    assert "No draft can take these questions from now on" in asked.content.decode()

    assert sent["Location"] == f"{ADMIN}/questionbank/{kept.id}/change/"
    item.refresh_from_db()
    assert (item.category, item.tags, item.archived_at is not None) == ("Europe", ["a", "b"], True)
    assert actions("bankitem") == ["bankitem.created", "bankitem.archived"]


def test_an_assessment_is_placed_in_a_draft_course(author: Client) -> None:
    draft = draft_course(modules={"all": (Item("read"), Item("quiz", ItemType.ASSESSMENT))})
    quiz, later = published_assessment(), published_assessment(slug="later")
    body = {
        "module_item": str(draft.items.get(key="quiz").id),
        "assessment_version": str(quiz.id),
    }

    author.post(f"{ADMIN}/assessmentplacement/add/", body)
    placement = AssessmentPlacement.objects.get()
    changed = author.post(
        f"{ADMIN}/assessmentplacement/{placement.id}/change/",
        {**body, "assessment_version": str(later.id)},
    )

    assert changed.status_code == 302
    placement.refresh_from_db()
    assert placement.assessment_version == later
    assert actions("assessmentplacement") == [
        "assessmentplacement.created",
        "assessmentplacement.changed",
    ]


def test_a_placement_of_a_published_course_is_only_shown(author: Client) -> None:
    scene()
    placement = AssessmentPlacement.objects.get()
    address = f"{ADMIN}/assessmentplacement/{placement.id}"

    assert author.get(f"{address}/change/").status_code == 200
    assert author.get(f"{address}/delete/").status_code == 403
    assert author.post(f"{address}/change/", {}).status_code == 403


def test_an_auditor_reads_and_changes_nothing() -> None:
    draft = draft_assessment()
    item = draft.items.get(key="pi")
    auditor = browser(member(OrgRole.AUDITOR))
    version = f"{ADMIN}/assessmentversion/{draft.id}"

    assert auditor.get(item_page(item)).status_code == 200
    assert auditor.get(f"{version}/change/").status_code == 200
    assert {
        auditor.post(item_page(item), question(**ENTERED[Kind.NUMERIC])).status_code,
        auditor.get(f"{version}/import/").status_code,
        auditor.get(f"{version}/publish/").status_code,
        auditor.get(f"{ADMIN}/assessmentitem/add/?version={draft.id}&kind=essay").status_code,
        auditor.get(f"{ADMIN}/assessmentplacement/add/").status_code,
    } == {404}


def test_pages_of_another_organisation_are_not_found(org_b: Organization) -> None:
    with tenant_context(org_b):
        theirs = draft_assessment()
        item, target = theirs.items.get(key="pi"), bank()
    owner = browser(member(OrgRole.OWNER))

    pages = [
        item_page(item),
        f"{ADMIN}/assessmentversion/{theirs.id}/change/",
        f"{ADMIN}/assessmentversion/{theirs.id}/import/",
        f"{ADMIN}/assessmentitem/add/?version={theirs.id}&kind=essay",
        f"{ADMIN}/questionbank/{target.id}/import/",
        f"{ADMIN}/bankitem/add/?bank={target.id}&kind=essay",
    ]

    assert {owner.get(page).status_code for page in pages} == {404}


def test_the_page_of_a_draft_takes_the_same_statements_for_any_length(author: Client) -> None:
    taken = []
    for size in (2, 20):
        choices = [Question(f"c{n}", Kind.MULTIPLE_CHOICE, CAPITAL) for n in range(size)]
        draft = draft_assessment([*WITH_ESSAY, *choices], slug=f"quiz-{size}")
        taken.append(statements(author, f"{ADMIN}/assessmentversion/{draft.id}/change/"))

    assert taken[0] == taken[1]


@pytest.mark.parametrize("name", ["assessmentitem", "bankitem", "assessmentplacement"])
def test_lists_take_the_same_statements_for_2_and_20_rows(author: Client, name: str) -> None:
    taken, quiz = [], published_assessment()
    for size in (2, 18):
        items = tuple(Item(f"i{n}", ItemType.ASSESSMENT) for n in range(size))
        course = draft_course(f"c{size}", {"all": items})
        for placed in course.items.all():
            AssessmentPlacement.objects.create(
                version=course, key=placed.key, module_item=placed, assessment_version=quiz
            )
        draft = draft_assessment((), slug=f"d{size}")
        kept = QuestionBank.objects.create(slug=f"b{size}", title="B")
        fields = {"kind": "true_false", "prompt_markdown": "?", "key_data": KEYS["true_false"]}
        fields |= {"scoring_rule": "all_or_nothing", "graded_by": "engine"}
        for n in range(size):
            AssessmentItem.objects.create(version=draft, key=f"k{n}", position=n, **fields)
            BankItem.objects.create(bank=kept, key=f"k{n}", **fields)
        taken.append(statements(author, f"{ADMIN}/{name}/?o=1"))

    assert taken[0] == taken[1]


def test_a_new_question_asks_for_its_bank_and_kind_first(author: Client) -> None:
    bank = QuestionBank.objects.create(slug="bank", title="Bank")
    page = f"{ADMIN}/bankitem/add/"

    asked = author.get(page)
    wrong = author.post(page, {"kind": Kind.ESSAY})
    led = author.post(page, {"bank": str(bank.id), "kind": Kind.ESSAY})

    assert asked.status_code == 200
    assert "This field is required." in wrong.content.decode()
    assert led["Location"] == f"{page}?bank={bank.id}&kind=essay"
    assert author.get(led["Location"]).status_code == 200
