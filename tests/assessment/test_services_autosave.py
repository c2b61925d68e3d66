"""Saving answers: acknowledged, ordered by the client's sequence, kept as history."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.assessment.models import AssessmentResponse, ResponseRevision
from apps.assessment.services import (
    Answer,
    SavedAnswer,
    save_response,
    save_responses,
    void_attempt,
)
from apps.assessment.services.attempts import NoSuchAttempt, NoSuchItem
from apps.assessment.services.autosave import AttemptClosed, ResponseInvalid
from apps.contacts.services import merge_contacts
from tests.assessment.factories import (
    RIGHT,
    Scene,
    draft_assessment,
    published_assessment,
    scene,
)
from tests.cohorts.factories import NOON, person

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


@pytest.fixture
def it() -> Scene:
    return scene(time_limit_seconds=3600, grace_seconds=30)


def saver(it: Scene, key: str = "pi", **fields: Any) -> Any:
    attempt = it.start()
    return partial(
        save_response,
        **{
            "attempt_id": attempt.id,
            "item_id": it.items[key].id,
            "contact_id": it.learner.id,
            "at": NOON,
            **fields,
        },
    )


def responses() -> list[tuple[Any, ...]]:
    return list(
        AssessmentResponse.objects.values_list("value", "invalid_value", "fault", "sequence")
    )


def revisions() -> list[tuple[Any, ...]]:
    return list(
        ResponseRevision.objects.order_by("sequence").values_list("sequence", "value", "fault")
    )


def test_save_response_acknowledges_what_it_stored(it: Scene) -> None:
    save = saver(it)

    saved = save(value="3,14", sequence=5)

    assert saved == SavedAnswer(it.items["pi"].id, sequence=5, is_stored=True)
    assert responses() == [("3,14", None, "", 5)]
    assert revisions() == [(5, "3,14", "")]


def test_save_response_takes_the_newer_and_ignores_the_older(it: Scene) -> None:
    save = saver(it)
    save(value="1", sequence=2)

    older, same, newer = (
        save(value="9", sequence=1),
        save(value="9", sequence=2),
        save(value="3", sequence=3),
    )

    assert (older.sequence, older.is_stored) == (2, False)
    assert (same.sequence, same.is_stored) == (2, False)
    assert (newer.sequence, newer.is_stored) == (3, True)
    assert responses() == [("3", None, "", 3)]
    assert revisions() == [(2, "1", ""), (3, "3", "")]


def test_save_response_keeps_the_last_valid_value_beside_an_unreadable_one(it: Scene) -> None:
    save = saver(it)
    save(value="3.14", sequence=1)

    saved = save(value="three", sequence=2)
    after_invalid = responses()
    save(value=None, sequence=3)

    assert saved == SavedAnswer(
        it.items["pi"].id,
        sequence=2,
        is_stored=True,
        fault_code="unreadable-number",
        fault_message="“three” cannot be read as a number.",
    )
    assert after_invalid == [("3.14", "three", "unreadable-number", 2)]
    assert responses() == [(None, None, "", 3)]
    assert revisions() == [(1, "3.14", ""), (2, "three", "unreadable-number"), (3, None, "")]


def test_save_response_stores_false_and_an_empty_list_as_they_are(it: Scene) -> None:
    attempt = it.start()
    it.answer(attempt, {"earth": False, "primes": []})

    assert [(r.item.key, r.value) for r in attempt.responses.order_by("item__position")] == [
        ("primes", []),
        ("earth", False),
    ]


def test_save_response_costs_one_statement_once_the_item_is_known(it: Scene) -> None:
    save = saver(it)
    save(value="1", sequence=1)

    with CaptureQueriesContext(
        connection,
    ) as captured:
        save(value="2", sequence=2)

    assert len(captured) == 1


def test_save_responses_keeps_all_answers_in_one_statement(it: Scene) -> None:
    attempt = it.start()
    answers = [Answer(it.items[key].id, value, 1) for key, value in RIGHT.items()]
    save = partial(save_responses, attempt_id=attempt.id, contact_id=it.learner.id, at=NOON)
    save(answers=answers)
    newer = [Answer(one.item_id, one.value, 2) for one in answers]

    with CaptureQueriesContext(connection) as captured:
        saved = save(answers=newer)

    assert len(captured) == 1
    assert [(one.item_id, one.sequence) for one in saved] == [(one.item_id, 2) for one in newer]
    assert dict(attempt.responses.values_list("item__key", "value")) == RIGHT


def test_save_responses_acknowledges_newer_and_older_together(it: Scene) -> None:
    attempt = it.start()
    save = partial(save_responses, attempt_id=attempt.id, contact_id=it.learner.id, at=NOON)
    pi, earth = it.items["pi"].id, it.items["earth"].id
    save(answers=[Answer(pi, "3", 9)])

    saved = save(answers=[Answer(pi, "4", 8), Answer(earth, True, 1)])

    assert saved == [
        SavedAnswer(pi, sequence=9, is_stored=False),
        SavedAnswer(earth, sequence=1, is_stored=True),
    ]


def test_save_responses_keeps_nothing_if_one_is_refused(it: Scene) -> None:
    attempt = it.start()

    with pytest.raises(ResponseInvalid) as refused:
        save_responses(
            attempt_id=attempt.id,
            answers=[
                Answer(it.items["pi"].id, "3", 1),
                Answer(it.items["capital"].id, "berlin", 1),
            ],
            contact_id=it.learner.id,
            at=NOON,
        )

    assert refused.value.as_dict()["errors"] == [
        {"field": "value", "code": "unknown-option", "message": "The item has no such option."}
    ]
    assert refused.value.as_dict()["item"] == str(it.items["capital"].id)
    assert responses() == []


@pytest.mark.parametrize("sequence", [0, -1, 2**53])
def test_save_response_refuses_a_sequence_no_client_counts(it: Scene, sequence: int) -> None:
    with pytest.raises(ResponseInvalid):
        saver(it)(value="1", sequence=sequence)


def test_save_response_refuses_items_that_are_not_of_the_attempt(it: Scene) -> None:
    foreign = published_assessment(slug="other").items.get(key="pi")
    draft = draft_assessment(slug="draft").items.get(key="pi")
    save = saver(it)

    for item_id in (foreign.id, draft.id, uuid4()):
        with pytest.raises(NoSuchItem):
            save(item_id=item_id, value="1", sequence=1)
    assert responses() == []


def test_save_response_shows_nobody_else_that_the_attempt_exists(it: Scene) -> None:
    save = saver(it)

    with pytest.raises(NoSuchAttempt):
        save(contact_id=it.grader.id, value="1", sequence=1)
    with pytest.raises(NoSuchAttempt):
        save(attempt_id=uuid4(), value="1", sequence=1)
    assert responses() == []


def test_save_response_knows_the_learner_by_the_contact_they_were_merged_into(it: Scene) -> None:
    save = saver(it)
    survivor = merge_contacts(source=it.learner, into=person("Augusta"), actor=None)

    first = save(contact_id=survivor.id, value="3", sequence=2)
    older = save(contact_id=survivor.id, value="2", sequence=1)

    assert (first.is_stored, older.is_stored) == (True, False)


def test_save_response_counts_the_servers_deadline(it: Scene) -> None:
    save = saver(it)
    last_moment = NOON + timedelta(hours=1) + 30 * SECOND

    save(value="3", sequence=1, at=last_moment)

    with pytest.raises(AttemptClosed):
        save(value="4", sequence=2, at=last_moment + SECOND)
    assert responses() == [("3", None, "", 1)]


def test_save_response_after_the_end_of_the_attempt_is_refused(it: Scene) -> None:
    save = saver(it)
    it.submit(it.start())
    with pytest.raises(AttemptClosed):
        save(value="3", sequence=1)

    void = it.start()
    void_attempt(attempt_id=void.id, actor=it.grader, reason="Copied", at=NOON)
    with pytest.raises(AttemptClosed):
        save(attempt_id=void.id, value="3", sequence=1)
    assert responses() == []
