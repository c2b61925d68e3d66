"""Organisations and who belongs to them: the public schema's part of tenancy."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django_tenants.models import DomainMixin, TenantMixin

from apps.core.ids import uuid7
from apps.core.models import ClockTimestamp


class Plan(models.TextChoices):
    FREE = "free"
    TEAM = "team"
    ENTERPRISE = "enterprise"


class OrganizationStatus(models.TextChoices):
    ACTIVE = "active"
    SUSPENDED = "suspended"


class ProvisioningStep(models.TextChoices):
    """What has been done for an organisation; each step can be repeated after a failure."""

    REQUESTED = "requested"
    SCHEMA_CREATED = "schema_created"
    MIGRATED = "migrated"
    READY = "ready"


class SsoProvider(models.TextChoices):
    """What members may sign in through, beside what the sign-in page offers anyway."""

    NONE = "", "none"
    SAML = "saml", "SAML 2.0"
    OIDC = "oidc", "OpenID Connect"


# A sign-in through the identity provider that is older than this proves nothing.
TEST_SIGN_IN_COUNTS = timedelta(hours=1)


class Organization(TenantMixin):  # type: ignore[misc]
    """One customer: a schema and a database role of the same name, and the hosts that lead to it.

    Rows are created by `services.request_organization` and brought to `ready` by the owner's
    process (`manage.py provision`), which can resume after any failure. Single sign-on can only
    be enforced with a provider, after a test sign-in, and with an owner who may still come in by
    password: the database refuses anything else, and to demote or deactivate that owner.
    """

    auto_create_schema = False
    auto_drop_schema = False

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=50, unique=True)
    plan = models.CharField(max_length=20, choices=Plan, default=Plan.FREE)
    status = models.CharField(
        max_length=20, choices=OrganizationStatus, default=OrganizationStatus.ACTIVE
    )
    region = models.CharField(max_length=50, blank=True, default="")
    created_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)
    provisioning = models.CharField(
        max_length=20, choices=ProvisioningStep, default=ProvisioningStep.REQUESTED
    )
    provisioning_error = models.TextField(blank=True, default="")
    sso_provider = models.CharField(
        max_length=20, choices=SsoProvider, blank=True, default=SsoProvider.NONE
    )
    saml_metadata_url = models.URLField(max_length=500, blank=True, default="")
    sso_enforced = models.BooleanField(default=False)
    sso_enforced_at = models.DateTimeField(null=True)
    sso_tested_at = models.DateTimeField(null=True)
    sso_break_glass = models.ForeignKey(
        "OrgMembership", null=True, on_delete=models.PROTECT, related_name="+"
    )
    mfa_required = models.BooleanField(default=False)

    class Meta:
        db_table = "organizations"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(sso_provider__in=SsoProvider.values), name="sso_provider_is_known"
            ),
            models.CheckConstraint(
                condition=Q(sso_enforced=False)
                | (
                    ~Q(sso_provider=SsoProvider.NONE)
                    & Q(sso_break_glass__isnull=False)
                    & Q(sso_tested_at__isnull=False, sso_enforced_at__isnull=False)
                    & Q(sso_enforced_at__lte=F("sso_tested_at") + TEST_SIGN_IN_COUNTS)
                ),
                name="sso_enforced_only_when_tested",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_suspended(self) -> bool:
        return self.status == OrganizationStatus.SUSPENDED


def schema_of(organization_id: uuid.UUID) -> str:
    """Return the name that an organisation's schema and its database role share."""
    return f"org_{organization_id.hex}"


class OrganizationDomain(DomainMixin):  # type: ignore[misc]
    """A host that leads to an organisation."""

    class Meta:
        db_table = "organization_domains"


class OrgRole(models.TextChoices):
    OWNER = "owner"
    ADMIN = "admin"
    INSTRUCTOR = "instructor"
    LEARNER = "learner"
    AUDITOR = "auditor"


class MembershipStatus(models.TextChoices):
    INVITED = "invited"
    ACTIVE = "active"
    DEACTIVATED = "deactivated"


class OrgMembership(models.Model):
    """A user's standing in one organisation.

    Tenant code can only read it: membership changes go through `connection.platform()`, else an
    organisation could claim a stranger's account.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="memberships"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="memberships"
    )
    org_role = models.CharField(max_length=20, choices=OrgRole, default=OrgRole.LEARNER)
    status = models.CharField(
        max_length=20, choices=MembershipStatus, default=MembershipStatus.INVITED
    )
    created_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)

    class Meta:
        db_table = "org_memberships"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["organization", "user"], name="membership_once_per_organization"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.org_role} ({self.status})"


class Invitation(models.Model):
    """An offer of membership to an e-mail address.

    The link that is mailed carries the row's id, signed: no secret is stored anywhere.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="invitations"
    )
    email = models.EmailField(max_length=254)
    org_role = models.CharField(max_length=20, choices=OrgRole, default=OrgRole.LEARNER)
    invited_by_id = models.UUIDField()
    created_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "org_invitations"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                "organization",
                Lower("email"),
                condition=Q(accepted_at=None, withdrawn_at=None),
                name="invitation_one_open_per_email",
            ),
        ]

    def __str__(self) -> str:
        return self.email


class LimitName(models.TextChoices):
    """What a plan limits."""

    MEMBERS = "members"
    STORAGE = "storage"
    AI_BUDGET = "ai_budget"


LIMIT_UNITS = {
    LimitName.MEMBERS: "logins",
    LimitName.STORAGE: "bytes",
    LimitName.AI_BUDGET: "US dollars a month",
}


class PlanLimit(models.Model):
    """How much of something every organisation on a plan may have; no amount is no limit."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    plan = models.CharField(max_length=20, choices=Plan)
    name = models.CharField(max_length=20, choices=LimitName)
    amount = models.DecimalField(max_digits=20, decimal_places=2, null=True)

    class Meta:
        db_table = "plan_limits"
        verbose_name_plural = "plan and limits"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["plan", "name"], name="planlimit_once_per_plan"),
            models.CheckConstraint(
                condition=Q(amount=None) | Q(amount__gte=0), name="planlimit_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(plan__in=Plan.values, name__in=LimitName.values),
                name="planlimit_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan}: {self.name}"


class OrganizationLimit(models.Model):
    """What was agreed with one organisation instead of its plan's limit, and why."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="limits")
    name = models.CharField(max_length=20, choices=LimitName)
    amount = models.DecimalField(max_digits=20, decimal_places=2, null=True)
    reason = models.TextField()
    set_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)

    class Meta:
        db_table = "organization_limits"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["organization", "name"], name="organizationlimit_once_per_name"
            ),
            models.CheckConstraint(
                condition=Q(amount=None) | Q(amount__gte=0), name="organizationlimit_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(name__in=LimitName.values), name="organizationlimit_known"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="organizationlimit_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.organization}: {self.name}"


class SupportGrant(models.Model):
    """An audited, time-boxed permission for a platform admin to act inside an organisation."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="support_grants"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="support_grants"
    )
    reason = models.TextField()
    granted_by_id = models.UUIDField()
    granted_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "support_grants"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=models.F("granted_at")), name="support_grant_ends"
            ),
        ]

    def __str__(self) -> str:
        return self.reason


class PlatformAction(models.Model):
    """One act across organisations: who, what and why. Append-only."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    actor_id = models.UUIDField(null=True)
    organization_id = models.UUIDField(null=True)
    action = models.CharField(max_length=100)
    details = models.JSONField(default=dict)
    recorded_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)

    class Meta:
        db_table = "platform_actions"

    def __str__(self) -> str:
        return self.action


class UserSession(AbstractBaseSession):
    """A signed-in browser, bound to one organisation (null: the platform's own host).

    Row-level security shows an organisation only its own; the session's host is checked when it
    is loaded.
    """

    organization_id = models.UUIDField(null=True, db_index=True)
    host = models.CharField(max_length=253)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="sessions"
    )
    created_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)

    class Meta:
        db_table = "user_sessions"
