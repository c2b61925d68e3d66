"""What the outbox delivers to assessment, and what beat asks of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from celery import shared_task

from apps.assessment import services
from apps.core.clock import now
from apps.core.tasks import ready_organizations
from apps.core.tenancy import connection, tenant_context


def grade(key: str, payloads: list[dict[str, Any]]) -> None:
    """Outbox handler of `assessment.grade`; the key is the attempt."""
    services.grade_attempt(UUID(key), at=now())


@shared_task(name="assessment.close_expired")
def close_expired() -> int:
    """Close, in every organisation, the attempts whose time is over; return how many."""
    closed = 0
    for organization in ready_organizations():
        with tenant_context(organization):
            closed += services.close_expired(at=now())
    connection.forget_tenant()
    return closed
