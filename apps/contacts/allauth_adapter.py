"""How django-allauth behaves on an organisation's host."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from apps.accounts.models import User
from apps.contacts.models import Contact
from apps.contacts.services import record_admin_action
from apps.core.tenancy import connection


class OrganizationAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Members come by invitation; a tenant may write a user's password and nothing else."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def set_password(self, user: User, password: str) -> None:
        user.set_password(password)
        user.save(update_fields=["password"])

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> Any:
        if connection.tenant is not None:
            record_admin_action(
                actor=Contact.objects.filter(user_id=user.pk).first(), action="login"
            )
        return super().post_login(request, user, **kwargs)
