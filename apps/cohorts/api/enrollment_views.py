"""/v1: who takes part, and taking a course."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.cohorts.api.base import (
    CohortScoped,
    CohortScopedViewSet,
    contact_named,
    named,
    principal_of,
)
from apps.cohorts.api.progress_serializers import (
    CourseProgressSerializer,
    JoinedSerializer,
    JoinSerializer,
)
from apps.cohorts.api.serializers import EnrollmentSerializer
from apps.cohorts.models import (
    Cohort,
    CohortEnrollment,
    CourseProgress,
    EnrollmentState,
)
from apps.cohorts.selectors import of_staffed_or_own, visible_cohorts
from apps.cohorts.services import (
    cohort_to_join,
    end_enrollment,
    enroll,
    enroll_in_course,
    withdraw,
)
from apps.contacts.api import Requires, actor_of
from apps.contacts.capabilities import Capability
from apps.contacts.models import Contact
from apps.contacts.principal import Principal
from apps.contacts.selectors import alias_ids
from apps.core.clock import now
from apps.core.problems import Conflict, Forbidden
from apps.programs.api.filters import filters
from apps.programs.models import Course

RUN = Capability.RUN_COHORTS


class NotInvited(Conflict):
    code = "not-invited"
    title = "There is no open invitation to accept."


class EnrollmentViewSet(
    CohortScopedViewSet[CohortEnrollment], mixins.ListModelMixin, mixins.RetrieveModelMixin
):
    """Enrolments: one person's participation in one cohort."""

    permission_classes = [Requires(None)]
    queryset = CohortEnrollment.objects.select_related("contact")
    serializer_class = EnrollmentSerializer
    filterset_class = filters(CohortEnrollment, "cohort", "contact", "state")

    def visible(
        self, rows: QuerySet[CohortEnrollment], principal: Principal
    ) -> QuerySet[CohortEnrollment]:
        return of_staffed_or_own(rows, principal, cohort="cohort", contact="contact")

    def _is_own(self, enrollment: CohortEnrollment) -> bool:
        return enrollment.contact_id in alias_ids(principal_of(self.request).contact_id)

    def _answer(self, enrollment: CohortEnrollment) -> Response:
        return Response(EnrollmentSerializer(enrollment).data)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, **kwargs: Any) -> Response:
        """Accept one's invitation. Who accepted already is told so again."""
        enrollment = self.get_object()
        if not self._is_own(enrollment):
            raise Forbidden("An invitation is accepted by whom it was meant for.")
        if not enrollment.is_active:
            raise NotInvited
        accepted = enroll(
            cohort=enrollment.cohort,
            contact=actor_of(request),
            actor=actor_of(request),
            at=now(),
        )
        return self._answer(accepted)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, **kwargs: Any) -> Response:
        """Leave a cohort, or take somebody out; a seat that becomes free goes to who waits.

        Learners may decline, stop waiting, and leave what they joined at their own pace.
        """
        enrollment = self.get_object()
        is_free = enrollment.cohort.is_self_paced or enrollment.state != EnrollmentState.ENROLLED
        if not (is_free and self._is_own(enrollment)):
            self.demand(RUN, enrollment.cohort_id)
        left = withdraw(enrollment=enrollment, actor=actor_of(request), at=now())
        self.on_record("withdrawn", left)
        return self._answer(left)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, **kwargs: Any) -> Response:
        """Say that somebody is through before the cohort is; what was earned stays."""
        enrollment = self.get_object()
        self.demand(RUN, enrollment.cohort_id)
        ended = end_enrollment(enrollment=enrollment, actor=actor_of(request), at=now())
        self.on_record("ended", ended)
        return self._answer(ended)


class EnrollView(CohortScoped):
    """Take a course."""

    permission_classes = [Requires(None)]

    @extend_schema(
        request=JoinSerializer,
        responses={
            201: JoinedSerializer,
            200: OpenApiResponse(JoinedSerializer, "The learner takes the course already."),
        },
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Enrol in the course's open self-paced cohort; staff may name somebody and a cohort.

        201 with the course progress, 200 for who takes the course already, 409
        `not-open-for-enrolment` when there is no cohort to join. Who waits for a seat has no
        progress yet.
        """
        course = get_object_or_404(Course, pk=pk)
        asked = JoinSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        contact = self._contact(asked.validated_data.get("contact"))
        cohort_id = asked.validated_data.get("cohort")
        visible = visible_cohorts(principal_of(request))
        cohort = (
            named(visible, cohort_id, field="cohort")
            if cohort_id
            else cohort_to_join(course=course, contact=contact)
        )
        self._check(cohort, contact)
        actor = actor_of(request)
        joined = enroll_in_course(
            course=course, contact=contact, cohort=cohort, actor=actor, at=now()
        )
        if joined.is_new and actor.id != joined.enrollment.contact_id:
            self.on_record("enrolled", joined.enrollment, state=joined.enrollment.state)
        return Response(
            joined_as_data(joined.enrollment, course.id), status=201 if joined.is_new else 200
        )

    def _contact(self, contact_id: UUID | None) -> Contact:
        own = principal_of(self.request).contact_id
        if contact_id is not None and contact_id != own:
            principal = principal_of(self.request)
            if not principal.has(RUN):
                raise Forbidden("Only staff enrol somebody else.")
            return contact_named(contact_id)
        return actor_of(self.request)

    def _check(self, cohort: Cohort, contact: Contact) -> None:
        """People let themselves into self-paced cohorts, and where they were asked to come."""
        if contact.id == principal_of(self.request).contact_id:
            known = cohort.enrollments.active().filter(contact_id__in=alias_ids(contact.id))
            if cohort.is_self_paced or known.exists():
                return
        self.demand(RUN, cohort.id)

    def render_again(self, request: Request, answer: dict[str, Any]) -> Any:
        enrollment = CohortEnrollment.objects.get(pk=answer["id"])
        return joined_as_data(enrollment, self.kwargs["pk"])


def joined_as_data(enrollment: CohortEnrollment, course_id: UUID) -> dict[str, Any]:
    """Return the enrolment and, once it has a seat, its progress in the course."""
    progress = CourseProgress.objects.filter(enrollment=enrollment, course_id=course_id).first()
    return {
        "id": str(enrollment.id),
        "cohort": str(enrollment.cohort_id),
        "contact": str(enrollment.contact_id),
        "state": enrollment.state,
        "course_progress": CourseProgressSerializer(progress).data if progress else None,
    }
