"""What the platform itself says about a credential, ours or foreign, genuine or not."""

from __future__ import annotations

import copy
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from apps.core.tenancy import tenant_context
from apps.credentials.dataintegrity import sign
from apps.credentials.did import did_key
from apps.credentials.findings import State
from apps.credentials.keys import generate
from apps.credentials.models import CertificationAward, CredentialDocument, StatusListEntry
from apps.credentials.openbadges import IssuerSpec, credential_document, evidence_id
from apps.credentials.reasons import Reason
from apps.credentials.selectors.awards import HeldAward, held_awards
from apps.credentials.selectors.issuers import issuer, issuer_then, issuers, signing_key
from apps.credentials.selectors.statuslists import status_list
from apps.credentials.selectors.verification import (
    Verdict,
    credential_page,
    is_on_record,
    verify_award,
    verify_source,
)
from apps.credentials.services import revoke_award, suspend_award
from apps.credentials.services.issuing import award_spec
from apps.credentials.statuslist import decode, status_at
from apps.organizations.models import Organization, OrganizationDomain
from tests.cohorts.factories import NOON
from tests.credentials.examples import award as foreign_award
from tests.credentials.factories import World, document_of, world

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
STEPS = ["structure", "context", "proof", "issuer", "validity", "status", "anchor"]


@pytest.fixture
def it() -> World:
    return world()


def verdict_on(award: CertificationAward, at: Any = NOON) -> Verdict:
    verdict = verify_award(award.id, at=at)
    assert verdict is not None
    return verdict


def outcomes(verdict: Verdict) -> dict[str, tuple[State, Reason]]:
    return {step.name: (step.state, step.reason) for step in verdict.steps}


def test_verify_award_of_a_genuine_one_is_valid_in_every_step(it: World) -> None:
    award = it.awarded()

    verdict = verdict_on(award)

    assert [step.name for step in verdict.steps] == STEPS
    assert {step.state for step in verdict.steps} == {State.VALID}
    assert (verdict.state, verdict.award_id) == (State.VALID, award.id)
    assert (verdict.content.holder, verdict.content.number) == ("Ada", award.certificate_number)
    assert verdict.document == document_of(award)


def test_verify_award_without_one_is_nothing() -> None:
    assert verify_award(UUID(int=1), at=NOON) is None
    assert credential_page(UUID(int=1), at=NOON) is None


def test_verify_award_sees_a_revocation_at_once(it: World) -> None:
    award = it.awarded()
    assert verdict_on(award).state is State.VALID
    revoke_award(award=award, actor=it.registrar, reason="Copied", at=NOON)

    verdict = verdict_on(award)

    assert outcomes(verdict)["status"] == (State.INVALID, Reason.REVOKED)
    assert verdict.state is State.INVALID


def test_verify_award_sees_a_suspension_that_no_list_shows(it: World) -> None:
    award = it.awarded()
    suspend_award(award=award, actor=it.registrar, reason="Review", at=NOON)

    verdict = verdict_on(award)

    assert outcomes(verdict)["status"] == (State.INVALID, Reason.SUSPENDED)
    assert outcomes(verdict)["proof"] == (State.VALID, Reason.PROOF_HOLDS)


def test_verify_award_sees_the_end_of_validity() -> None:
    award = world(validity_days=10).awarded()

    assert outcomes(verdict_on(award, NOON + 11 * DAY))["validity"] == (
        State.INVALID,
        Reason.EXPIRED,
    )


def test_verify_source_refuses_one_changed_byte_anywhere_that_matters(it: World) -> None:
    award = it.awarded()
    text = bytes(CredentialDocument.objects.get(award=award).content).decode()

    for value in ("Ada", award.certificate_number, "2026-03-02T12", "Confined", "ni:///sha-256;"):
        place = text.index(value) + len(value) - 1
        altered = text[:place] + chr(ord(text[place]) ^ 1) + text[place + 1 :]
        verdict = verify_source(altered.encode(), at=NOON)
        assert outcomes(verdict)["proof"] == (State.INVALID, Reason.PROOF_BROKEN), value
        assert outcomes(verdict)["anchor"] == (State.UNKNOWN, Reason.NOT_CHECKED), value


def test_verify_source_finds_a_credential_that_our_key_signed_but_nobody_decided(
    it: World,
) -> None:
    award = it.awarded()
    own = issuer()
    spec = award_spec(award, own, StatusListEntry.objects.get())
    document = credential_document(spec)
    document["evidence"][0]["id"] = evidence_id("0" * 64)
    key = signing_key(own)
    forged = sign(
        document,
        private_key=key.private_key,
        verification_method=key.verification_method,
        created=NOON,
    )

    verdict = verify_source(json.dumps(forged).encode(), at=NOON)

    assert outcomes(verdict)["proof"] == (State.VALID, Reason.PROOF_HOLDS)
    assert outcomes(verdict)["anchor"] == (State.INVALID, Reason.ANCHOR_BROKEN)
    assert verdict.state is State.INVALID


def test_verify_source_of_a_foreign_credential_checks_what_needs_no_network() -> None:
    key = generate()
    did = did_key(key.public_key())
    spec = foreign_award(issuer=IssuerSpec(id=did, name="Elsewhere"), statuses=[])
    foreign = sign(
        credential_document(spec),
        private_key=key,
        verification_method=f"{did}#{did.removeprefix('did:key:')}",
        created=NOON,
    )

    verdict = verify_source(foreign, at=NOON)

    assert outcomes(verdict)["anchor"] == (State.UNKNOWN, Reason.ANCHOR_ELSEWHERE)
    assert (verdict.state, verdict.award_id) == (State.VALID, None)


def test_verify_source_of_another_organisations_credential_reaches_nothing(
    it: World, org_b: Organization
) -> None:
    source = bytes(CredentialDocument.objects.get(award=it.awarded()).content)

    with tenant_context(org_b):
        verdict = verify_source(source, at=NOON)

    assert outcomes(verdict)["issuer"] == (State.UNKNOWN, Reason.KEY_UNREACHABLE)
    assert (verdict.state, verdict.award_id) == (State.UNKNOWN, None)


@pytest.mark.parametrize(
    "source",
    [b"", b"[]", b"null", b"\xff", b"{" * 5_000, b'{"id": 1}', b'{"id": "/x"}', b"x" * 2_000_000],
    ids=lambda source: repr(source[:9]),
)
def test_verify_source_of_anything_else_is_invalid(source: bytes) -> None:
    verdict = verify_source(source, at=NOON)

    assert verdict.state is State.INVALID
    assert [step.name for step in verdict.steps] == STEPS


def test_credentials_signed_under_an_older_host_still_verify(it: World) -> None:
    award = it.awarded()
    tenant = connection.tenant
    with connection.platform():
        OrganizationDomain.objects.filter(tenant=tenant).update(is_primary=False)
        OrganizationDomain.objects.create(
            tenant_id=tenant.id, domain="academy.example", is_primary=True
        )

    new = it.another("Bob").awarded()

    assert verdict_on(award).state is State.VALID
    assert verdict_on(new).state is State.VALID
    assert document_of(new)["issuer"]["id"] == "did:web:academy.example%3A8000"


def test_what_was_signed_at_another_port_still_verifies(it: World, settings: Any) -> None:
    award, revoked = it.awarded(), it.another("Bob").awarded()

    settings.PUBLIC_PORT = "8001"
    revoke_award(award=revoked, actor=it.registrar, reason="Copied", at=NOON)

    verdict = verdict_on(award)
    assert document_of(award)["issuer"]["id"] == "did:web:a.localhost%3A8000"
    assert issuer().did == "did:web:a.localhost%3A8001"
    assert {step.state for step in verdict.steps} == {State.VALID}
    assert verdict.award_id == award.id
    assert verdict_on(revoked).state is State.INVALID


@pytest.mark.parametrize(
    "home",
    [
        "http://a.localhost.evil.example",
        "http://evil.example/a.localhost",
        "http://a.localhost@evil.example",
        "http://a.localhost:0",
        "http://[a.localhost",
        "ftp://a.localhost",
        "http://a.localhost/",
        "a.localhost",
        "",
    ],
)
def test_issuer_then_takes_no_foreign_address_for_ones_own(home: str) -> None:
    assert issuer_then(home, issuers()) is None


# --- The page and the learner's list -------------------------------------------------------------
def test_credential_page_shows_the_signed_content_and_where_to_check_it(it: World) -> None:
    award = it.awarded()

    page = credential_page(award.id, at=NOON)

    assert page is not None
    home = "http://a.localhost:8000"
    assert (page.award_state, page.verdict.state, page.content.holder) == (
        "active",
        State.VALID,
        "Ada",
    )
    assert (page.credential_url, page.verify_url, page.page_url) == (
        f"{home}/v1/credentials/{award.id}",
        f"{home}/v1/credentials/{award.id}/verify",
        f"{home}/credentials/{award.id}",
    )
    assert json.loads(page.source) == document_of(award)


def test_held_awards_are_ones_own_with_their_state(it: World) -> None:
    award = it.awarded()
    it.another("Bob").awarded()
    suspend_award(award=award, actor=it.registrar, reason="Review", at=NOON)

    assert held_awards(it.enrollment.contact_id, at=NOON) == [
        HeldAward(
            award_id=award.id,
            enrollment_id=it.enrollment.id,
            program_id=it.template.program_id,
            name="Confined space entrant",
            type="certificate",
            badge=it.version.badge(),
            certificate_number=award.certificate_number,
            legal_name="Ada",
            issued_at=NOON,
            expires_at=None,
            state="suspended",
        )
    ]


# --- Status lists --------------------------------------------------------------------------------
def served(number: int = 1, at: Any = NOON) -> dict[str, Any]:
    found = status_list(issuer(), "revocation", number, at=at)
    assert found is not None
    document: dict[str, Any] = json.loads(found.content)
    return document


def bits(document: dict[str, Any]) -> bytes:
    return decode(document["credentialSubject"]["encodedList"])


def test_status_list_follows_from_the_events(it: World) -> None:
    award, other = it.awarded(), it.another("Bob").awarded()
    places = dict(StatusListEntry.objects.values_list("award", "index"))
    before = served()
    revoke_award(award=award, actor=it.registrar, reason="Copied", at=NOON)
    suspend_award(award=other, actor=it.registrar, reason="Review", at=NOON)

    after = served()

    assert sum(bits(before)) == 0
    assert status_at(bits(after), places[award.id]) == 1
    assert status_at(bits(after), places[other.id]) == 0
    assert bits(after).count(0) == len(bits(after)) - 1


def test_status_list_is_the_same_bytes_until_something_changes(it: World) -> None:
    award = it.awarded()
    first = status_list(issuer(), "revocation", 1, at=NOON)
    again = status_list(issuer(), "revocation", 1, at=NOON + timedelta(hours=1))
    revoke_award(award=award, actor=it.registrar, reason="Copied", at=NOON)
    changed = status_list(issuer(), "revocation", 1, at=NOON)
    tomorrow = status_list(issuer(), "revocation", 1, at=NOON + DAY)

    assert first == again
    assert first is not None
    assert changed is not None
    assert tomorrow is not None
    assert len({first.etag, changed.etag, tomorrow.etag}) == 3


@pytest.mark.parametrize(("purpose", "number"), [("suspension", 1), ("revocation", 2), ("x", 1)])
def test_status_list_that_nobody_is_in_is_nothing(it: World, purpose: str, number: int) -> None:
    it.awarded()

    assert status_list(issuer(), purpose, number, at=NOON) is None


def test_is_on_record_compares_the_facts_with_their_digests(it: World) -> None:
    award = it.awarded()
    changed = copy.copy(award)
    changed.facts = {**award.facts, "legal_name": "Eve"}

    assert is_on_record(award)
    assert not is_on_record(changed)
