"""/v1: cohorts and who works with them."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from apps.cohorts.api.base import (
    CohortScopedViewSet,
    contact_named,
    named,
    principal_of,
)
from apps.cohorts.api.serializers import (
    CohortSerializer,
    CohortStaffSerializer,
    EnrollmentSerializer,
    LearnerSerializer,
)
from apps.cohorts.models import Cohort, CohortEnrollment, CohortStaff
from apps.cohorts.selectors import of_staffed, visible_cohorts
from apps.cohorts.services import (
    add_staff,
    cancel_cohort,
    create_cohort,
    end_cohort,
    enroll,
    invite,
    open_cohort,
    remove_staff,
    update_cohort,
)
from apps.contacts.api import Requires, actor_of
from apps.contacts.capabilities import Capability
from apps.contacts.definitions_api import Tagged
from apps.contacts.principal import Principal
from apps.core.clock import now
from apps.core.problems import Forbidden
from apps.programs.api.filters import filters

RUN = Capability.RUN_COHORTS


class CohortViewSet(
    CohortScopedViewSet[Cohort],
    mixins.ListModelMixin,
    mixins.CreateModelMixin,
    Tagged,
):
    """Cohorts: groups that take one version of a program together, or each at their own pace."""

    permission_classes = [Requires(RUN, read=None)]
    http_method_names = ["get", "post", "patch", "head"]
    queryset = Cohort.objects.all()
    serializer_class = CohortSerializer
    filterset_class = filters(Cohort, "status", "slug", "program_version", "is_self_paced")
    enrolling: ClassVar[dict[str, Any]] = {"enrollments": enroll, "invitations": invite}

    def visible(self, rows: QuerySet[Cohort], principal: Principal) -> QuerySet[Cohort]:
        return visible_cohorts(principal)

    def perform_create(self, serializer: BaseSerializer[Any]) -> None:
        """Whoever runs only the cohorts they staff would make one that they can't see."""
        if principal_of(self.request).visible_cohorts is not None:
            raise Forbidden("Only those who run all cohorts make new ones.")
        serializer.instance = create_cohort(
            actor=actor_of(self.request), **serializer.validated_data
        )

    def perform_update(self, serializer: BaseSerializer[Any]) -> None:
        cohort: Cohort = self.get_object()
        self.demand(RUN, cohort.id)
        serializer.instance = update_cohort(
            cohort=cohort, actor=actor_of(self.request), at=now(), **serializer.validated_data
        )

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def open(self, request: Request, **kwargs: Any) -> Response:
        """Open a planned cohort; 409 while its program has no published requirements."""
        return self._moved(open_cohort)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, **kwargs: Any) -> Response:
        """End an open cohort and with it all participation; what was earned stays."""
        return self._moved(end_cohort)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, **kwargs: Any) -> Response:
        """Cancel a cohort that is planned or open, and with it all participation."""
        return self._moved(cancel_cohort)

    def _moved(self, move: Any) -> Response:
        cohort: Cohort = self.get_object()
        self.demand(RUN, cohort.id)
        moved = move(cohort=cohort, actor=actor_of(self.request), at=now())
        return Response(self.get_serializer(moved).data)

    @extend_schema(request=LearnerSerializer, responses={201: EnrollmentSerializer})
    @action(detail=True, methods=["post"], url_path="enrollments")
    def enrollments(self, request: Request, **kwargs: Any) -> Response:
        """Enrol somebody, or put them on the waitlist where no seat is free."""
        return self._let_in("enrolled", enroll)

    @extend_schema(request=LearnerSerializer, responses={201: EnrollmentSerializer})
    @action(detail=True, methods=["post"], url_path="invitations")
    def invitations(self, request: Request, **kwargs: Any) -> Response:
        """Invite somebody: they take part once they accept."""
        return self._let_in("invited", invite)

    def _let_in(self, verb: str, let_in: Any) -> Response:
        cohort: Cohort = self.get_object()
        self.demand(RUN, cohort.id)
        asked = LearnerSerializer(data=self.request.data)
        asked.is_valid(raise_exception=True)
        contact = contact_named(asked.validated_data["contact"])
        enrollment = let_in(cohort=cohort, contact=contact, actor=actor_of(self.request), at=now())
        self.on_record(verb, enrollment, state=enrollment.state)
        return Response(EnrollmentSerializer(enrollment).data, status=201)

    def render_again(self, request: Request, answer: dict[str, Any]) -> Any:
        if self.action not in ("enrollments", "invitations"):
            return super().render_again(request, answer)
        enrollment = CohortEnrollment.objects.select_related("contact").get(pk=answer["id"])
        return EnrollmentSerializer(enrollment).data


class CohortStaffViewSet(
    CohortScopedViewSet[CohortStaff],
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.CreateModelMixin,
    mixins.DestroyModelMixin,
):
    """Who works with a cohort, in which role."""

    permission_classes = [Requires(RUN, read=Capability.VIEW_LEARNERS)]
    queryset = CohortStaff.objects.select_related("contact")
    serializer_class = CohortStaffSerializer
    filterset_class = filters(CohortStaff, "cohort", "contact", "role")

    def visible(self, rows: QuerySet[CohortStaff], principal: Principal) -> QuerySet[CohortStaff]:
        return of_staffed(rows, principal, cohort="cohort")

    def perform_create(self, serializer: BaseSerializer[Any]) -> None:
        data = serializer.validated_data
        cohort = named(
            visible_cohorts(principal_of(self.request)), data["cohort_id"], field="cohort"
        )
        self.demand(RUN, cohort.id)
        serializer.instance = add_staff(
            cohort=cohort,
            contact=contact_named(data["contact_id"]),
            role=data.get("role", CohortStaff._meta.get_field("role").default),
            actor=actor_of(self.request),
        )

    def perform_destroy(self, instance: CohortStaff) -> None:
        self.demand(RUN, instance.cohort_id)
        remove_staff(staff=instance, actor=actor_of(self.request))
