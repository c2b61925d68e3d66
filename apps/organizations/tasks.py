"""What beat asks of organisations."""

from __future__ import annotations

from celery import shared_task

from apps.core.clock import now
from apps.core.tenancy import connection
from apps.organizations.endings import forget_expired_sessions


@shared_task(name="organizations.forget_sessions")
def forget_sessions() -> int:
    """Remove sessions that time has ended; return how many."""
    with connection.platform():
        forgotten = forget_expired_sessions(at=now())
    connection.forget_tenant()
    return forgotten
