"""With what an organisation signs, what it signed, and where a revocation would show."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from apps.contacts.models import Contact
from apps.core.models import HistoryModel, TenantModel
from apps.credentials.models.awards import CertificationAward
from apps.credentials.statuslist import MIN_ENTRIES
from apps.credentials.vocabulary import KeyState, StatusPurpose


class IssuerKey(TenantModel):
    """An Ed25519 key of the organisation; one of them signs, all that were not revoked verify.

    `public_key` is Multikey text and also the fragment of the key's address in the issuer's DID
    document. The private half rests sealed under the platform's wrapping key, and only while the
    key signs: once retired nothing can be signed with it any more. Written by `services.keys`.
    """

    grants: ClassVar[tuple[str, ...]] = ("SELECT", "INSERT", "UPDATE")

    public_key = models.CharField(max_length=100, unique=True)
    sealed_private_key = models.BinaryField(null=True)
    state = models.CharField(max_length=10, choices=KeyState, default=KeyState.ACTIVE)
    valid_from = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(Contact, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "issuer_keys"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["state"], condition=Q(state=KeyState.ACTIVE), name="issuerkey_one_active"
            ),
            models.CheckConstraint(
                condition=Q(
                    state=KeyState.ACTIVE,
                    sealed_private_key__isnull=False,
                    retired_at=None,
                    revoked_at=None,
                )
                | Q(
                    state=KeyState.RETIRED,
                    sealed_private_key=None,
                    retired_at__isnull=False,
                    revoked_at=None,
                )
                | Q(
                    state=KeyState.REVOKED,
                    sealed_private_key=None,
                    retired_at__isnull=False,
                    revoked_at__isnull=False,
                ),
                name="issuerkey_private_half_only_while_active",
            ),
        ]

    def __str__(self) -> str:
        return self.public_key


class CredentialDocument(HistoryModel):
    """The signed bytes of an award in one format: made once, served as they are, never again.

    The database computes the digest of the bytes itself and compares it.
    """

    award = models.ForeignKey(
        CertificationAward, on_delete=models.PROTECT, related_name="documents"
    )
    media_type = models.CharField(max_length=100)
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    key = models.ForeignKey(IssuerKey, on_delete=models.PROTECT, related_name="documents")

    class Meta:
        db_table = "credential_documents"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["award", "media_type"], name="credentialdocument_once_per_format"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.award} · {self.media_type}"


class StatusListEntry(TenantModel):
    """An award's place in a published status list; random, so that it tells nothing.

    It holds no status: what the list says there follows from the award's events. Never changed.
    """

    grants: ClassVar[tuple[str, ...]] = ("SELECT", "INSERT")

    award = models.ForeignKey(
        CertificationAward, on_delete=models.PROTECT, related_name="status_entries"
    )
    purpose = models.CharField(
        max_length=20, choices=StatusPurpose, default=StatusPurpose.REVOCATION
    )
    list_number = models.PositiveIntegerField()
    index = models.PositiveIntegerField()

    class Meta:
        db_table = "status_list_entries"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["purpose", "list_number", "index"], name="statuslistentry_index_once"
            ),
            models.UniqueConstraint(
                fields=["award", "purpose"], name="statuslistentry_once_per_award"
            ),
            models.CheckConstraint(
                condition=Q(index__lt=MIN_ENTRIES, list_number__gte=1),
                name="statuslistentry_inside_its_list",
            ),
            models.CheckConstraint(
                condition=Q(purpose__in=StatusPurpose.values), name="statuslistentry_purpose_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.list_number}#{self.index}"
