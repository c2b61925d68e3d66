"""How django-allauth behaves on an organisation's host."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from django.http import HttpRequest

from apps.accounts.models import User
from apps.contacts.entering import ENTERING, announced_door, came_through
from apps.contacts.models import Contact
from apps.contacts.services import record_admin_action
from apps.core.tenancy import connection
from apps.organizations import doors
from apps.organizations.middleware import refuse


class OrganizationAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Members come by invitation; a tenant may write a user's password and nothing else."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

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
            record_admin_action(
                actor=Contact.objects.filter(user_id=user.pk).first(),
                action="login",
                details={"door": door} if door else {},
            )
        return super().post_login(request, user, **kwargs)
