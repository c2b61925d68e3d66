"""How django-allauth behaves on an organisation's host."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from django.db import transaction
from django.http import HttpRequest

from apps.accounts.models import User
from apps.contacts.entering import BREAK_GLASS_USED, ENTERING, announced_door, came_through
from apps.contacts.factors import STAGES
from apps.contacts.models import Contact
from apps.contacts.services import record_admin_action
from apps.core.clock import now
from apps.core.outbox import owe
from apps.core.tenancy import connection
from apps.organizations import doors
from apps.organizations.middleware import refuse


class OrganizationAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Members come by invitation; a tenant may write a user's password and nothing else."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_login_stages(self) -> list[str]:
        """Return allauth's stages, with the second factor asked as it is asked here."""
        return [STAGES.get(stage, stage) for stage in super().get_login_stages()]

    def set_password(self, user: User, password: str) -> None:
        user.set_password(password)
        user.save(update_fields=["password"])

    def login(self, request: HttpRequest, user: User) -> None:
        """Open the session and note the door; the one place every sign-in passes."""
        door = announced_door(request, user)
        if doors.is_enforced(connection.tenant) and door not in doors.OPEN_WHEN_ENFORCED:
            raise ImmediateHttpResponse(refuse(request, doors.SsoEnforced()))
        request.session.pop(ENTERING, None)
        super().login(request, user)
        request.session[doors.DOOR] = door

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> Any:
        if connection.tenant is not None:
            door = came_through(request)
            with transaction.atomic():
                record_admin_action(
                    actor=Contact.objects.filter(user_id=user.pk).first(),
                    action="login",
                    details={"door": door} if door else {},
                )
                if door == doors.BREAK_GLASS:
                    owe(BREAK_GLASS_USED, str(user.pk), {"at": f"{now():%Y-%m-%d %H:%M} UTC"})
        return super().post_login(request, user, **kwargs)
