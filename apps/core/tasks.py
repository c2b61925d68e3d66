"""Celery tasks of core, and the base of every task that works inside an organisation."""

from __future__ import annotations

import logging
import time
from typing import Any

from celery import Task, shared_task
from celery.exceptions import Reject
from django_tenants.utils import get_tenant_model

from apps.core import outbox
from apps.core.clock import now
from apps.core.courier import DELIVER
from apps.core.tenancy import connection, tenant_context

REMEMBER_SECONDS = 5.0

log = logging.getLogger(__name__)


class OrganizationTask(Task[Any, Any]):
    """A task whose first argument is the schema of the organisation it works in.

    Without one, or with that of an organisation that is gone, it is rejected; the connection is
    left without an organisation afterwards, so that nothing can run in the previous one's.
    """

    abstract = True

    def __call__(self, schema: str, *args: Any, **kwargs: Any) -> Any:
        connection.forget_tenant()
        tenant = _organization(schema)
        if tenant is None:
            raise Reject(f"no organisation has the schema {schema!r}", requeue=False)
        try:
            with tenant_context(tenant):
                return super().__call__(schema, *args, **kwargs)
        finally:
            connection.forget_tenant()


_known: dict[str, tuple[float, Any]] = {}


def _organization(schema: str) -> Any:
    """Return the organisation of a schema; remembered for seconds, as a host is."""
    expires, tenant = _known.get(schema, (0.0, None))
    if expires < time.monotonic():
        with connection.platform():
            tenant = get_tenant_model().objects.filter(schema_name=schema).first()
        _known.pop(schema, None)
        if tenant is not None:
            _known[schema] = (time.monotonic() + REMEMBER_SECONDS, tenant)
    return tenant


@shared_task(base=OrganizationTask, name=DELIVER, acks_late=True)
def deliver(schema: str, topic: str, key: str) -> int:
    """Work what (topic, key) is owed in this organisation, and the steps that follow from it."""
    return outbox.deliver_with_next_steps(topic, key)


@shared_task(name="core.sweep_outbox")
def sweep_outbox() -> int:
    """Send again, for every organisation, for messages that are overdue; return how many."""
    sent = 0
    for tenant in ready_organizations():
        with tenant_context(tenant):
            sent += outbox.send_overdue(at=now())
    return sent


def ready_organizations() -> list[Any]:
    """Return the organisations whose schemas stand; for tasks and commands that visit each."""
    with connection.platform():
        return list(get_tenant_model().objects.filter(provisioning="ready").order_by("id"))
