"""Callers of the API and the pages, on the host of the organisation in force."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.contacts.models import Contact
from apps.contacts.services import create_api_token


class Inside:
    """Returns to the organisation that the test is in: a request leaves the connection without."""

    def request(self, **kwargs: Any) -> Any:
        tenant = connection.tenant
        try:
            return super().request(**kwargs)  # type: ignore[misc]
        finally:
            connection.set_tenant(tenant)


class InsideAPIClient(Inside, APIClient):
    pass


class InsideBrowser(Inside, Client):
    pass


def host() -> str:
    """Return the host that leads to the organisation in force."""
    return f"{connection.tenant.slug}.localhost"


def api(person: Contact | None = None, *, scopes: tuple[str, ...] = ()) -> APIClient:
    """Return a client of /v1 that carries a token of this contact; None: a stranger."""
    client = InsideAPIClient(SERVER_NAME=host(), raise_request_exception=False)
    if person is not None:
        _row, secret = create_api_token(contact=person, name="test", scopes=scopes)
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


def browser(person: Contact | None = None) -> Client:
    """Return a browser on the organisation's host, signed in as this member."""
    client = InsideBrowser(SERVER_NAME=host(), raise_request_exception=False)
    if person is not None:
        user = User.objects.get(pk=person.user_id)
        client.force_login(user, backend="apps.contacts.backends.PrincipalBackend")
    return client


def problem_of(response: Any) -> tuple[int, str]:
    """Return status and problem type of a refusal."""
    return response.status_code, response.json()["type"]
