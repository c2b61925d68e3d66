"""Trying out what a template says, before anybody is awarded it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from apps.credentials.canonical import NotLinkedData
from apps.credentials.coverage import NotCovered
from apps.credentials.dataintegrity import sign
from apps.credentials.did import did_key
from apps.credentials.documents import DocumentRefused
from apps.credentials.keys import generate
from apps.credentials.openbadges import (
    AchievementSpec,
    AwardSpec,
    CredentialIncomplete,
    IssuerSpec,
    credential_document,
    printed_name,
)
from apps.credentials.rdfc import TooComplex
from apps.credentials.vocabulary import TemplateType

# Open Badges 3.0, enumeration AchievementType.
ACHIEVEMENT_TYPES: Final[Mapping[str, str]] = {
    TemplateType.CERTIFICATE: "Certificate",
    TemplateType.BADGE: "Badge",
    TemplateType.MICROCREDENTIAL: "MicroCredential",
}
_MOMENT: Final = datetime(2000, 1, 1, tzinfo=UTC)


def specimen_fault(achievement: AchievementSpec) -> str:
    """Return why a credential that states this achievement could not be signed, or nothing."""
    key = generate()
    did = did_key(key.public_key())
    award = AwardSpec(
        id="urn:uuid:00000000-0000-4000-8000-000000000000",
        achievement=achievement,
        issuer=IssuerSpec(id=did, name="Specimen"),
        valid_from=_MOMENT,
        identities=[printed_name("Specimen")],
    )
    try:
        sign(
            credential_document(award),
            private_key=key,
            verification_method=f"{did}#{did.removeprefix('did:key:')}",
            created=_MOMENT,
        )
    except (CredentialIncomplete, DocumentRefused, NotLinkedData, NotCovered, TooComplex) as fault:
        return str(fault)
    return ""
