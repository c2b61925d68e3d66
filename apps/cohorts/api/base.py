"""What the endpoints of cohorts share: who asks, what they may, what is left on record."""

from __future__ import annotations

from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet
from rest_framework import viewsets
from rest_framework.request import Request

from apps.contacts.api import actor_of
from apps.contacts.models import Contact
from apps.contacts.principal import Principal
from apps.contacts.services import record_admin_action
from apps.core.api import ApiView
from apps.core.problems import Forbidden, NotFound

Row = TypeVar("Row", bound=Model)


def principal_of(request: Request) -> Principal:
    """Return who asks; the permission classes have let nobody else in."""
    principal: Principal = request.principal  # type: ignore[attr-defined]
    return principal


def named(rows: QuerySet[Row], row_id: UUID, *, field: str) -> Row:
    """Return the row that the body names; raises NotFound, telling the field."""
    found = rows.filter(pk=row_id).first()
    if found is None:
        message = "There is no such thing here."
        raise NotFound(errors=[{"field": field, "code": "not-found", "message": message}])
    return found


def contact_named(contact_id: UUID) -> Contact:
    """Return the person that the body names in `contact`."""
    return named(Contact.objects.all(), contact_id, field="contact")


class CohortScoped(ApiView):
    """An endpoint about one cohort's things."""

    def demand(self, capability: str, cohort_id: UUID) -> None:
        """Raise Forbidden unless the caller may do this in this cohort."""
        if not principal_of(self.request).can(capability, cohort_id=cohort_id):
            raise Forbidden

    def on_record(self, verb: str, entity: Model, **details: Any) -> None:
        """Leave a row of `admin_actions`."""
        record_admin_action(
            actor=actor_of(self.request),
            action=f"{entity._meta.model_name}.{verb}",
            entity=entity,
            details=details,
        )


class CohortScopedViewSet(CohortScoped, viewsets.GenericViewSet[Row]):
    """A list of rows, narrowed to what the caller may see."""

    def get_queryset(self) -> QuerySet[Row]:
        rows = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return rows
        return self.visible(rows, principal_of(self.request))

    def visible(self, rows: QuerySet[Row], principal: Principal) -> QuerySet[Row]:
        """Return those of the rows that the caller may see."""
        raise NotImplementedError
