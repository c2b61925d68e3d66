"""/v1: sources, sellables, entitlements."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import mixins, viewsets
from rest_framework.serializers import BaseSerializer

from apps.commerce import services
from apps.commerce.api.serializers import (
    EntitlementSerializer,
    SellableSerializer,
    SourceSerializer,
)
from apps.commerce.models import Entitlement, Sellable, Source
from apps.contacts.api import Requires, actor_of
from apps.contacts.capabilities import Capability
from apps.contacts.definitions_api import Tagged
from apps.contacts.principal import Principal
from apps.contacts.selectors import alias_ids
from apps.core.api import ApiView
from apps.core.clock import now
from apps.programs.api.filters import filters

MANAGE, VIEW = Capability.MANAGE_COMMERCE, Capability.VIEW_COMMERCE


class SourceViewSet(
    ApiView,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[Source],
):
    """Shops that send orders."""

    permission_classes = [Requires(MANAGE, read=VIEW)]
    queryset = Source.objects.all()
    serializer_class = SourceSerializer
    filterset_class = filters(Source, "slug")


class SellableViewSet(
    ApiView,
    mixins.ListModelMixin,
    mixins.CreateModelMixin,
    mixins.DestroyModelMixin,
    Tagged,
    viewsets.GenericViewSet[Sellable],
):
    """What the SKUs of a shop mean here. What was ordered is archived, not deleted."""

    permission_classes = [Requires(MANAGE, read=VIEW)]
    queryset = Sellable.objects.all()
    serializer_class = SellableSerializer
    filterset_class = filters(Sellable, "source", "sku", "program", "cohort", "course")
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]

    def perform_create(self, serializer: BaseSerializer[Any]) -> None:
        said = dict(serializer.validated_data)
        is_archived = said.pop("is_archived", False)
        sellable = services.add_sellable(actor=actor_of(self.request), **said)
        if is_archived:
            sellable = services.change_sellable(
                sellable=sellable, actor=actor_of(self.request), archived_at=now()
            )
        serializer.instance = sellable

    def perform_update(self, serializer: BaseSerializer[Any]) -> None:
        said = dict(serializer.validated_data)
        said.pop("source", None)
        if "is_archived" in said:
            said["archived_at"] = now() if said.pop("is_archived") else None
        serializer.instance = services.change_sellable(
            sellable=self.get_object(), actor=actor_of(self.request), **said
        )

    def perform_destroy(self, instance: Sellable) -> None:
        services.remove_sellable(sellable=instance, actor=actor_of(self.request))


class EntitlementViewSet(
    ApiView,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[Entitlement],
):
    """What was granted because it was paid for, and withdrawn again. Learners see their own."""

    permission_classes = [Requires(None)]
    queryset = Entitlement.objects.select_related("enrollment")
    serializer_class = EntitlementSerializer
    filterset_class = filters(
        Entitlement, "line", "contact", "sellable", "enrollment", "state", "effect"
    )

    def get_queryset(self) -> QuerySet[Entitlement]:
        rows = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return rows
        principal: Principal = self.request.principal  # type: ignore[attr-defined]
        if principal.has(VIEW):
            return rows
        return rows.filter(contact_id__in=alias_ids(principal.contact_id))
