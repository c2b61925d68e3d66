from __future__ import annotations

import copy
import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.credentials.openbadges import (
    AchievementSpec,
    AwardSpec,
    CredentialIncomplete,
    CriteriaSpec,
    EvidenceSpec,
    IssuerSpec,
    StatusSpec,
    credential_document,
    hashed_email,
    printed_name,
)
from apps.credentials.structure import problems_of
from tests.credentials.examples import (
    DID,
    NOW,
    STATUS_URL,
    award,
    credential,
    needs_samples,
    patient,
    sample,
    signed,
)

SMALLEST = AwardSpec(
    id="urn:uuid:01976e5c-3bc0-7000-8000-000000000001",
    achievement=AchievementSpec(
        id="urn:uuid:01976e5c-3bc0-7000-8000-000000000002",
        name="Crane operator",
        description="Works safely",
        criteria=CriteriaSpec(narrative="Pass"),
    ),
    issuer=IssuerSpec(id=DID, name="Acme Academy"),
    valid_from=NOW,
    identities=[printed_name("Ada")],
)


def schema_errors(document: dict[str, Any]) -> list[str]:
    schema = sample("schemas/ob_v3p0_achievementcredential_schema.json")
    validator = jsonschema_rs.validator_for(schema, validate_formats=True)
    return [error.message for error in validator.iter_errors(document)]


def test_credential_document_of_the_smallest_award() -> None:
    assert credential_document(SMALLEST) == {
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
            "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json",
        ],
        "id": "urn:uuid:01976e5c-3bc0-7000-8000-000000000001",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": "Crane operator",
        "issuer": {"id": DID, "type": ["Profile"], "name": "Acme Academy"},
        "validFrom": "2025-06-01T12:00:00Z",
        "credentialSubject": {
            "type": ["AchievementSubject"],
            "identifier": [
                {
                    "type": "IdentityObject",
                    "hashed": False,
                    "identityHash": "Ada",
                    "identityType": "name",
                }
            ],
            "achievement": {
                "id": "urn:uuid:01976e5c-3bc0-7000-8000-000000000002",
                "type": ["Achievement"],
                "achievementType": "Certificate",
                "name": "Crane operator",
                "description": "Works safely",
                "criteria": {"narrative": "Pass"},
            },
        },
        "credentialSchema": [
            {
                "id": "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/"
                "ob_v3p0_achievementcredential_schema.json",
                "type": "1EdTechJsonSchemaValidator2019",
            }
        ],
    }


def test_credential_document_states_the_award() -> None:
    document = credential_document(award())
    subject = document["credentialSubject"]
    assert document["credentialStatus"] == {
        "id": f"{STATUS_URL}#77777",
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "77777",
        "statusListCredential": STATUS_URL,
    }
    assert document["validUntil"] == "2027-05-02T12:00:00Z"
    assert document["evidence"] == [
        {
            "id": "https://acme.example/evidence/1",
            "type": ["Evidence"],
            "name": "Exam",
            "narrative": "Passed",
        },
        {
            "type": ["Evidence"],
            "name": "Practical",
            "description": "Observed",
            "genre": "Test",
            "audience": "All",
        },
    ]
    assert subject["licenseNumber"] == "ACME-2025-0001"
    assert subject["result"] == [
        {
            "type": ["Result"],
            "resultDescription": "urn:uuid:01976e5c-3bc0-7000-8000-000000000003",
            "value": "88",
        }
    ]
    assert subject["achievement"]["tag"] == ["crane", "safety"]


def test_hashed_email_is_sha256_of_address_and_salt() -> None:
    digest = hashlib.sha256(b"ada@example.orgpepper").hexdigest()
    identity = hashed_email(" Ada@Example.org", salt="pepper")
    assert (identity.identity, identity.identity_type, identity.hashed, identity.salt) == (
        f"sha256${digest}",
        "emailAddress",
        True,
        "pepper",
    )


@needs_samples
@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(award(), id="every part"),
        pytest.param(SMALLEST, id="smallest"),
        pytest.param(award(subject_id="did:example:ada", identities=[]), id="subject by id"),
        pytest.param(award(statuses=[], evidence=[], results=[]), id="without lists"),
        pytest.param(award(evidence=[EvidenceSpec(name="One")]), id="one evidence"),
    ],
)
def test_credential_document_validates_against_the_1edtech_schema(spec: AwardSpec) -> None:
    assert schema_errors(credential_document(spec)) == []
    assert schema_errors(signed(credential_document(spec))) == []


@needs_samples
def test_schema_check_can_fail() -> None:
    assert schema_errors({**credential(), "validFrom": "today"}) != []


texts = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20).filter(
    str.strip
)


@needs_samples
@patient
@given(name=texts, learner=texts, narrative=texts, tags=st.lists(texts, max_size=3))
def test_any_words_can_be_awarded_and_signed(
    name: str, learner: str, narrative: str, tags: list[str]
) -> None:
    achievement = replace(
        SMALLEST.achievement, name=name, criteria=CriteriaSpec(narrative=narrative), tags=tags
    )
    document = credential_document(
        replace(SMALLEST, achievement=achievement, identities=[printed_name(learner)])
    )
    assert schema_errors(signed(document)) == []


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        ({"id": ""}, ("id: missing",)),
        ({"id": "not an address"}, ("id: malformed",)),
        ({"identities": []}, ("credentialSubject: names nobody (id or identifier)",)),
        ({"issuer": IssuerSpec(id="", name="A")}, ("issuer: malformed",)),
        ({"valid_until": NOW - timedelta(days=30)}, ("validUntil: not after validFrom",)),
        ({"evidence": [EvidenceSpec(id="x y")]}, ("evidence.id: malformed",)),
        (
            {
                "achievement": AchievementSpec(
                    id="urn:x", name=" ", description="", criteria=CriteriaSpec()
                )
            },
            (
                "name: malformed",
                "credentialSubject.achievement.name: malformed",
                "credentialSubject.achievement.description: missing",
                "credentialSubject.achievement.criteria: missing",
            ),
        ),
    ],
)
def test_credential_document_names_what_is_missing(
    changes: dict[str, Any], problems: tuple[str, ...]
) -> None:
    with pytest.raises(CredentialIncomplete) as incomplete:
        credential_document(award(**changes))
    assert incomplete.value.problems == problems


def test_credential_document_lists_several_statuses() -> None:
    statuses = [
        StatusSpec(list_url=STATUS_URL, index=1),
        StatusSpec(list_url=f"{STATUS_URL}s", index=2, purpose="suspension"),
    ]
    entries = credential_document(award(statuses=statuses))["credentialStatus"]
    assert [(entry["statusPurpose"], entry["statusListIndex"]) for entry in entries] == [
        ("revocation", "1"),
        ("suspension", "2"),
    ]


def test_problems_of_a_complete_credential_are_none() -> None:
    assert problems_of(credential()) == []


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("type", "OpenBadgeCredential", "type: not a VerifiableCredential"),
        ("type", ["VerifiableCredential"], "type: not OpenBadgeCredential"),
        ("issuer", 7, "issuer: malformed"),
        ("issuer", {"id": DID, "type": "Person"}, "issuer: malformed"),
        ("validFrom", "2025-06-01", "validFrom: malformed"),
        ("credentialSubject", [], "credentialSubject: not an object"),
        ("credentialSubject.type", 7, "credentialSubject.type: not AchievementSubject"),
        ("credentialSubject.achievement", "urn:x", None),
        ("credentialSubject.achievement.image", "x", None),
        ("credentialSubject.achievement.criteria", {"id": 7}, None),
        ("credentialSubject.identifier", {"type": "IdentityObject"}, None),
        ("credentialStatus", "urn:x", "credentialStatus: malformed"),
    ],
)
def test_problems_of_names_each_member(path: str, value: Any, problem: str | None) -> None:
    document = copy.deepcopy(credential())
    *holders, last = path.split(".")
    holder: Any = document
    for step in holders:
        holder = holder[step]
    holder[last] = value
    found = problems_of(document)
    assert found
    assert all(each.startswith(path) for each in found)
    assert problem is None or found == [problem]
