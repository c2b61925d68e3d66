"""`request.principal`: who is asking, in this organisation."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from apps.contacts.backends import cached_principal
from apps.contacts.principal import Principal


class PrincipalMiddleware:
    """Sets a lazy `request.principal`; None (falsy) when nobody of this organisation asks."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.principal = SimpleLazyObject(lambda: principal_of(request))  # type: ignore[attr-defined]
        return self.get_response(request)


def principal_of(request: HttpRequest) -> Principal | None:
    user = request.user
    return cached_principal(user) if user.is_authenticated else None
