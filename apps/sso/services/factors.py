"""Whether the organisation's staff must use a second factor."""

from __future__ import annotations

from django.db import transaction

from apps.contacts.models import Contact
from apps.contacts.principal import Principal
from apps.contacts.services import record_admin_action
from apps.core.tenancy import connection
from apps.organizations.models import Organization
from apps.organizations.services import record_platform_action
from apps.sso.services.connections import check_owner


@transaction.atomic
def require_factors(*, principal: Principal, actor: Contact, is_required: bool) -> None:
    """Let staff work in the back office only with a second factor, or without one again.

    Raises OwnersChangeSso.
    """
    check_owner(principal)
    action = "mfa.required" if is_required else "mfa.relaxed"
    with connection.platform():
        Organization.objects.filter(pk=principal.org_id).update(mfa_required=is_required)
        record_platform_action(
            action=action, organization_id=principal.org_id, actor_id=principal.user_id
        )
    record_admin_action(actor=actor, action=action)
