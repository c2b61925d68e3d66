"""What an Open Badges 3.0 credential says, and its JSON.

1EdTech Open Badges 3.0 (AchievementCredential) on the W3C Verifiable
Credentials Data Model 2.0. Times are written in UTC to the second; members
that have no value are left out.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from apps.credentials.contexts import CREDENTIALS_V2, OPEN_BADGES_EXTENSIONS, OPEN_BADGES_V3
from apps.credentials.structure import problems_of
from apps.credentials.timestamps import format_timestamp

CONTEXTS: Final = (CREDENTIALS_V2, OPEN_BADGES_V3, OPEN_BADGES_EXTENSIONS)
SCHEMA_URL: Final = (
    "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json"
)
SCHEMA_TYPE: Final = "1EdTechJsonSchemaValidator2019"


class CredentialIncomplete(ValueError):
    """The parts given do not make a complete credential; `problems` names each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSpec:
    """A picture by its address (https: or data:)."""

    id: str
    caption: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignmentSpec:
    """A skill or standard outside that an achievement corresponds to."""

    target_name: str
    target_url: str
    target_code: str = ""
    target_description: str = ""
    target_framework: str = ""
    target_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CriteriaSpec:
    """What had to be done: in words (Markdown), at an address, or both."""

    narrative: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultDescriptionSpec:
    """A kind of result that an achievement can have; `result_type` as in the standard."""

    id: str
    name: str
    result_type: str
    allowed_values: Sequence[str] = ()
    required_value: str = ""
    value_min: str = ""
    value_max: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AchievementSpec:
    """What is awarded: the same for everybody who earns it."""

    id: str
    name: str
    description: str
    criteria: CriteriaSpec
    achievement_type: str = "Certificate"
    version: str = ""
    image: ImageSpec | None = None
    alignments: Sequence[AlignmentSpec] = ()
    tags: Sequence[str] = ()
    result_descriptions: Sequence[ResultDescriptionSpec] = ()
    in_language: str = ""
    human_code: str = ""
    field_of_study: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerSpec:
    """The organisation that awards; `id` is its DID."""

    id: str
    name: str
    url: str = ""
    email: str = ""
    description: str = ""
    image: ImageSpec | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentitySpec:
    """How a learner is named in a credential; see `printed_name` and `hashed_email`."""

    identity_type: str
    identity: str
    hashed: bool = False
    salt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceSpec:
    """What the award rests on."""

    id: str = ""
    name: str = ""
    description: str = ""
    narrative: str = ""
    genre: str = ""
    audience: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultSpec:
    """One result reached; `description_id` is that of a ResultDescriptionSpec."""

    value: str = ""
    description_id: str = ""
    achieved_level: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusSpec:
    """The credential's place in a published status list."""

    list_url: str
    index: int
    purpose: str = "revocation"


@dataclass(frozen=True, slots=True, kw_only=True)
class AwardSpec:
    """One achievement awarded to one learner.

    The subject needs an id or an identity. `number` is the certificate number.
    One status entry is what the 1EdTech schema allows; the W3C model allows more.
    """

    id: str
    achievement: AchievementSpec
    issuer: IssuerSpec
    valid_from: datetime
    valid_until: datetime | None = None
    subject_id: str = ""
    identities: Sequence[IdentitySpec] = ()
    number: str = ""
    name: str = ""
    description: str = ""
    evidence: Sequence[EvidenceSpec] = ()
    results: Sequence[ResultSpec] = ()
    statuses: Sequence[StatusSpec] = ()


def printed_name(name: str) -> IdentitySpec:
    """Return the identity that shows a legal name as printed on the certificate."""
    return IdentitySpec(identity_type="name", identity=name)


def hashed_email(email: str, *, salt: str) -> IdentitySpec:
    """Return an identity that only somebody who knows the address can recognise.

    SHA-256 of the lower-case address followed by the salt, as in the
    IdentityHash of the standard.
    """
    digest = hashlib.sha256((email.strip().lower() + salt).encode()).hexdigest()
    return IdentitySpec(
        identity_type="emailAddress", identity=f"sha256${digest}", hashed=True, salt=salt
    )


def evidence_id(facts_hash: str) -> str:
    """Return the name of the facts that an award was decided on: their digest (RFC 6920)."""
    digest = urlsafe_b64encode(bytes.fromhex(facts_hash)).rstrip(b"=").decode()
    return f"ni:///sha-256;{digest}"


def credential_document(award: AwardSpec) -> dict[str, Any]:
    """Return the unsigned OpenBadgeCredential. Raises CredentialIncomplete."""
    document = _stated(
        {
            "@context": list(CONTEXTS),
            "id": award.id,
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
            "name": award.name or award.achievement.name,
            "description": award.description,
            "issuer": _issuer(award.issuer),
            "validFrom": format_timestamp(award.valid_from),
            "validUntil": format_timestamp(award.valid_until) if award.valid_until else "",
            "credentialSubject": _subject(award),
            "evidence": [_evidence(evidence) for evidence in award.evidence],
            "credentialStatus": _one_or_more([_status(entry) for entry in award.statuses]),
            "credentialSchema": [{"id": SCHEMA_URL, "type": SCHEMA_TYPE}],
        }
    )
    problems = problems_of(document)
    if award.valid_until and award.valid_until <= award.valid_from:
        problems.append("validUntil: not after validFrom")
    if problems:
        raise CredentialIncomplete(problems)
    return document


def achievement_document(spec: AchievementSpec) -> dict[str, Any]:
    """Return what is at an achievement's address: the Achievement as credentials state it."""
    return {"@context": list(CONTEXTS), **_achievement(spec)}


def profile_document(spec: IssuerSpec) -> dict[str, Any]:
    """Return the issuer's Profile as credentials state it."""
    return {"@context": list(CONTEXTS), **_issuer(spec)}


def _subject(award: AwardSpec) -> dict[str, Any]:
    return _stated(
        {
            "id": award.subject_id,
            "type": ["AchievementSubject"],
            "identifier": [_identity(identity) for identity in award.identities],
            "licenseNumber": award.number,
            "result": [_result(result) for result in award.results],
            "achievement": _achievement(award.achievement),
        }
    )


def _achievement(spec: AchievementSpec) -> dict[str, Any]:
    return _stated(
        {
            "id": spec.id,
            "type": ["Achievement"],
            "achievementType": spec.achievement_type,
            "name": spec.name,
            "description": spec.description,
            "criteria": _stated({"id": spec.criteria.id, "narrative": spec.criteria.narrative}),
            "version": spec.version,
            "humanCode": spec.human_code,
            "fieldOfStudy": spec.field_of_study,
            "inLanguage": spec.in_language,
            "image": _image(spec.image),
            "alignment": [_alignment(alignment) for alignment in spec.alignments],
            "tag": list(dict.fromkeys(spec.tags)),
            "resultDescription": [_result_description(r) for r in spec.result_descriptions],
        }
    )


def _issuer(spec: IssuerSpec) -> dict[str, Any]:
    return _stated(
        {
            "id": spec.id,
            "type": ["Profile"],
            "name": spec.name,
            "url": spec.url,
            "email": spec.email,
            "description": spec.description,
            "image": _image(spec.image),
        }
    )


def _alignment(spec: AlignmentSpec) -> dict[str, Any]:
    return _stated(
        {
            "type": ["Alignment"],
            "targetName": spec.target_name,
            "targetUrl": spec.target_url,
            "targetCode": spec.target_code,
            "targetDescription": spec.target_description,
            "targetFramework": spec.target_framework,
            "targetType": spec.target_type,
        }
    )


def _result_description(spec: ResultDescriptionSpec) -> dict[str, Any]:
    return _stated(
        {
            "id": spec.id,
            "type": ["ResultDescription"],
            "name": spec.name,
            "resultType": spec.result_type,
            "allowedValue": list(spec.allowed_values),
            "requiredValue": spec.required_value,
            "valueMin": spec.value_min,
            "valueMax": spec.value_max,
        }
    )


def _result(spec: ResultSpec) -> dict[str, Any]:
    return _stated(
        {
            "type": ["Result"],
            "resultDescription": spec.description_id,
            "value": spec.value,
            "achievedLevel": spec.achieved_level,
            "status": spec.status,
        }
    )


def _evidence(spec: EvidenceSpec) -> dict[str, Any]:
    return _stated(
        {
            "id": spec.id,
            "type": ["Evidence"],
            "name": spec.name,
            "description": spec.description,
            "narrative": spec.narrative,
            "genre": spec.genre,
            "audience": spec.audience,
        }
    )


def _identity(spec: IdentitySpec) -> dict[str, Any]:
    return _stated(
        {
            "type": "IdentityObject",
            "hashed": spec.hashed,
            "identityHash": spec.identity,
            "identityType": spec.identity_type,
            "salt": spec.salt,
        }
    )


def _status(spec: StatusSpec) -> dict[str, Any]:
    return {
        "id": f"{spec.list_url}#{spec.index}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": spec.purpose,
        "statusListIndex": str(spec.index),
        "statusListCredential": spec.list_url,
    }


def _image(spec: ImageSpec | None) -> dict[str, Any] | None:
    if spec is None:
        return None
    return _stated({"id": spec.id, "type": "Image", "caption": spec.caption})


def _one_or_more(entries: list[dict[str, Any]]) -> Any:
    """Return a single entry bare, which is the only form the 1EdTech schema knows."""
    return entries[0] if len(entries) == 1 else entries


def _stated(members: dict[str, Any]) -> dict[str, Any]:
    """Leave out what has no value; `False` is a value."""
    return {name: value for name, value in members.items() if value is False or value}
