"""Who is at work in the back office, and how they are told what was refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.utils import DatabaseError
from django.forms import BaseForm
from django.http import HttpRequest

from apps.contacts.models import Contact
from apps.contacts.principal import Principal
from apps.core.problems import Problem
from apps.core.refusals import refused_by_database


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


def refusal_of(work: Callable[[], Any]) -> Problem | None:
    """Carry work out in a transaction; return why it was refused, or None."""
    try:
        with transaction.atomic():
            work()
    except Problem as problem:
        return problem
    except DatabaseError as error:
        refused = refused_by_database(error)
        if refused is None:
            raise
        return refused
    return None


def tell(request: HttpRequest, problem: Problem) -> None:
    """Show a problem as messages: its sentence, and one for each field."""
    messages.error(request, problem.detail or problem.title)
    for error in problem.errors:
        where = f"{error['field']}: " if error["field"] else ""
        messages.error(request, f"{where}{error['message']}")


def refuse_in(form: BaseForm, problem: Problem) -> None:
    """Tell a problem as errors of the form: beside its fields where it names them."""
    for error in problem.errors:
        form.add_error(error["field"] if error["field"] in form.fields else None, error["message"])
    if not problem.errors:
        form.add_error(None, problem.detail or problem.title)
