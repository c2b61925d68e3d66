"""What the outbox delivers to the AI log, and what beat asks of it."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from celery import shared_task
from django.db import transaction

from apps.ai_logs.services.budgets import owe_alert, tell_administrators
from apps.ai_logs.services.contents import sweep_orphans
from apps.ai_logs.services.erasure import remove_objects
from apps.ai_logs.services.retention import erase_due, owe_retention
from apps.ai_logs.services.spans import flush_pending
from apps.core.clock import now
from apps.core.tasks import ready_organizations
from apps.core.tenancy import connection, tenant_context


def remove_erased(key: str, payloads: list[dict[str, Any]]) -> None:
    """Outbox handler of `ai_logs.remove_objects`; the key is the session."""
    remove_objects(UUID(key))


def apply_retention(key: str, payloads: list[dict[str, Any]]) -> None:
    """Outbox handler of `ai_logs.retention`: a batch; what is left is owed again."""
    erase_due(at=now())


def tell_of_budget(key: str, payloads: list[dict[str, Any]]) -> None:
    """Outbox handler of `ai_logs.budget_alert`; the key is the month's first day."""
    tell_administrators(date.fromisoformat(key), at=now())


@shared_task(name="ai_logs.watch_budgets")
def watch_budgets() -> int:
    """Owe the mail of every organisation whose month has reached the share; return how many.

    Two who record at once may each have seen the other's calls not yet.
    """
    owed = 0
    for organization in ready_organizations():
        with tenant_context(organization), transaction.atomic():
            owed += owe_alert(at=now())
    connection.forget_tenant()
    return owed


@shared_task(name="ai_logs.apply_retention")
def owe_what_policies_ask() -> int:
    """Owe, in every organisation whose policy asks for it, an erasure; return how many do."""
    asked = 0
    for organization in ready_organizations():
        with tenant_context(organization):
            asked += owe_retention(at=now())
    connection.forget_tenant()
    return asked


@shared_task(name="ai_logs.sweep_objects")
def sweep_objects() -> int:
    """Remove, in every organisation, objects that no row names; return how many."""
    removed = 0
    for organization in ready_organizations():
        with tenant_context(organization):
            removed += len(sweep_orphans(at=now()))
    connection.forget_tenant()
    return removed


@shared_task(name="ai_logs.flush_pending_spans")
def flush_pending_spans() -> int:
    """Record, in every organisation, calls whose parents did not come; return how many."""
    recorded = 0
    for organization in ready_organizations():
        with tenant_context(organization):
            recorded += flush_pending(at=now())
    connection.forget_tenant()
    return recorded
