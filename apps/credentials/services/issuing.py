"""Signing an award, once: its place in the status list, the credential, the stored bytes."""

from __future__ import annotations

import hashlib
import json
import secrets
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Max

from apps.contacts.models import ChannelKind, ContactChannel
from apps.contacts.selectors import alias_ids, survivor_id
from apps.core.ids import uuid7
from apps.core.tenancy import connection
from apps.credentials.dataintegrity import sign
from apps.credentials.models import CertificationAward, CredentialDocument, StatusListEntry
from apps.credentials.openbadges import (
    AwardSpec,
    EvidenceSpec,
    IdentitySpec,
    StatusSpec,
    credential_document,
    evidence_id,
    hashed_email,
    printed_name,
)
from apps.credentials.selectors.issuers import Issuer, issuer, signing_key
from apps.credentials.services.keys import ensure_issuer_key
from apps.credentials.statuslist import MIN_ENTRIES, random_index
from apps.credentials.vocabulary import StatusPurpose

MEDIA_TYPE: Final = "application/vc"
"""Verifiable Credentials Data Model 2.0, section C.2."""
EVIDENCE_GENRE: Final = "RequirementEvaluation"
# After so many taken indices in a row the list is nearly full and the next one begins.
_TRIES: Final = 24


@transaction.atomic
def issue_document(award: CertificationAward, *, at: datetime) -> CredentialDocument:
    """Return the award's signed credential; signed on the first call, the same bytes ever after.

    The caller holds the learner's lock.
    """
    signed = CredentialDocument.objects.filter(award=award, media_type=MEDIA_TYPE).first()
    if signed is not None:
        return signed
    ensure_issuer_key(at=at)
    own = issuer()
    key = signing_key(own)
    document = sign(
        credential_document(award_spec(award, own, place_in_list(award))),
        private_key=key.private_key,
        verification_method=key.verification_method,
        created=at,
    )
    content = json.dumps(document, ensure_ascii=False).encode()
    return CredentialDocument.objects.create(
        award=award,
        media_type=MEDIA_TYPE,
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        key=key.row,
    )


def award_spec(award: CertificationAward, own: Issuer, entry: StatusListEntry) -> AwardSpec:
    """Return what the credential says about this award."""
    version = award.template_version
    return AwardSpec(
        id=own.credential_url(award.id),
        achievement=version.achievement(own.achievement_url(version.id)),
        issuer=own.spec,
        valid_from=award.issued_at,
        valid_until=award.expires_at,
        subject_id=f"urn:uuid:{survivor_id(award.contact_id)}",
        identities=[printed_name(award.legal_name), *_hashed_address(award)],
        number=award.certificate_number,
        evidence=[
            EvidenceSpec(
                id=evidence_id(award.facts_hash),
                name="Recorded decision",
                description=f"{award.evaluation.set_version.definition.title}: met",
                genre=EVIDENCE_GENRE,
            )
        ],
        statuses=[
            StatusSpec(
                list_url=own.status_list_url(entry.purpose, entry.list_number), index=entry.index
            )
        ],
    )


def _hashed_address(award: CertificationAward) -> list[IdentitySpec]:
    """Return the learner's address in a form that only who knows it can recognise."""
    address = (
        ContactChannel.objects.filter(
            contact__in=alias_ids(survivor_id(award.contact_id)), kind=ChannelKind.EMAIL
        )
        .order_by("-is_primary", "id")
        .values_list("value", flat=True)
        .first()
    )
    return [hashed_email(address, salt=secrets.token_hex(16))] if address else []


def place_in_list(
    award: CertificationAward, purpose: str = StatusPurpose.REVOCATION.value
) -> StatusListEntry:
    """Return the award's entry in a status list, at a random index that nobody has.

    Writers of the same index wait for each other in the database, so none is given out twice.
    """
    entries = StatusListEntry.objects.filter(purpose=purpose)
    own = entries.filter(award=award).first()
    if own is not None:
        return own
    number = entries.aggregate(newest=Max("list_number"))["newest"] or 1
    tries = 0
    while not _take(award, purpose, number, random_index(MIN_ENTRIES, secrets.token_bytes)):
        tries += 1
        if tries == _TRIES:
            number, tries = number + 1, 0
    return entries.get(award=award)


def _take(award: CertificationAward, purpose: str, number: int, index: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO status_list_entries (id, award_id, purpose, list_number, index)"
            " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (purpose, list_number, index) DO NOTHING",
            [uuid7(), award.id, purpose, number, index],
        )
        return bool(cursor.rowcount)
