"""How an organisation's members sign in through its own identity provider.

All four tables stand in the public schema, beside memberships: who may come in is decided before
anybody is in. Tenant code sees the rows of its own organisation and writes none.
"""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from apps.core.ids import uuid7
from apps.core.models import ClockTimestamp
from apps.organizations.models import Organization, OrgRole, SsoProvider

JOINING_ROLES = (OrgRole.LEARNER, OrgRole.INSTRUCTOR, OrgRole.AUDITOR)


class SsoConnection(models.Model):
    """An organisation's identity provider, as its owner described it.

    `provider_id` is the provider's own name for itself (SAML entity id, OIDC issuer). The metadata
    kept is the last that was good: a failed refresh leaves it and says why. Our private key and
    the client's secret rest sealed. Written by `services` only, through `connection.platform()`.
    """

    organization = models.OneToOneField(
        Organization, primary_key=True, on_delete=models.CASCADE, related_name="sso_connection"
    )
    kind = models.CharField(
        max_length=20, choices=[choice for choice in SsoProvider.choices if choice[0]]
    )
    provider_id = models.CharField(max_length=500)
    metadata_xml = models.TextField(blank=True, default="")
    metadata_fetched_at = models.DateTimeField(null=True)
    metadata_checked_at = models.DateTimeField(null=True)
    metadata_error = models.CharField(max_length=500, blank=True, default="")
    certificate_expires_at = models.DateTimeField(null=True)
    own_certificate = models.TextField()
    sealed_own_key = models.BinaryField()
    client_id = models.CharField(max_length=300, blank=True, default="")
    sealed_client_secret = models.BinaryField(null=True)
    believes_unverified_email = models.BooleanField(default=False)
    provisions_members = models.BooleanField(default=True)
    joining_role = models.CharField(
        max_length=20,
        choices=[(role.value, role.label) for role in JOINING_ROLES],
        default=OrgRole.LEARNER,
    )
    admins_make_tokens = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)

    class Meta:
        db_table = "sso_connections"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(kind=SsoProvider.SAML) & ~Q(metadata_xml="")
                | Q(kind=SsoProvider.OIDC, sealed_client_secret__isnull=False) & ~Q(client_id=""),
                name="sso_connection_is_complete",
            ),
            models.CheckConstraint(
                condition=~Q(provider_id=""), name="sso_connection_names_its_provider"
            ),
            models.CheckConstraint(
                condition=Q(joining_role__in=JOINING_ROLES), name="sso_joining_role_is_no_admin"
            ),
        ]

    def __str__(self) -> str:
        return self.provider_id


class SsoIdentity(models.Model):
    """The user behind one subject of one organisation's identity provider.

    What another organisation's provider calls its people is nothing here, even under the same
    name: the organisation is part of the key.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="sso_identities"
    )
    provider_id = models.CharField(max_length=500)
    subject = models.CharField(max_length=500)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sso_identities"
    )
    email = models.EmailField(max_length=254)
    created_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "sso_identities"
        verbose_name = "single sign-on identity"
        verbose_name_plural = "single sign-on identities"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["organization", "provider_id", "subject"],
                name="sso_identity_one_user_per_subject",
            ),
            models.UniqueConstraint(
                fields=["organization", "provider_id", "user"],
                name="sso_identity_one_subject_per_user",
            ),
            models.CheckConstraint(condition=~Q(subject=""), name="sso_identity_has_a_subject"),
        ]

    def __str__(self) -> str:
        return self.email


class EmailDomain(models.Model):
    """An e-mail domain that an organisation says is its own; believed once DNS confirms it.

    The secret is no secret: it stands in the domain's public TXT record. Two organisations of one
    company may both prove the same domain, each by its own record.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="email_domains"
    )
    domain = models.CharField(max_length=253)
    token = models.CharField(max_length=64)
    created_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)
    verified_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True)
    check_error = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        db_table = "organization_email_domains"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["organization", "domain"], name="email_domain_once_per_organization"
            ),
            models.CheckConstraint(
                condition=Q(domain=Lower("domain")), name="email_domain_in_lower_case"
            ),
        ]

    def __str__(self) -> str:
        return self.domain


class UsedAssertion(models.Model):
    """An assertion that opened the door once, kept until it would have expired by itself."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    assertion_id = models.CharField(max_length=300)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "sso_used_assertions"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["organization", "assertion_id"], name="sso_assertion_used_once"
            ),
        ]

    def __str__(self) -> str:
        return self.assertion_id
