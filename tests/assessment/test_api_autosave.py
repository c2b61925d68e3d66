"""Saving answers over /v1: repeatable by sequence, precise about bad input, cheap."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.assessment.models import AssessmentAttempt, AssessmentResponse, ResponseRevision
from apps.assessment.services.autosave import MAX_SEQUENCE
from tests.assessment.factories import RIGHT, Scene, published_assessment, scene
from tests.clients import api, problem_of
from tests.cohorts.factories import person
from tests.factories import some_uuid

pytestmark = pytest.mark.django_db


@pytest.fixture
def it() -> Scene:
    return scene()


@pytest.fixture
def attempt(it: Scene) -> AssessmentAttempt:
    return it.start()


@pytest.fixture
def ada(it: Scene) -> APIClient:
    return api(it.learner)


def address(attempt: AssessmentAttempt, item: Any) -> str:
    return f"/v1/attempts/{attempt.id}/responses/{item}"


def kept() -> dict[str, Any]:
    return dict(AssessmentResponse.objects.values_list("item__key", "value"))


def errors(response: Any) -> list[tuple[str, str]]:
    assert response.status_code == 422, response.content
    return [(error["field"], error["code"]) for error in response.json()["errors"]]


def test_a_save_is_acknowledged_with_the_stored_sequence(
    it: Scene, attempt: AssessmentAttempt, ada: APIClient
) -> None:
    item = it.items["pi"].id

    response = ada.put(address(attempt, item), {"value": "3.14", "sequence": 1_700_000_000_000})

    assert (response.status_code, response.json()) == (
        200,
        {"item": str(item), "sequence": 1_700_000_000_000, "is_stored": True, "fault": None},
    )
    assert kept() == {"pi": "3.14"}
    assert int(response["RateLimit-Remaining"]) > 0


def test_an_older_save_is_ignored_and_told_the_newer_sequence(
    it: Scene, attempt: AssessmentAttempt, ada: APIClient
) -> None:
    where = address(attempt, it.items["pi"].id)
    ada.put(where, {"value": "3.14", "sequence": 9})

    older = ada.put(where, {"value": "3", "sequence": 8}).json()
    again = ada.put(where, {"value": "3.14", "sequence": 9}).json()

    assert (older["sequence"], older["is_stored"]) == (9, False)
    assert (again["sequence"], again["is_stored"]) == (9, False)
    assert kept() == {"pi": "3.14"}
    assert ResponseRevision.objects.count() == 1


def test_a_slip_is_kept_and_told_and_the_last_valid_answer_counts(
    it: Scene, attempt: AssessmentAttempt, ada: APIClient
) -> None:
    where = address(attempt, it.items["pi"].id)
    ada.put(where, {"value": "3.14", "sequence": 1})

    slip = ada.put(where, {"value": "three", "sequence": 2}).json()

    assert slip["fault"] == {
        "code": "unreadable-number",
        "message": "“three” cannot be read as a number.",
    }
    assert kept() == {"pi": "3.14"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, [("sequence", "required"), ("value", "required")]),
        ({"value": "3"}, [("sequence", "required")]),
        ({"value": "3", "sequence": 1, "x": 1}, [("x", "unknown")]),
        ({"value": "3", "sequence": "1"}, [("sequence", "invalid")]),
        ({"value": "3", "sequence": True}, [("sequence", "invalid")]),
        ({"value": "3", "sequence": 1.5}, [("sequence", "invalid")]),
        ({"value": "3", "sequence": None}, [("sequence", "invalid")]),
        ({"value": "3", "sequence": 0}, [("sequence", "invalid")]),
        ({"value": "3", "sequence": -1}, [("sequence", "invalid")]),
        ({"value": "3", "sequence": MAX_SEQUENCE + 1}, [("sequence", "invalid")]),
        ({"value": ["3"], "sequence": 1}, [("value", "not-a-number")]),
        ({"value": {"a": 1}, "sequence": 1}, [("value", "not-a-number")]),
        ({"value": True, "sequence": 1}, [("value", "not-a-number")]),
        ({"value": "9" * 5_000, "sequence": 1}, [("value", "too-long")]),
        (["3"], [("", "invalid")]),
        ("3", [("", "invalid")]),
        (3, [("", "invalid")]),
    ],
)
def test_a_bad_save_tells_the_field_and_keeps_nothing(
    it: Scene, attempt: AssessmentAttempt, ada: APIClient, body: Any, expected: Any
) -> None:
    response = ada.put(address(attempt, it.items["pi"].id), body)

    assert errors(response) == expected
    assert kept() == {}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'{"value": "a\\u0000b", "sequence": 1}', 400),
        (b'{"value": "\\ud800", "sequence": 1}', 400),
        (b'{"value": NaN, "sequence": 1}', 400),
        (b'{"value": 1e999, "sequence": 1}', 400),
        (b'{"value": 99999999999999999999, "sequence": 1}', 400),
        (b'{"value": "3", "sequence": 99999999999999999999}', 400),
        (b'{"value": "\xff", "sequence": 1}', 400),
        (b"{", 400),
        (b"", 422),
        (b"[" * 100_000, 400),
        (b'{"value": "' + b"9" * (10 * 1024 * 1024) + b'", "sequence": 1}', 413),
    ],
)
def test_a_hostile_body_is_refused_precisely(
    it: Scene, attempt: AssessmentAttempt, ada: APIClient, raw: bytes, expected: int
) -> None:
    response = ada.put(address(attempt, it.items["pi"].id), raw, content_type="application/json")

    assert response.status_code == expected
    assert kept() == {}


def test_items_of_other_versions_and_unknown_ones_are_not_found(
    it: Scene, attempt: AssessmentAttempt, ada: APIClient
) -> None:
    other = published_assessment(slug="other").items.get(key="pi")
    body = {"value": "3", "sequence": 1}

    answers = [ada.put(address(attempt, item), body) for item in (other.id, some_uuid())]

    assert [problem_of(answer) for answer in answers] == [
        (404, "urn:assay:problem:no-such-item")
    ] * 2
    assert ada.put(address(attempt, "seven"), body).status_code == 404
    assert kept() == {}


def test_a_save_after_handing_in_is_refused(
    it: Scene, attempt: AssessmentAttempt, ada: APIClient
) -> None:
    it.submit(attempt)

    response = ada.put(address(attempt, it.items["pi"].id), {"value": "3", "sequence": 1})

    assert problem_of(response) == (409, "urn:assay:problem:attempt-closed")


def test_a_save_after_the_time_is_over_is_refused() -> None:
    it = scene(time_limit_seconds=1)
    attempt = it.start()

    response = api(it.learner).put(
        address(attempt, it.items["pi"].id), {"value": "3", "sequence": 1}
    )

    assert problem_of(response) == (409, "urn:assay:problem:attempt-closed")


def test_a_save_by_somebody_else_or_a_stranger_is_refused(
    it: Scene, attempt: AssessmentAttempt
) -> None:
    where, body = address(attempt, it.items["pi"].id), {"value": "3", "sequence": 1}

    assert problem_of(api(person("Bo")).put(where, body)) == (
        404,
        "urn:assay:problem:no-such-attempt",
    )
    assert api().put(where, body).status_code == 401


def several(it: Scene, *answers: tuple[str, Any, Any]) -> dict[str, Any]:
    return {
        "responses": [
            {"item": str(it.items[key].id), "value": value, "sequence": sequence}
            for key, value, sequence in answers
        ]
    }


def test_several_answers_are_saved_at_once(
    it: Scene, attempt: AssessmentAttempt, ada: APIClient
) -> None:
    response = ada.put(
        f"/v1/attempts/{attempt.id}/responses",
        several(it, *((key, value, 5) for key, value in RIGHT.items())),
    )

    assert [(one["sequence"], one["is_stored"]) for one in response.json()["responses"]] == [
        (5, True)
    ] * 4
    assert kept() == RIGHT


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([("pi", "3", 1), ("pi", "4", 2)], [("value", "item-repeated")]),
        ([("pi", "3", 1), ("capital", "oslo", 2)], [("value", "unknown-option")]),
        ([("pi", "3", 0), ("capital", "rome", 2)], [("responses[0].sequence", "invalid")]),
        ([], [("responses", "list-length")]),
    ],
)
def test_of_several_answers_all_are_kept_or_none(
    it: Scene, attempt: AssessmentAttempt, ada: APIClient, answers: Any, expected: Any
) -> None:
    response = ada.put(f"/v1/attempts/{attempt.id}/responses", several(it, *answers))

    assert errors(response) == expected
    assert kept() == {}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, [("responses", "required")]),
        ({"responses": {}}, [("responses", "list-length")]),
        ({"responses": [1]}, [("responses[0]", "invalid")]),
        (
            {"responses": [{"value": 1, "sequence": 1}]},
            [("responses[0].item", "required")],
        ),
        (
            {"responses": [{"item": 7, "value": 1, "sequence": 1}]},
            [("responses[0].item", "invalid")],
        ),
        (
            {"responses": [{"item": "x", "value": 1, "sequence": 1}]},
            [("responses[0].item", "invalid")],
        ),
        (
            {"responses": [{"item": str(some_uuid()), "value": 1, "sequence": 1}] * 501},
            [("responses", "list-length")],
        ),
    ],
)
def test_a_bad_list_of_answers_tells_where(
    attempt: AssessmentAttempt, ada: APIClient, body: Any, expected: Any
) -> None:
    assert errors(ada.put(f"/v1/attempts/{attempt.id}/responses", body)) == expected
