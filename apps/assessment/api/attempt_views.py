"""/v1: taking an assessment, and what staff do about attempts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.assessment.api.attempt_serializers import (
    AttemptDetailSerializer,
    AttemptSerializer,
    GradingEventSerializer,
    ItemFeedbackSerializer,
    ItemGradeSerializer,
    OverrideSerializer,
    PaperItemSerializer,
    ResultSerializer,
    StartSerializer,
    VoidSerializer,
    WithdrawSerializer,
)
from apps.assessment.api.filters import AttemptFilter
from apps.assessment.api.grades import record
from apps.assessment.models import (
    AssessmentAttempt,
    AssessmentResult,
    AssessmentTemplate,
    GradingEvent,
)
from apps.assessment.selectors.attempts import (
    AttemptPaper,
    LearnerResult,
    attempt_paper,
    current_result,
    learner_result,
    with_feedback,
)
from apps.assessment.selectors.offers import enrollments_offered
from apps.assessment.selectors.papers import published_paper
from apps.assessment.services import (
    override_result,
    start_attempt,
    submit_attempt,
    void_attempt,
    withdraw_override,
)
from apps.assessment.services.attempts import NotOffered
from apps.assessment.vocabulary import AttemptStatus
from apps.cohorts.api.base import CohortScoped, CohortScopedViewSet, principal_of
from apps.cohorts.models import CohortEnrollment, EnrollmentState
from apps.cohorts.selectors import staffed_by
from apps.contacts.api import Requires, actor_of
from apps.contacts.capabilities import Capability
from apps.contacts.principal import Principal
from apps.core.clock import now
from apps.core.problems import Conflict, NotFound, Problem

ANSWERED = {200: AttemptSerializer, 201: AttemptSerializer}


class SeveralEnrollments(Conflict):
    code = "several-enrollments"
    title = "Say under which enrolment: several of yours offer this assessment."


class StartView(CohortScoped):
    """Attempts of one assessment."""

    permission_classes = [Requires(None)]

    @extend_schema(request=StartSerializer, responses=ANSWERED)
    def post(self, request: Request, pk: UUID) -> Response:
        """Start an attempt under the terms that hold now; 200 with the open one if there is one."""
        asked = StartSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        offered = enrollments_offered(principal_of(request).contact_id, pk)
        if not offered:
            raise self._not_offered(pk)
        started = start_attempt(
            enrollment=_chosen(offered, asked.validated_data.get("enrollment")),
            template=AssessmentTemplate(pk=pk),
            actor=actor_of(request),
            at=now(),
        )
        status = 201 if started.is_new else 200
        return Response(AttemptSerializer(started.attempt).data, status=status)

    def _not_offered(self, template_id: UUID) -> Problem:
        """Return the refusal; only who views content learns that there is such an assessment."""
        may_know = principal_of(self.request).has(Capability.VIEW_CONTENT)
        if may_know and AssessmentTemplate.objects.filter(pk=template_id).exists():
            return NotOffered()
        return NotFound()

    def render_again(self, request: Request, answer: dict[str, Any]) -> Any:
        return AttemptSerializer(AssessmentAttempt.objects.get(pk=answer["id"])).data


def _chosen(offered: list[CohortEnrollment], named: UUID | None) -> CohortEnrollment:
    """Return the enrolment to start under: the named one, else the only one that is active."""
    if named is not None:
        wanted = [enrollment for enrollment in offered if enrollment.id == named]
        if not wanted:
            message = "None of your enrolments that offer this assessment has this id."
            raise NotFound(
                errors=[{"field": "enrollment", "code": "not-found", "message": message}]
            )
        return wanted[0]
    active = [one for one in offered if one.state == EnrollmentState.ENROLLED]
    if len(active) > 1:
        raise SeveralEnrollments(enrollments=[str(enrollment.id) for enrollment in active])
    return active[0] if active else offered[0]


class AttemptViewSet(CohortScopedViewSet[AssessmentAttempt], mixins.ListModelMixin):
    """Attempts: one's own, and those of the cohorts that one works with."""

    permission_classes = [Requires(None)]
    http_method_names = ["get", "post", "head"]
    queryset = AssessmentAttempt.objects.select_related("contact", "enrollment", "template")
    serializer_class = AttemptSerializer
    filterset_class = AttemptFilter

    def visible(
        self, rows: QuerySet[AssessmentAttempt], principal: Principal
    ) -> QuerySet[AssessmentAttempt]:
        staffed = staffed_by(principal)
        if staffed is None:
            return rows
        me = principal.contact_id
        own = Q(contact_id=me) | Q(contact__merged_into_id=me)
        return rows.filter(own | Q(enrollment__cohort_id__in=staffed) if staffed else own)

    @extend_schema(responses=AttemptDetailSerializer)
    def retrieve(self, request: Request, **kwargs: Any) -> Response:
        """The paper with the saved answers; result and feedback once they are released.

        Staff of the cohort see them at once, and every grading event.
        """
        return Response(_detail(self.get_object(), principal_of(request), at=now()))

    @extend_schema(request=None, responses={202: AttemptSerializer})
    @action(detail=True, methods=["post"])
    def submit(self, request: Request, **kwargs: Any) -> Response:
        """Hand in; grading follows. Handed in again it stays as it is."""
        attempt = submit_attempt(attempt=self.get_object(), actor=actor_of(request), at=now())
        return Response(AttemptSerializer(attempt).data, status=202)

    @extend_schema(request=VoidSerializer, responses=AttemptSerializer)
    @action(detail=True, methods=["post"])
    def void(self, request: Request, **kwargs: Any) -> Response:
        """Declare the attempt void: its result counts no more."""
        attempt = self._demanded()
        asked = VoidSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        voided = void_attempt(
            attempt_id=attempt.id, actor=actor_of(request), at=now(), **asked.validated_data
        )
        return Response(AttemptSerializer(voided).data)

    @extend_schema(request=ItemGradeSerializer, responses=ResultSerializer)
    @action(detail=True, methods=["post"])
    def grade(self, request: Request, **kwargs: Any) -> Response:
        """Grade any item of the attempt, one that the engine has scored included."""
        attempt = self._demanded()
        asked = ItemGradeSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        data = dict(asked.validated_data)
        item_id = data.pop("item")
        return self._settled(
            lambda: record(attempt.id, item_id, data, grader=actor_of(request), at=now())
        )

    @extend_schema(request=OverrideSerializer, responses=ResultSerializer)
    @action(detail=True, methods=["post"])
    def override(self, request: Request, **kwargs: Any) -> Response:
        """Set the score of the whole attempt, lateness included."""
        attempt = self._demanded()
        asked = OverrideSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return self._settled(
            lambda: override_result(
                attempt_id=attempt.id, actor=actor_of(request), at=now(), **asked.validated_data
            )
        )

    @extend_schema(request=WithdrawSerializer, responses=ResultSerializer)
    @action(detail=True, methods=["post"], url_path="withdraw-override")
    def withdraw_override(self, request: Request, **kwargs: Any) -> Response:
        """Let the items add up again."""
        attempt = self._demanded()
        asked = WithdrawSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return self._settled(
            lambda: withdraw_override(
                attempt_id=attempt.id, actor=actor_of(request), at=now(), **asked.validated_data
            )
        )

    def _demanded(self) -> AssessmentAttempt:
        """Return the attempt if the caller may grade in its cohort."""
        attempt: AssessmentAttempt = self.get_object()
        self.demand(Capability.GRADE, attempt.enrollment.cohort_id)
        return attempt

    def _settled(self, ruling: Callable[[], AssessmentResult]) -> Response:
        return Response(ResultSerializer(ruling()).data)

    def render_again(self, request: Request, answer: dict[str, Any]) -> Any:
        if self.action in ("grade", "override", "withdraw_override"):
            return ResultSerializer(AssessmentResult.objects.get(pk=answer["id"])).data
        return super().render_again(request, answer)


def _detail(attempt: AssessmentAttempt, principal: Principal, *, at: datetime) -> dict[str, Any]:
    """Return the attempt as the caller may see it: in its cohort as staff, else as its learner."""
    is_own = principal.contact_id in (attempt.contact_id, attempt.contact.merged_into_id)
    cohort_id = attempt.enrollment.cohort_id
    is_staff = not is_own and principal.can(Capability.VIEW_LEARNERS, cohort_id=cohort_id)
    paper = attempt_paper(attempt)
    shown = _for_staff(attempt, paper) if is_staff else _for_learner(attempt, paper, at=at)
    return {
        **AttemptSerializer(attempt).data,
        "title": attempt.template.title,
        "is_open": attempt.status == AttemptStatus.IN_PROGRESS
        and (attempt.accepts_until is None or at <= attempt.accepts_until),
        "instructions_markdown": paper.instructions_markdown,
        "items": PaperItemSerializer(paper.items, many=True).data,
        "pass_percent": str(published_paper(attempt.version_id).pass_percent),
        "result": ResultSerializer(shown.result).data if shown else None,
        "feedback": ItemFeedbackSerializer(shown.items, many=True).data if shown else [],
        "events": _events(attempt) if is_staff else None,
    }


def _for_staff(attempt: AssessmentAttempt, paper: AttemptPaper) -> LearnerResult | None:
    result = current_result(attempt)
    return with_feedback(attempt, result, paper.items) if result else None


def _for_learner(
    attempt: AssessmentAttempt, paper: AttemptPaper, *, at: datetime
) -> LearnerResult | None:
    if attempt.status in (AttemptStatus.IN_PROGRESS, AttemptStatus.VOID):
        return None
    return learner_result(attempt, at=at, shown=paper.items)


def _events(attempt: AssessmentAttempt) -> Any:
    events = GradingEvent.objects.filter(attempt=attempt).order_by("recorded_at", "id")
    return GradingEventSerializer(events, many=True).data
