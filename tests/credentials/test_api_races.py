"""The same award asked for eight times at the same moment: one award, the same answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from apps.cohorts.events import EventType
from apps.cohorts.models import ProgressEvent
from apps.contacts.models import AdminAction
from apps.contacts.services import create_api_token
from apps.credentials.models import (
    AwardHold,
    CertificationAward,
    CredentialDocument,
    StatusListEntry,
)
from apps.organizations.models import OrgRole
from tests.clients import InsideAPIClient, host
from tests.cohorts.threads import at_once
from tests.credentials.factories import World, event_line, world
from tests.factories import member

KEYS: dict[str, Callable[[int], dict[str, str]]] = {
    "no key": lambda number: {},
    "one key": lambda number: {"Idempotency-Key": "one"},
    "a key each": lambda number: {"Idempotency-Key": f"key {number}"},
}


def eight(it: World, keys: str) -> list[tuple[int, Any]]:
    """Return status and body of eight registrars' clicks at the same moment, sorted by status."""
    _row, secret = create_api_token(contact=member(OrgRole.ADMIN, name="Rita"), name="desk")
    body = {"enrollment": str(it.enrollment.id), "template": str(it.template.id), "reason": "Board"}

    def send(number: int) -> tuple[int, Any]:
        caller = InsideAPIClient(SERVER_NAME=host(), raise_request_exception=False)
        headers = {"Authorization": f"Bearer {secret}", **KEYS[keys](number)}
        response = caller.post("/v1/certification-awards", body, headers=headers)
        return response.status_code, response.json()

    answers: list[tuple[int, Any]] = at_once(*(partial(send, number) for number in range(8)))
    return sorted(answers, key=lambda answer: answer[0])


@pytest.mark.parametrize("keys", KEYS)
def test_eight_awards_at_once_are_one_with_the_same_answer(own_database: str, keys: str) -> None:
    it = world()
    it.meet()

    answers = eight(it, keys)

    award = CertificationAward.objects.get()
    assert [status for status, _body in answers] == (
        [201] * 8 if keys == "one key" else [200] * 7 + [201]
    )
    assert [body for _status, body in answers] == [answers[0][1]] * 8
    assert answers[0][1]["id"] == str(award.id)
    assert event_line(award) == ["issued"]
    assert CredentialDocument.objects.count() == StatusListEntry.objects.count() == 1
    assert ProgressEvent.objects.filter(type=EventType.CREDENTIAL_ISSUED).count() == 1
    assert AdminAction.objects.filter(action="award.granted").count() == 1


@pytest.mark.parametrize("keys", KEYS)
def test_eight_awards_at_once_that_a_person_must_look_at_are_one_hold(
    own_database: str, keys: str
) -> None:
    it = world()
    it.meet()
    response = it.enrollment.attempts.get().responses.get(item__key="pi")
    response.value = "2.71"
    response.save(update_fields=["value"])

    answers = eight(it, keys)

    hold = AwardHold.objects.get()
    assert answers == [(202, answers[0][1])] * 8
    assert answers[0][1]["id"] == str(hold.id)
    assert not CertificationAward.objects.exists()
