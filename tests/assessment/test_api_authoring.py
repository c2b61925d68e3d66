"""Assessments from nothing to published over /v1; banks; what is placed where."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.assessment.models import (
    AssessmentItem,
    AssessmentPlacement,
    AssessmentTemplate,
    AssessmentVersion,
    BankItem,
    QuestionBank,
)
from apps.contacts.models import AdminAction
from apps.core.tenancy import tenant_context
from apps.organizations.models import Organization, OrgRole
from apps.programs.models import ItemType
from tests.assessment.factories import (
    WITH_ESSAY,
    draft_assessment,
    published_assessment,
    scene,
)
from tests.assessment.specs import CAPITAL, KEYS
from tests.clients import api, problem_of
from tests.factories import member, some_uuid
from tests.programs.factories import Item, draft_course
from tests.programs.statements import statements

pytestmark = pytest.mark.django_db

GIFT = b"::Sky:: Is it blue? {T}\n\n::Sum:: 1+1? {=2 ~3}\n\n::Broken:: {\n"
LISTS = [
    "assessments",
    "assessment-versions",
    "assessment-items",
    "assessment-placements",
    "rubrics",
    "rubric-criteria",
    "rubric-levels",
    "question-banks",
    "bank-items",
]


@pytest.fixture
def author() -> APIClient:
    return api(member(OrgRole.INSTRUCTOR))


def made(response: Any) -> Any:
    assert response.status_code in (200, 201), response.json()
    return response.json()


def errors(response: Any) -> list[tuple[str, str]]:
    assert response.status_code == 422, response.json()
    return [(error["field"], error["code"]) for error in response.json()["errors"]]


def ids(response: Any) -> set[str]:
    return {row["id"] for row in made(response)["results"]}


def essay(version: str, rubric: str) -> dict[str, Any]:
    return {
        "version": version,
        "key": "why",
        "position": 2,
        "kind": "essay",
        "prompt_markdown": "Why?",
        "points": "2",
        "key_data": {},
        "rubric": rubric,
    }


def test_an_assessment_from_nothing_to_published_and_its_next_version(author: APIClient) -> None:
    quiz = made(
        author.post(
            "/v1/assessments", {"slug": "geo", "title": "Geography", "scoring_model": "mixed"}
        )
    )
    version = made(author.post(f"/v1/assessments/{quiz['id']}/draft"))["id"]
    made(author.patch(f"/v1/assessment-versions/{version}", {"pass_percent": "50"}))
    common = {"version": version}
    rubric = made(author.post("/v1/rubrics", {**common, "key": "r", "title": "R"}))["id"]
    criterion = made(
        author.post("/v1/rubric-criteria", {**common, "rubric": rubric, "key": "c", "title": "C"})
    )["id"]
    for key, points in (("low", "0"), ("high", "2")):
        level = {**common, "criterion": criterion, "key": key, "title": key, "points": points}
        made(author.post("/v1/rubric-levels", level))
    made(author.post("/v1/assessment-items", essay(version, rubric)))
    capital = made(
        author.post(
            "/v1/assessment-items",
            {
                **common,
                "key": "capital",
                "position": 1,
                "kind": "multiple_choice",
                "prompt_markdown": "Capital?",
                "key_data": CAPITAL,
            },
        )
    )

    published = made(author.post(f"/v1/assessment-versions/{version}/publish"))
    made(author.post(f"/v1/assessments/{quiz['id']}/draft"))
    [second] = AssessmentVersion.objects.filter(status="draft")
    item = AssessmentItem.objects.get(version=second, key="capital")
    made(author.patch(f"/v1/assessment-items/{item.id}", {"prompt_markdown": "The capital?"}))

    assert (published["number"], published["pass_percent"]) == (1, "50.00")
    assert {name: capital[name] for name in ("scoring_rule", "graded_by", "points")} == {
        "scoring_rule": "fractions",
        "graded_by": "engine",
        "points": "1.0000",
    }
    assert made(author.get(f"/v1/assessment-versions/{second.id}/diff"))["changes"] == [
        {
            "part": "assessment item",
            "key": "capital",
            "outcome": "changed",
            "fields_changed": [
                {"field": "prompt_markdown", "old": "Capital?", "new": "The capital?"}
            ],
        }
    ]
    assert AdminAction.objects.filter(action="assessmentversion.published").exists()


def test_publish_of_what_is_not_ready_names_every_reason(author: APIClient) -> None:
    draft = draft_assessment(())

    response = author.post(f"/v1/assessment-versions/{draft.id}/publish")

    assert problem_of(response) == (409, "urn:assay:problem:not-publishable")
    assert [error["code"] for error in response.json()["errors"]] == ["no-items"]


def test_what_is_published_can_no_longer_be_changed(author: APIClient) -> None:
    version = published_assessment(WITH_ESSAY)
    item = version.items.get(key="causes")
    new = {"version": str(version.id), "key": "n", "title": "N"}

    refusals = [
        author.patch(f"/v1/assessment-items/{item.id}", {"points": "9"}),
        author.delete(f"/v1/assessment-items/{item.id}"),
        author.post("/v1/rubrics", new),
        author.patch(f"/v1/assessment-versions/{version.id}", {"pass_percent": "1"}),
        author.post(
            f"/v1/assessment-versions/{version.id}/items-from-bank",
            {"bank_items": [str(bank_item().id)]},
        ),
    ]

    assert [problem_of(response) for response in refusals] == [
        *[(409, "urn:assay:problem:frozen")] * 3,
        *[(409, "urn:assay:problem:not-a-draft")] * 2,
    ]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"key_data": {}}, [("key_data.options", "not-a-list")]),
        ({"key_data": None}, [("key_data", "null")]),
        ({"key_data": "x"}, [("key_data", "not-an-object"), ("key_data.options", "not-a-list")]),
        (
            {"key_data": {**CAPITAL, "colour": "red"}},
            [("key_data.colour", "unknown-member")],
        ),
        ({"kind": "film"}, [("kind", "invalid-choice")]),
        ({"kind": "essay", "graded_by": "engine"}, [("graded_by", "needs-a-person")]),
        ({"scoring_rule": "first_match"}, [("scoring_rule", "unknown-rule")]),
        ({"scoring_rule": "luck"}, [("scoring_rule", "invalid-choice")]),
        ({"points": "-1"}, [("points", "min-value")]),
        ({"points": "1e300"}, [("points", "max-digits")]),
        ({"points": "many"}, [("points", "invalid")]),
        ({"position": 10**9}, [("position", "max-value")]),
        ({"prompt_markdown": None}, [("prompt_markdown", "null")]),
        ({"version": str(some_uuid())}, [("version", "does-not-exist")]),
        ({"version": 7}, [("version", "incorrect-type")]),
        ({"rubric": "foreign"}, [("rubric", "of-another-version")]),
        ({"bank_item": str(some_uuid()), "x": 1}, [("x", "unknown")]),
    ],
)
def test_create_item_with_bad_input_tells_the_field(
    author: APIClient, changes: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    draft = draft_assessment(())
    if changes.get("rubric") == "foreign":
        other = draft_assessment(WITH_ESSAY, slug="other")
        changes = {"rubric": str(other.rubrics.get().id)}
    good = {
        "version": str(draft.id),
        "key": "new",
        "position": 1,
        "kind": "multiple_choice",
        "prompt_markdown": "?",
        "key_data": CAPITAL,
    }

    response = author.post("/v1/assessment-items", {**good, **changes})

    assert errors(response) == expected
    assert not draft.items.exists()


def test_an_item_whose_kind_changes_gets_the_new_kinds_rule(author: APIClient) -> None:
    item = draft_assessment().items.get(key="capital")
    address = f"/v1/assessment-items/{item.id}"

    refused = author.patch(address, {"kind": "true_false"})
    changed = author.patch(address, {"kind": "true_false", "key_data": KEYS["true_false"]})

    assert ("key_data.correct", "not-a-boolean") in errors(refused)
    assert (made(changed)["scoring_rule"], changed.json()["kind"]) == (
        "all_or_nothing",
        "true_false",
    )


def test_if_match_refuses_an_item_that_changed_in_between(author: APIClient) -> None:
    address = f"/v1/assessment-items/{draft_assessment().items.get(key='pi').id}"
    tag = author.get(address)["ETag"]
    author.patch(address, {"title": "Theirs"})

    stale = author.patch(address, {"title": "Mine"}, headers={"If-Match": tag})

    assert problem_of(stale) == (412, "urn:assay:problem:stale")


def test_placing_an_assessment_lets_the_course_be_published(author: APIClient) -> None:
    draft = draft_course(modules={"all": (Item("read"), Item("quiz", ItemType.ASSESSMENT))})
    quiz, later = published_assessment(), published_assessment(slug="later")
    address = f"/v1/course-versions/{draft.id}/publish"
    body = {
        "module_item": str(draft.items.get(key="quiz").id),
        "assessment_version": str(quiz.id),
    }

    unplaced = author.post(address)
    placed = made(author.post("/v1/assessment-placements", body))
    again = author.post("/v1/assessment-placements", {**body, "assessment_version": str(later.id)})
    changed = author.patch(
        f"/v1/assessment-placements/{placed['id']}", {"assessment_version": str(quiz.id)}
    )
    published = author.post(address)

    assert [error["code"] for error in unplaced.json()["errors"]] == ["assessment-not-placed"]
    assert (placed["key"], placed["version"]) == ("quiz", str(draft.id))
    assert (made(again)["id"], made(again)["assessment_version"]) == (placed["id"], str(later.id))
    assert made(changed)["assessment_version"] == str(quiz.id)
    assert made(published)["number"] == 1
    frozen = author.delete(f"/v1/assessment-placements/{placed['id']}")
    assert problem_of(frozen) == (409, "urn:assay:problem:frozen")


def test_what_can_not_be_placed(author: APIClient) -> None:
    draft = draft_course(modules={"all": (Item("read"), Item("quiz", ItemType.ASSESSMENT))})
    quiz, read = (str(draft.items.get(key=key).id) for key in ("quiz", "read"))
    published, unpublished = published_assessment(), draft_assessment(slug="draft")

    def place(item: Any, version: Any) -> Any:
        body = {"module_item": item, "assessment_version": str(version)}
        return author.post("/v1/assessment-placements", body)

    assert problem_of(place(read, published.id))[1] == "urn:assay:problem:not-an-assessment-item"
    assert problem_of(place(quiz, unpublished.id))[1] == (
        "urn:assay:problem:assessment-not-published"
    )
    assert errors(place(quiz, some_uuid())) == [("assessment_version", "does-not-exist")]
    assert errors(place("x", published.id)) == [("module_item", "invalid")]
    assert not AssessmentPlacement.objects.exists()


def bank_item(key: str = "sky", slug: str = "bank") -> BankItem:
    bank, _ = QuestionBank.objects.get_or_create(slug=slug, defaults={"title": slug})
    return BankItem.objects.create(
        bank=bank,
        key=key,
        kind="true_false",
        title=key,
        prompt_markdown="?",
        key_data=KEYS["true_false"],
        scoring_rule="all_or_nothing",
        graded_by="engine",
    )


def test_questions_of_a_bank_are_copied_to_a_draft(author: APIClient) -> None:
    draft = draft_assessment(())
    wanted = [str(bank_item(key).id) for key in ("sea", "sky")]
    address = f"/v1/assessment-versions/{draft.id}/items-from-bank"

    copied, again = (
        author.post(address, {"bank_items": wanted}, headers={"Idempotency-Key": "k"})
        for _ in range(2)
    )

    assert [item["bank_item"] for item in made(copied)["items"]] == wanted
    assert made(again) == made(copied)
    assert list(draft.items.values_list("key", "position")) == [("sea", 1), ("sky", 2)]


def test_unknown_and_archived_questions_are_not_copied(author: APIClient) -> None:
    draft = draft_assessment(())
    known, old = bank_item("known"), bank_item("old")
    made(author.post(f"/v1/bank-items/{old.id}/archive"))
    body = {"bank_items": [str(known.id), str(old.id), str(some_uuid())]}

    response = author.post(f"/v1/assessment-versions/{draft.id}/items-from-bank", body)

    assert response.status_code == 404
    assert [error["field"] for error in response.json()["errors"]] == [
        "bank_items[1]",
        "bank_items[2]",
    ]
    assert not draft.items.exists()


@pytest.mark.parametrize("wanted", [[], ["x"], "x", [None], None])
def test_copying_needs_a_list_of_ids(author: APIClient, wanted: Any) -> None:
    address = f"/v1/assessment-versions/{draft_assessment(()).id}/items-from-bank"

    assert author.post(address, {"bank_items": wanted}).status_code == 422


def test_a_bank_and_its_questions_are_written(author: APIClient) -> None:
    bank = made(author.post("/v1/question-banks", {"slug": "geo", "title": "Geography"}))
    item = {
        "bank": bank["id"],
        "key": "capital",
        "kind": "multiple_choice",
        "prompt_markdown": "Capital?",
        "key_data": CAPITAL,
        "tags": ["europe"],
        "difficulty": 2,
    }

    created = made(author.post("/v1/bank-items", item))
    elsewhere = bank_item(slug="other").bank
    moved = author.patch(f"/v1/bank-items/{created['id']}", {"bank": str(elsewhere.id)})

    assert (created["tags"], created["scoring_rule"]) == (["europe"], "fractions")
    assert errors(moved) == [("bank", "fixed")]
    assert errors(author.patch(f"/v1/bank-items/{created['id']}", {"difficulty": 9})) == [
        ("difficulty", "max-value")
    ]
    assert ids(author.get(f"/v1/bank-items?bank={bank['id']}")) == {created["id"]}


def send(client: APIClient, address: str, data: bytes, **headers: str) -> Any:
    return client.post(address, data, content_type="text/plain", headers=headers)


def test_import_reports_every_question_and_a_dry_run_changes_nothing(author: APIClient) -> None:
    bank = QuestionBank.objects.create(slug="b", title="B")
    address = f"/v1/question-banks/{bank.id}/import?filename=geo.gift"

    tried = made(send(author, f"{address}&dry_run=1", GIFT))
    before = BankItem.objects.count()
    done = made(send(author, address, GIFT))
    again = made(send(author, address, GIFT))

    assert before == 0
    assert (
        tried["counts"]
        == done["counts"]
        == {
            "imported": 2,
            "imported-with-changes": 0,
            "unchanged": 0,
            "refused": 1,
        }
    )
    assert (tried["is_dry_run"], done["is_dry_run"]) == (True, False)
    assert [(one["line"], one["outcome"], one["title"]) for one in done["questions"]] == [
        (1, "imported", "Sky"),
        (3, "imported", "Sum"),
        (5, "refused", ""),
    ]
    assert done["questions"][2]["notes"] != []
    assert again["counts"]["unchanged"] == 2
    assert BankItem.objects.get(title="Sky").source["file"] == "geo.gift"


def test_import_under_one_key_again_tells_the_counts(author: APIClient) -> None:
    bank = QuestionBank.objects.create(slug="b", title="B")
    address = f"/v1/question-banks/{bank.id}/import"
    key = {"Idempotency-Key": "k"}

    first, again = (send(author, address, GIFT, **key) for _ in range(2))
    other = send(author, address, GIFT + b"\n", **key)

    assert made(again) == {**made(first), "questions": None}
    assert problem_of(other) == (422, "urn:assay:problem:idempotency-key-reused")
    assert BankItem.objects.count() == 2


def test_import_into_a_draft(author: APIClient) -> None:
    bank = QuestionBank.objects.create(slug="b", title="B")
    draft = draft_assessment(())
    address = f"/v1/assessment-versions/{draft.id}/import?bank={bank.id}"

    tried = made(send(author, f"{address}&dry_run=true", GIFT))
    done = made(send(author, address, GIFT))

    assert (tried["items"], tried["counts"]) == ([], done["counts"])
    assert done["items"] == [str(item.id) for item in draft.items.order_by("position")]
    assert list(draft.items.order_by("position").values_list("key", flat=True)) == ["sky", "sum"]


@pytest.mark.parametrize(
    ("query", "data", "status"),
    [
        ("", b"", 422),
        ("", b"\x00\x01\x02\xff", 422),
        ("?encoding=klingon", GIFT, 422),
        ("?encoding=utf-8", b"caf\xe9 {T}", 422),
        ("?dry_run=perhaps", GIFT, 422),
        ("?colour=red", GIFT, 422),
        ("", b"a" * (10 * 1024 * 1024 + 1), 413),
    ],
)
def test_a_bad_import_is_refused_precisely(
    author: APIClient, query: str, data: bytes, status: int
) -> None:
    bank = QuestionBank.objects.create(slug="b", title="B")

    response = send(author, f"/v1/question-banks/{bank.id}/import{query}", data)

    if response.status_code == 200:
        assert response.json()["counts"]["imported"] == 0
    else:
        assert response.status_code == status, response.json()
    assert not BankItem.objects.exists()


def test_import_into_a_draft_needs_a_bank_and_a_draft(author: APIClient) -> None:
    bank = QuestionBank.objects.create(slug="b", title="B")
    draft, published = draft_assessment(()), published_assessment(slug="done")
    into = "/v1/assessment-versions/{}/import"

    assert errors(send(author, into.format(draft.id), GIFT)) == [("bank", "required")]
    assert errors(send(author, into.format(draft.id) + "?bank=x", GIFT)) == [("bank", "invalid")]
    assert send(author, f"{into.format(draft.id)}?bank={some_uuid()}", GIFT).status_code == 404
    frozen = send(author, f"{into.format(published.id)}?bank={bank.id}", GIFT)
    assert problem_of(frozen) == (409, "urn:assay:problem:not-a-draft")


def test_json_is_no_question_file(author: APIClient) -> None:
    bank = QuestionBank.objects.create(slug="b", title="B")

    assert author.post(f"/v1/question-banks/{bank.id}/import", {"a": 1}).status_code == 415


def test_a_learner_sees_what_they_are_offered_and_no_content() -> None:
    it = scene()
    published_assessment(slug="other")
    ada = api(it.learner)

    assert ids(ada.get("/v1/assessments")) == {str(it.template.id)}
    assert made(ada.get(f"/v1/assessments/{it.template.id}"))["title"] == "Quiz"
    assert {name: ada.get(f"/v1/{name}").status_code for name in LISTS[1:]} == dict.fromkeys(
        LISTS[1:], 403
    )
    assert ada.post("/v1/assessments", {"slug": "x", "title": "X"}).status_code == 403


def test_an_auditor_reads_and_changes_nothing() -> None:
    version = published_assessment()
    auditor = api(member(OrgRole.AUDITOR))

    assert {auditor.get(f"/v1/{name}").status_code for name in LISTS} == {200}
    assert auditor.post("/v1/assessments", {"slug": "a", "title": "A"}).status_code == 403
    assert auditor.post(f"/v1/assessment-versions/{version.id}/retire").status_code == 403


def test_a_stranger_is_refused_everywhere() -> None:
    assert {api().get(f"/v1/{name}").status_code for name in LISTS} == {401}


def test_a_row_of_another_organisation_is_not_found(org_b: Organization) -> None:
    with tenant_context(org_b):
        version = published_assessment(WITH_ESSAY)
        rubric = version.rubrics.get()
        criterion = rubric.criteria.get(key="depth")
        item = bank_item()
        theirs = {
            "assessments": version.definition_id,
            "assessment-versions": version.id,
            "assessment-items": version.items.get(key="pi").id,
            "rubrics": rubric.id,
            "rubric-criteria": criterion.id,
            "rubric-levels": criterion.levels.get(key="depth-good").id,
            "question-banks": item.bank_id,
            "bank-items": item.id,
        }
    owner = api(member(OrgRole.OWNER))

    found = {
        (name, method): getattr(owner, method)(f"/v1/{name}/{row}").status_code
        for name, row in theirs.items()
        for method in ("get", "patch")
    }
    actions = [
        owner.post(f"/v1/assessments/{version.definition_id}/attempts").status_code,
        owner.post(f"/v1/assessments/{version.definition_id}/draft").status_code,
        owner.post(f"/v1/assessment-versions/{version.id}/retire").status_code,
        send(owner, f"/v1/question-banks/{item.bank_id}/import", GIFT).status_code,
        owner.post(f"/v1/bank-items/{item.id}/archive").status_code,
    ]

    assert set(found.values()) == {404}
    assert actions == [404] * 5
    assert not AssessmentTemplate.objects.exists()


@pytest.mark.parametrize("name", [name for name in LISTS if name != "assessment-placements"])
def test_lists_take_the_same_statements_for_2_and_20_rows(author: APIClient, name: str) -> None:
    taken = []
    for size in (2, 18):
        for number in range(size):
            draft_assessment(WITH_ESSAY, slug=f"q{size}-{number}")
            bank_item("sky", slug=f"b{size}-{number}")
        taken.append(statements(author, f"/v1/{name}"))

    assert taken[0] == taken[1]


def test_placements_take_the_same_statements_for_2_and_20_rows(author: APIClient) -> None:
    quiz, taken = published_assessment(), []
    for size in (2, 18):
        items = tuple(Item(f"i{number}", ItemType.ASSESSMENT) for number in range(size))
        draft = draft_course(f"c{size}", {"all": items})
        for item in draft.items.all():
            AssessmentPlacement.objects.create(
                version=draft, key=item.key, module_item=item, assessment_version=quiz
            )
        taken.append(statements(author, "/v1/assessment-placements"))

    assert taken[0] == taken[1]
