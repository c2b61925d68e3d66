"""Who may read orders, and who may send them."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from apps.contacts.capabilities import Capability
from apps.contacts.principal import Principal


class SignedWebhook(BasePermission):
    """Whoever signs may post, which the service checks; the capability `read` is for reading."""

    read = Capability.VIEW_COMMERCE

    def has_permission(self, request: Request, view: Any) -> bool:
        if request.method == "POST":
            return True
        principal: Principal | None = getattr(request, "principal", None)
        return bool(principal) and principal is not None and principal.has(self.read)
