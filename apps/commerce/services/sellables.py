"""What SKUs mean."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict, Unpack

from django.db import IntegrityError, transaction

from apps.cohorts.models import Cohort
from apps.commerce.models import Sellable, Source
from apps.contacts.models import Contact
from apps.contacts.services import record_admin_action
from apps.core.problems import Conflict, Invalid
from apps.core.revisions import violates
from apps.programs.models import Course, Program


class SkuTaken(Conflict):
    code = "sku-taken"
    title = "Something else is sold under this SKU by the same source."


class SellableInvalid(Invalid):
    code = "sellable-invalid"
    title = "A sellable is one program, one cohort or one course."


class SellableOrdered(Conflict):
    code = "sellable-ordered"
    title = "This was ordered before: archive it instead."


class SellableChanges(TypedDict, total=False):
    """What may change about a sellable; its source never does."""

    sku: str
    title: str
    program: Program | None
    cohort: Cohort | None
    course: Course | None
    archived_at: datetime | None


@transaction.atomic
def add_sellable(
    *,
    source: Source,
    sku: str,
    title: str,
    actor: Contact | None,
    program: Program | None = None,
    cohort: Cohort | None = None,
    course: Course | None = None,
) -> Sellable:
    """Return a new sellable. Lines that wait for its SKU can be tried again then.

    Raises SkuTaken, SellableInvalid.
    """
    sellable = Sellable(
        source=source, sku=sku, title=title, program=program, cohort=cohort, course=course
    )
    _save(sellable)
    record_admin_action(actor=actor, action="sellable.created", entity=sellable)
    return sellable


@transaction.atomic
def change_sellable(
    *, sellable: Sellable, actor: Contact, **changes: Unpack[SellableChanges]
) -> Sellable:
    """Return the sellable as it is from now on; what was granted stays what it was.

    Raises SkuTaken, SellableInvalid.
    """
    locked = Sellable.objects.select_for_update().get(pk=sellable.pk)
    for field, value in changes.items():
        setattr(locked, field, value)
    _save(locked)
    details = {field: None if value is None else str(value) for field, value in changes.items()}
    record_admin_action(actor=actor, action="sellable.changed", entity=locked, details=details)
    return locked


@transaction.atomic
def remove_sellable(*, sellable: Sellable, actor: Contact) -> None:
    """Forget a sellable that nobody ordered. Raises SellableOrdered."""
    locked = Sellable.objects.select_for_update().get(pk=sellable.pk)
    if locked.lines.exists() or locked.entitlements.exists():
        raise SellableOrdered
    details = {"sku": locked.sku, "source": str(locked.source_id)}
    record_admin_action(actor=actor, action="sellable.deleted", entity=locked, details=details)
    locked.delete()


def _save(sellable: Sellable) -> None:
    targets = (sellable.program_id, sellable.cohort_id, sellable.course_id)
    if sum(target is not None for target in targets) != 1:
        raise SellableInvalid
    try:
        with transaction.atomic():
            sellable.save()
    except IntegrityError as error:
        if not violates(error, "sellable_sku_once_per_source"):
            raise
        raise SkuTaken(
            errors=[{"field": "sku", "code": "taken", "message": SkuTaken.title}]
        ) from error
