"""What everybody may fetch: credentials, verification, and the addresses that credentials name."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import jsonschema_rs
import pytest
from django.db import connection
from openbadgeslib.ob3 import OB3LdpVerifier, OB3VerificationError, check_credential_status
from rest_framework.test import APIClient

from apps.core.clock import now
from apps.core.throttling import VerificationThrottle
from apps.core.versions import new_draft
from apps.credentials.did import did_web_url
from apps.credentials.models import CertificationAward, CredentialDocument, IssuerKey
from apps.credentials.openbadges import credential_document
from apps.credentials.services import revoke_award, rotate_key, suspend_award
from apps.organizations.models import Organization, OrganizationStatus
from tests.clients import api, problem_of
from tests.credentials.examples import award as foreign_award
from tests.credentials.examples import needs_samples, sample, signed
from tests.credentials.factories import World, document_of, world

pytestmark = pytest.mark.django_db
NOWHERE = "00000000-0000-4000-8000-000000000000"
STEPS = ["structure", "context", "proof", "issuer", "validity", "status", "anchor"]


@pytest.fixture
def it() -> World:
    return world()


@pytest.fixture
def award(it: World) -> CertificationAward:
    return it.awarded(at=now() - timedelta(minutes=5))


def path_of(url: str) -> str:
    """Return the path of one of our addresses."""
    host = url.split("://", 1)[1].split("/", 1)
    assert host[0] == "a.localhost:8000"
    return f"/{host[1]}"


def download(url: str) -> bytes:
    """Fetch one of our addresses as an outside verifier would, but for the network."""
    response = api().get(path_of(url))
    assert response.status_code == 200, url
    return response.content


def accepts(source: bytes, did: str) -> bool:
    try:
        OB3LdpVerifier.for_issuer_did(did).verify(source, download=download)
    except OB3VerificationError:
        return False
    return True


# --- The credential itself -----------------------------------------------------------------------
def test_a_credential_is_served_as_it_was_signed(award: CertificationAward) -> None:
    document = CredentialDocument.objects.get()

    answer = api().get(f"/v1/credentials/{award.id}")

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/vc")
    assert answer.content == bytes(document.content)
    assert answer["ETag"] == f'"{document.sha256}"'
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert json.loads(answer.content)["id"] == f"http://a.localhost:8000/v1/credentials/{award.id}"


@pytest.mark.parametrize("accept", ["application/json", "text/html", "application/vc", "image/png"])
def test_a_credential_has_one_representation(award: CertificationAward, accept: str) -> None:
    answer = api().get(f"/v1/credentials/{award.id}", headers={"Accept": accept})

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/vc")


def test_a_credential_that_the_client_has_is_not_sent_again(award: CertificationAward) -> None:
    url = f"/v1/credentials/{award.id}"
    etag = api().get(url)["ETag"]

    for known in (etag, f'"x", W/{etag}', "*"):
        answer = api().get(url, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", etag), known
    assert api().get(url, headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize("path", ["", "/verify"])
def test_a_credential_that_is_not_there_is_not_found(path: str) -> None:
    answer = api().get(f"/v1/credentials/{NOWHERE}{path}")

    assert problem_of(answer) == (404, "urn:assay:problem:no-such-credential")
    assert answer["Content-Type"] == "application/problem+json"


@needs_samples
def test_a_credential_validates_against_the_published_schema(award: CertificationAward) -> None:
    schema = sample("schemas/ob_v3p0_achievementcredential_schema.json")

    jsonschema_rs.validator_for(schema).validate(document_of(award))


# --- Verifying -----------------------------------------------------------------------------------
def verified(award: CertificationAward) -> dict[str, Any]:
    answer = api().get(f"/v1/credentials/{award.id}/verify")
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


def test_verify_answers_every_step_and_the_content(award: CertificationAward) -> None:
    body = verified(award)

    assert (body["state"], body["award"]) == ("valid", str(award.id))
    assert [step["name"] for step in body["steps"]] == STEPS
    assert {step["state"] for step in body["steps"]} == {"valid"}
    assert all(step["sentence"] for step in body["steps"])
    assert body["content"] == {
        "id": f"http://a.localhost:8000/v1/credentials/{award.id}",
        "name": "Confined space entrant",
        "description": "Enters tanks and silos, and comes out again.",
        "achievement_id": (
            f"http://a.localhost:8000/credentials/achievements/{award.template_version_id}"
        ),
        "achievement_type": "Certificate",
        "holder": "Ada",
        "number": award.certificate_number,
        "issuer_id": "did:web:a.localhost%3A8000",
        "issuer_name": "Organisation A",
        "issued_at": award.issued_at.isoformat().replace("+00:00", "Z"),
        "expires_at": None,
    }


def test_verify_tells_suspended_and_revoked(it: World, award: CertificationAward) -> None:
    by = {"award": award, "actor": it.registrar, "reason": "Board"}

    def status() -> tuple[str, str]:
        body = verified(award)
        return body["state"], {s["name"]: s["reason"] for s in body["steps"]}["status"]

    assert status() == ("valid", "not-revoked")
    suspend_award(at=now(), **by)
    assert status() == ("invalid", "suspended")
    revoke_award(at=now(), **by)
    assert status() == ("invalid", "revoked")


def test_verify_is_served_for_a_suspended_organisation(award: CertificationAward) -> None:
    tenant = connection.tenant
    with connection.platform():
        Organization.objects.filter(pk=tenant.pk).update(status=OrganizationStatus.SUSPENDED)
    client = api()
    client.handler.load_middleware()

    assert client.get("/v1/certification-templates").status_code == 403
    assert client.get(f"/v1/credentials/{award.id}/verify").json()["state"] == "valid"
    assert client.get(f"/v1/credentials/{award.id}").status_code == 200
    assert client.get("/.well-known/did.json").status_code == 200
    assert client.get("/credentials/status/revocation/1").status_code == 200
    posted = post(bytes(CredentialDocument.objects.get().content), client=client)
    assert posted["state"] == "valid"


def post(
    source: bytes, *, content_type: str = "application/json", client: APIClient | None = None
) -> dict[str, Any]:
    answer = (client or api()).post(
        "/v1/credentials/verify", data=source, content_type=content_type
    )
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    return body


def test_who_asks_too_often_is_told_when_to_ask_again(
    award: CertificationAward, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(VerificationThrottle.THROTTLE_RATES, "verification", "3/min")
    anybody, path = api(), f"/v1/credentials/{award.id}/verify"

    answers = [anybody.get(path, REMOTE_ADDR="192.0.2.1") for _ in range(4)]
    forged = anybody.get(path, REMOTE_ADDR="192.0.2.1", headers={"X-Forwarded-For": "192.0.2.9"})
    page = anybody.get(f"/credentials/{award.id}", REMOTE_ADDR="192.0.2.1")
    elsewhere = anybody.get(path, REMOTE_ADDR="192.0.2.2")

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer["RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert problem_of(answers[3]) == (429, "urn:assay:problem:throttled")
    assert 1 <= int(answers[3]["Retry-After"]) <= 61
    assert forged.status_code == 429
    assert (page.status_code, page["Content-Type"]) == (429, "text/html; charset=utf-8")
    assert 1 <= int(page["Retry-After"]) <= 61
    assert elsewhere.status_code == 200


def test_any_credential_can_be_posted(award: CertificationAward) -> None:
    lasting = signed(credential_document(replace(foreign_award(), valid_until=None)))
    own = post(bytes(CredentialDocument.objects.get().content))
    foreign = post(json.dumps(lasting).encode(), content_type="application/vc+ld+json")

    assert (own["state"], own["award"]) == ("valid", str(award.id))
    assert (foreign["state"], foreign["award"]) == ("unknown", None)
    assert {step["name"]: step["reason"] for step in foreign["steps"]} == {
        "structure": "structure-complete",
        "context": "context-known",
        "proof": "not-checked",
        "issuer": "key-unreachable",
        "validity": "in-force",
        "status": "not-checked",
        "anchor": "not-checked",
    }


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (b"", "not-json"),
        (b"{", "not-json"),
        (b"\xff\xfe", "not-json"),
        (b"[]", "not-an-object"),
        (b'{"a": NaN}', "bad-number"),
        (b'{"a": "\\u0000"}', "not-text"),
        (b'{"a": 1e999}', "bad-number"),
        (b'{"a":' * 500 + b"1" + b"}" * 500, "too-deep"),
        (b" " * 1_048_577, "too-large"),
        (b"x" * 3_000_000, "too-large"),
    ],
    ids=lambda value: repr(value[:9]),
)
@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "image/png"])
def test_a_hostile_post_is_a_finding_not_an_error(
    source: bytes, reason: str, content_type: str
) -> None:
    body = post(source, content_type=content_type)

    assert (body["state"], body["steps"][0]["reason"]) == ("invalid", reason)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "nonsense",
    ],
)
def test_a_post_of_another_kind_is_a_finding_too(content_type: str) -> None:
    assert post(b"a=b", content_type=content_type)["state"] == "invalid"


def test_a_post_under_a_key_is_just_answered(award: CertificationAward) -> None:
    source = bytes(CredentialDocument.objects.get().content)
    answers = [
        api().post(
            "/v1/credentials/verify",
            data=source,
            content_type="application/json",
            headers={"Idempotency-Key": "k"},
        )
        for _ in range(2)
    ]

    assert [answer.json()["state"] for answer in answers] == ["valid", "valid"]


# --- What credentials name -----------------------------------------------------------------------
def test_did_document_lists_every_key(it: World, award: CertificationAward) -> None:
    first = IssuerKey.objects.get()
    second = rotate_key(actor=it.registrar, at=now())

    answer = api().get("/.well-known/did.json")

    assert answer["Content-Type"] == "application/did+ld+json"
    document = json.loads(answer.content)
    did = document_of(award)["issuer"]["id"]
    assert did_web_url(did) == "https://a.localhost:8000/.well-known/did.json"
    assert document["id"] == did
    assert [method["publicKeyMultibase"] for method in document["verificationMethod"]] == [
        first.public_key,
        second.public_key,
    ]
    assert len(document["assertionMethod"]) == 2


def test_did_document_without_a_key_is_not_found() -> None:
    assert problem_of(api().get("/.well-known/did.json"))[0] == 404


def test_profile_and_achievement_are_what_the_credential_states(award: CertificationAward) -> None:
    says = document_of(award)

    profile = json.loads(api().get("/credentials/issuer").content)
    achievement = json.loads(download(says["credentialSubject"]["achievement"]["id"]))

    contexts = says["@context"]
    assert profile == {"@context": contexts, **says["issuer"]}
    assert achievement == {"@context": contexts, **says["credentialSubject"]["achievement"]}


def test_an_achievement_that_is_not_published_is_not_found(it: World) -> None:
    draft = new_draft(definition=it.template, actor=None, at=now())

    for version_id in (draft.id, NOWHERE):
        answer = api().get(f"/credentials/achievements/{version_id}")
        assert problem_of(answer) == (404, "urn:assay:problem:not-found")


def test_a_status_list_changes_with_a_revocation_and_only_then(
    it: World, award: CertificationAward
) -> None:
    url = "/credentials/status/revocation/1"
    first = api().get(url)
    etag = first["ETag"]
    assert (first["Content-Type"], first["Cache-Control"]) == ("application/vc", "no-cache")
    assert api().get(url, headers={"If-None-Match": etag}).status_code == 304

    revoke_award(award=award, actor=it.registrar, reason="Copied", at=now())
    changed = api().get(url, headers={"If-None-Match": etag})

    assert changed.status_code == 200
    assert changed["ETag"] != etag


@pytest.mark.parametrize(
    "path",
    [
        "status/revocation/2",
        "status/suspension/1",
        "status/revocation/99999999999999999999",
        "status/revocation/-1",
    ],
)
def test_a_status_list_that_is_not_there_is_not_found(award: CertificationAward, path: str) -> None:
    assert api().get(f"/credentials/{path}").status_code == 404


@pytest.mark.parametrize(
    "path", [".well-known/did.json", "credentials/issuer", "credentials/status/revocation/1"]
)
def test_nothing_can_be_written_there(award: CertificationAward, path: str) -> None:
    assert api().post(f"/{path}", {}).status_code == 405


# --- An independent verifier, end to end ---------------------------------------------------------
def test_openbadgeslib_accepts_what_the_services_issued(award: CertificationAward) -> None:
    source = download(document_of(award)["id"])
    did = document_of(award)["issuer"]["id"]

    read = OB3LdpVerifier.for_issuer_did(did).verify(source, download=download)

    assert (read.issuer.id, read.achievement.name) == (did, "Confined space entrant")
    check_credential_status(read, download=download)


def test_openbadgeslib_refuses_one_changed_byte(award: CertificationAward) -> None:
    source = download(document_of(award)["id"])
    did = document_of(award)["issuer"]["id"]

    for value in (b"Ada", award.certificate_number.encode(), b"Enters tanks", b"sha-256;"):
        place = source.index(value) + len(value) - 1
        altered = source[:place] + bytes([source[place] ^ 1]) + source[place + 1 :]
        assert not accepts(altered, did), value
    assert accepts(source, did)


def test_openbadgeslib_sees_the_revocation(it: World, award: CertificationAward) -> None:
    source = download(document_of(award)["id"])
    did = document_of(award)["issuer"]["id"]
    revoke_award(award=award, actor=it.registrar, reason="Copied", at=now())
    read = OB3LdpVerifier.for_issuer_did(did).verify(source, download=download)

    with pytest.raises(OB3VerificationError, match="revocation"):
        check_credential_status(read, download=download)


def test_openbadgeslib_accepts_after_a_rotation(it: World, award: CertificationAward) -> None:
    rotate_key(actor=it.registrar, at=now())
    bob = it.another("Bob").awarded(at=now())

    for one in (award, bob):
        document = document_of(one)
        assert accepts(download(document["id"]), document["issuer"]["id"])
