"""Permissions of the API: the same capabilities as everywhere."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from apps.contacts.models import Contact
from apps.contacts.principal import Principal


def Requires(  # noqa: N802 - reads as a permission class where it is used
    write: str | None, *, read: str | None = None
) -> type[BasePermission]:
    """Return a permission class: `read` for safe methods, `write` for the others.

    None lets any member in; the view then narrows what they see to their own.
    """

    class HasCapability(BasePermission):
        def has_permission(self, request: Request, view: Any) -> bool:
            principal: Principal | None = getattr(request, "principal", None)
            if not principal:
                return False
            needed = read if request.method in SAFE_METHODS else write
            return needed is None or principal.has(needed)

    return HasCapability


def actor_of(request: Request) -> Contact:
    """Return the contact on whose behalf the request acts."""
    principal: Principal = request.principal  # type: ignore[attr-defined]
    return principal.contact or Contact.objects.get(pk=principal.contact_id)
