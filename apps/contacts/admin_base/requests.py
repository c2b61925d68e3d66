"""Who is at work in the back office, and how they are told what was refused."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest

from apps.contacts.models import Contact
from apps.contacts.principal import Principal
from apps.core.problems import Problem


def principal_of(request: HttpRequest) -> Principal:
    principal: Principal = request.principal  # type: ignore[attr-defined]
    return principal


def signed_in(request: HttpRequest) -> Principal | None:
    """Return who is at work, or None for a stranger."""
    principal: Principal | None = getattr(request, "principal", None)
    return principal or None


def actor_of(request: HttpRequest) -> Contact:
    """Return the contact who is at work in the back office."""
    principal = principal_of(request)
    return principal.contact or Contact.objects.get(pk=principal.contact_id)


def tell(request: HttpRequest, problem: Problem) -> None:
    """Show a problem as messages: its sentence, and one for each field."""
    messages.error(request, problem.detail or problem.title)
    for error in problem.errors:
        where = f"{error['field']}: " if error["field"] else ""
        messages.error(request, f"{where}{error['message']}")
