"""Undoing the binding of a provider's subject to a user."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from apps.contacts.models import Contact
from apps.contacts.principal import Principal
from apps.contacts.services import record_admin_action
from apps.core.problems import NotFound
from apps.core.tenancy import connection
from apps.organizations.endings import end_sessions
from apps.organizations.services import record_platform_action
from apps.sso.models import SsoIdentity
from apps.sso.services.connections import check_owner


class UnknownIdentity(NotFound):
    code = "sso-identity-unknown"
    title = "There is no such identity here."


@transaction.atomic
def unlink_identity(*, principal: Principal, actor: Contact, identity_id: UUID) -> None:
    """Forget who is behind a subject, and sign them out: their next sign-in binds anew.

    Raises OwnersChangeSso, UnknownIdentity.
    """
    check_owner(principal)
    with connection.platform():
        row = SsoIdentity.objects.filter(pk=identity_id, organization_id=principal.org_id).first()
        if row is None:
            raise UnknownIdentity
        end_sessions(organization_id=principal.org_id, user_id=row.user_id)
        SsoIdentity.objects.filter(pk=row.pk).delete()
        details = {"subject": row.subject, "email": row.email, "user": str(row.user_id)}
        record_platform_action(
            action="sso.unlinked",
            organization_id=principal.org_id,
            actor_id=principal.user_id,
            details=details,
        )
    record_admin_action(actor=actor, action="sso.unlinked", details=details)
