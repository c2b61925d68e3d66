from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import pytest

from apps.credentials.credentialstatus import StatusUnreachable
from apps.credentials.findings import State, Step
from apps.credentials.openbadges import StatusSpec, credential_document
from apps.credentials.reasons import Reason
from apps.credentials.verification import verify_credential
from tests.credentials.examples import (
    NOW,
    OTHER_KEY,
    STATUS_INDEX,
    STATUS_URL,
    award,
    credential,
    known_keys,
    serving,
    signed,
    status_list,
)

SUSPENSION_URL = "https://acme.example/status/suspension/1"


def status_of(document: dict[str, Any], resolve_status: Any) -> Step:
    verification = verify_credential(
        document, resolve_key=known_keys(), resolve_status=resolve_status, now=NOW
    )
    return verification.steps[-1]


def outcome(step: Step) -> tuple[State, Reason]:
    return step.state, step.reason


def test_a_clear_bit_means_not_revoked() -> None:
    others = (STATUS_INDEX - 1, STATUS_INDEX + 1)
    step = status_of(credential(), serving(status_list(set_indices=others)))
    assert outcome(step) == (State.VALID, Reason.NOT_REVOKED)


def test_a_set_bit_means_revoked() -> None:
    step = status_of(credential(), serving(status_list(set_indices=(STATUS_INDEX,))))
    assert outcome(step) == (State.INVALID, Reason.REVOKED)
    assert step.detail == f"entry {STATUS_INDEX} of {STATUS_URL}"


def test_no_entry_means_no_status() -> None:
    document = signed(credential_document(award(statuses=[])))
    assert outcome(status_of(document, None)) == (State.VALID, Reason.STATUS_NONE)


def lists_of(*, revoked: bool, suspended: bool) -> Any:
    lists = {
        STATUS_URL: status_list(set_indices=(1,) if revoked else ()),
        SUSPENSION_URL: status_list(
            url=SUSPENSION_URL, purpose="suspension", set_indices=(2,) if suspended else ()
        ),
    }
    return lists.__getitem__


@pytest.mark.parametrize(
    ("revoked", "suspended", "expected"),
    [
        (False, False, (State.VALID, Reason.NOT_REVOKED)),
        (False, True, (State.INVALID, Reason.SUSPENDED)),
        (True, False, (State.INVALID, Reason.REVOKED)),
        (True, True, (State.INVALID, Reason.REVOKED)),
    ],
)
def test_several_entries_are_all_read(
    revoked: bool, suspended: bool, expected: tuple[State, Reason]
) -> None:
    statuses = [
        StatusSpec(list_url=STATUS_URL, index=1),
        StatusSpec(list_url=SUSPENSION_URL, index=2, purpose="suspension"),
    ]
    document = signed(credential_document(award(statuses=statuses)))
    step = status_of(document, lists_of(revoked=revoked, suspended=suspended))
    assert outcome(step) == expected


def test_a_revocation_outweighs_a_list_that_cannot_be_read() -> None:
    statuses = [
        StatusSpec(list_url=SUSPENSION_URL, index=2, purpose="suspension"),
        StatusSpec(list_url=STATUS_URL, index=1),
    ]
    document = signed(credential_document(award(statuses=statuses)))
    revoking = status_list(set_indices=(1,))

    def resolve(url: str) -> dict[str, Any]:
        if url == SUSPENSION_URL:
            raise StatusUnreachable(url)
        return revoking

    assert outcome(status_of(document, resolve)) == (State.INVALID, Reason.REVOKED)


def test_an_unreachable_list_leaves_the_status_unknown() -> None:
    def resolve(url: str) -> dict[str, Any]:
        raise StatusUnreachable(url)

    assert outcome(status_of(credential(), resolve)) == (State.UNKNOWN, Reason.STATUS_UNREACHABLE)


def with_bit_cleared() -> dict[str, Any]:
    """A list whose issuer set the bit and somebody on the way cleared it."""
    document = copy.deepcopy(status_list(set_indices=(STATUS_INDEX,)))
    clean = status_list()["credentialSubject"]["encodedList"]
    document["credentialSubject"]["encodedList"] = clean
    return document


def unsigned_list() -> dict[str, Any]:
    document = status_list()
    return {name: value for name, value in document.items() if name != "proof"}


def by_another_key() -> dict[str, Any]:
    return signed(unsigned_list(), key=OTHER_KEY)


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(with_bit_cleared(), id="changed"),
        pytest.param(unsigned_list(), id="unsigned"),
        pytest.param(by_another_key(), id="another key"),
        pytest.param(status_list(issuer="did:web:other.example"), id="another issuer"),
        pytest.param(status_list(url=f"{STATUS_URL}0"), id="another list"),
        pytest.param(status_list(purpose="suspension"), id="another purpose"),
        pytest.param(credential(), id="not a list"),
        pytest.param({"@context": []}, id="nothing"),
        pytest.param(b"<html>", id="not JSON"),
        pytest.param(b"[" * 100_000, id="too deep"),
    ],
)
def test_a_list_that_cannot_be_trusted_leaves_the_status_unknown(document: Any) -> None:
    step = status_of(credential(), serving(document))
    assert outcome(step) == (State.UNKNOWN, Reason.STATUS_LIST_UNTRUSTED)


@pytest.mark.parametrize(
    "changes",
    [
        {"valid_until": NOW - timedelta(seconds=1)},
        {"valid_from": NOW + timedelta(hours=1)},
    ],
)
def test_a_list_out_of_its_time_leaves_the_status_unknown(changes: dict[str, Any]) -> None:
    step = status_of(credential(), serving(status_list(**changes)))
    assert outcome(step) == (State.UNKNOWN, Reason.STATUS_LIST_STALE)


def test_an_index_outside_the_list_leaves_the_status_unknown() -> None:
    statuses = [StatusSpec(list_url=STATUS_URL, index=999_999)]
    document = signed(credential_document(award(statuses=statuses)))
    step = status_of(document, serving(status_list()))
    assert outcome(step) == (State.UNKNOWN, Reason.STATUS_LIST_UNTRUSTED)


@pytest.mark.parametrize(
    "entry",
    [
        {"id": "https://acme.example/s", "type": "1EdTechRevocationList"},
        {"type": "BitstringStatusListEntry"},
        {**credential()["credentialStatus"], "statusListIndex": "-1"},
        {**credential()["credentialStatus"], "statusListIndex": "1e3"},
        {**credential()["credentialStatus"], "statusSize": 2},
    ],
)
def test_another_kind_of_entry_leaves_the_status_unknown(entry: dict[str, Any]) -> None:
    document = {**credential_document(award(statuses=[])), "credentialStatus": entry}
    step = status_of(signed(document), serving(status_list()))
    assert outcome(step) == (State.UNKNOWN, Reason.STATUS_UNSUPPORTED)
