"""/v1: windows of cohorts and accommodations of learners."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from apps.assessment.api.filters import AccommodationFilter, WindowFilter
from apps.assessment.models import Accommodation, AssessmentTemplate, AssessmentWindow
from apps.assessment.rules.policy import WindowTerms
from apps.assessment.selectors.offers import window_terms
from apps.assessment.services import (
    change_window,
    end_accommodation,
    grant_accommodation,
    open_window,
    remove_window,
)
from apps.assessment.services.windows import TERMS
from apps.cohorts.api.base import CohortScopedViewSet, contact_named, named, principal_of
from apps.cohorts.models import Cohort, CohortEnrollment
from apps.cohorts.selectors import of_staffed
from apps.contacts.api import Requires, actor_of
from apps.contacts.capabilities import Capability
from apps.contacts.definitions_api import Tagged
from apps.contacts.models import Contact
from apps.contacts.principal import Principal
from apps.core.api import StrictModelSerializer
from apps.core.clock import now
from apps.core.problems import Forbidden

RUN = Capability.RUN_COHORTS


class WindowSerializer(StrictModelSerializer[AssessmentWindow]):
    """When a cohort may take an assessment; null is what the version says."""

    cohort = serializers.UUIDField(source="cohort_id")
    assessment = serializers.UUIDField(source="template_id")

    class Meta:
        model = AssessmentWindow
        fields = ["id", "cohort", "assessment", *TERMS]
        read_only_fields = ["id"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        for name in ("cohort_id", "template_id"):
            if self.instance is not None and attrs.pop(name, None) not in (
                None,
                getattr(self.instance, name),
            ):
                field = "cohort" if name == "cohort_id" else "assessment"
                message = "A window stays with its cohort and assessment."
                raise serializers.ValidationError(
                    {field: serializers.ErrorDetail(message, code="fixed")}
                )
        return attrs


class WindowViewSet(
    CohortScopedViewSet[AssessmentWindow],
    mixins.ListModelMixin,
    mixins.CreateModelMixin,
    mixins.DestroyModelMixin,
    Tagged,
):
    """Windows of cohorts. Attempts keep the window that they were started under."""

    permission_classes = [Requires(RUN, read=Capability.VIEW_LEARNERS)]
    http_method_names = ["get", "post", "patch", "delete", "head"]
    queryset = AssessmentWindow.objects.all()
    serializer_class = WindowSerializer
    filterset_class = WindowFilter

    def visible(
        self, rows: QuerySet[AssessmentWindow], principal: Principal
    ) -> QuerySet[AssessmentWindow]:
        return of_staffed(rows, principal, cohort="cohort")

    def perform_create(self, serializer: BaseSerializer[Any]) -> None:
        data = serializer.validated_data
        seen = of_staffed(Cohort.objects.all(), principal_of(self.request), cohort="id")
        cohort = named(seen, data.pop("cohort_id"), field="cohort")
        self.demand(RUN, cohort.id)
        template = named(
            AssessmentTemplate.objects.all(), data.pop("template_id"), field="assessment"
        )
        serializer.instance = open_window(
            cohort=cohort,
            template=template,
            terms=WindowTerms(**data),
            actor=actor_of(self.request),
        )

    def perform_update(self, serializer: BaseSerializer[Any]) -> None:
        window: AssessmentWindow = self.get_object()
        self.demand(RUN, window.cohort_id)
        now_said = {name: getattr(window_terms(window), name) for name in TERMS}
        serializer.instance = change_window(
            window=window,
            terms=WindowTerms(**{**now_said, **serializer.validated_data}),
            actor=actor_of(self.request),
        )

    def perform_destroy(self, instance: AssessmentWindow) -> None:
        self.demand(RUN, instance.cohort_id)
        remove_window(window=instance, actor=actor_of(self.request))


class AccommodationSerializer(StrictModelSerializer[Accommodation]):
    """What a learner is granted, for one assessment or (null) for all of them."""

    contact = serializers.UUIDField(source="contact_id")
    assessment = serializers.UUIDField(source="template_id", allow_null=True, default=None)
    time_multiplier = serializers.DecimalField(
        max_digits=4,
        decimal_places=2,
        min_value=Decimal(1),
        max_value=Decimal(10),
        default=Decimal(1),
    )
    reason = serializers.CharField(max_length=2_000)

    class Meta:
        model = Accommodation
        fields = [
            "id",
            "contact",
            "assessment",
            "time_multiplier",
            "extra_attempts",
            "reason",
            "granted_by",
            "created_at",
            "ended_at",
        ]
        read_only_fields = ["id", "granted_by", "created_at", "ended_at"]


class AccommodationViewSet(
    CohortScopedViewSet[Accommodation],
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.CreateModelMixin,
):
    """Accommodations of learners. A new one ends the one that stood for the same."""

    permission_classes = [Requires(RUN, read=Capability.VIEW_LEARNERS)]
    http_method_names = ["get", "post", "head"]
    queryset = Accommodation.objects.all()
    serializer_class = AccommodationSerializer
    filterset_class = AccommodationFilter

    def visible(
        self, rows: QuerySet[Accommodation], principal: Principal
    ) -> QuerySet[Accommodation]:
        learners = of_staffed(CohortEnrollment.objects.all(), principal, cohort="cohort")
        if principal.visible_cohorts is None:
            return rows
        return rows.filter(contact__in=learners.values("contact_id"))

    def perform_create(self, serializer: BaseSerializer[Any]) -> None:
        data = serializer.validated_data
        contact = contact_named(data.pop("contact_id"))
        self._demand_learner(contact)
        template_id = data.pop("template_id")
        template = (
            named(AssessmentTemplate.objects.all(), template_id, field="assessment")
            if template_id
            else None
        )
        serializer.instance = grant_accommodation(
            contact=contact,
            template=template,
            time_multiplier=data["time_multiplier"],
            extra_attempts=data.get("extra_attempts", 0),
            reason=data["reason"],
            actor=actor_of(self.request),
            at=now(),
        )

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, **kwargs: Any) -> Response:
        """End the accommodation; attempts keep what it said."""
        accommodation: Accommodation = self.get_object()
        self._demand_learner(accommodation.contact)
        ended = end_accommodation(accommodation=accommodation, actor=actor_of(request), at=now())
        return Response(self.get_serializer(ended).data)

    def _demand_learner(self, contact: Contact) -> None:
        """Raise Forbidden unless the caller runs a cohort of this learner, or all of them."""
        principal = principal_of(self.request)
        if principal.visible_cohorts is None:
            return
        cohorts = CohortEnrollment.objects.filter(contact=contact).values_list("cohort", flat=True)
        if not any(principal.can(RUN, cohort_id=cohort_id) for cohort_id in cohorts):
            raise Forbidden
