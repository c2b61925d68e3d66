"""/v1: progress events and what they add up to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import (
    OpenApiParameter,
    PolymorphicProxySerializer,
    extend_schema,
)
from rest_framework import mixins
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.serializer_helpers import ReturnDict

from apps.cohorts.api.base import CohortScopedViewSet, principal_of
from apps.cohorts.api.progress_serializers import (
    AssertionSerializer,
    CourseProgressSerializer,
    OutcomeSerializer,
    OutcomesSerializer,
    ProgressEventSerializer,
    assertion_of,
)
from apps.cohorts.models import CourseProgress, ProgressEvent
from apps.cohorts.selectors import of_staffed_or_own
from apps.cohorts.services import Assertion, AssertionOutcome, assert_progress
from apps.cohorts.services.assertions import MAX_BATCH, BatchTooLarge
from apps.contacts.api import Requires
from apps.contacts.principal import Principal
from apps.core.api import as_problem
from apps.core.clock import now
from apps.programs.api.filters import filters

ACCEPTED, REFUSED = "accepted", "refused"
TRUE = ("1", "true", "yes")

ONE_OR_MANY = PolymorphicProxySerializer(
    component_name="AssertedEvents",
    serializers=[AssertionSerializer, AssertionSerializer(many=True)],
    resource_type_field_name=None,
    many=False,
)
OUTCOME_OR_OUTCOMES = PolymorphicProxySerializer(
    component_name="EventOutcomes",
    serializers=[OutcomeSerializer, OutcomesSerializer],
    resource_type_field_name=None,
)


class CourseProgressViewSet(
    CohortScopedViewSet[CourseProgress], mixins.ListModelMixin, mixins.RetrieveModelMixin
):
    """How far each enrolment is in each of its courses."""

    permission_classes = [Requires(None)]
    queryset = CourseProgress.objects.all()
    serializer_class = CourseProgressSerializer
    filterset_class = filters(
        CourseProgress, "enrollment", "enrollment__cohort", "course", "status"
    )

    def visible(
        self, rows: QuerySet[CourseProgress], principal: Principal
    ) -> QuerySet[CourseProgress]:
        return of_staffed_or_own(
            rows, principal, cohort="enrollment__cohort", contact="enrollment__contact"
        )


class ProgressEventViewSet(
    CohortScopedViewSet[ProgressEvent], mixins.ListModelMixin, mixins.RetrieveModelMixin
):
    """What happened to learners, and what clients say happened."""

    permission_classes = [Requires(None)]
    queryset = ProgressEvent.objects.all()
    serializer_class = ProgressEventSerializer
    filterset_class = filters(
        ProgressEvent, "enrollment", "enrollment__cohort", "contact", "course", "type", "entity_id"
    )

    def visible(
        self, rows: QuerySet[ProgressEvent], principal: Principal
    ) -> QuerySet[ProgressEvent]:
        return of_staffed_or_own(rows, principal, cohort="enrollment__cohort", contact="contact")

    @extend_schema(
        request=ONE_OR_MANY,
        parameters=[
            OpenApiParameter("wait", bool, description="Answer with the progress that results.")
        ],
        responses={202: OUTCOME_OR_OUTCOMES, 200: OUTCOME_OR_OUTCOMES},
    )
    def create(self, request: Request) -> Response:
        """Say what happened: one event, or a list of up to 1,000 with an outcome each.

        202, or 200 with the course progress under `?wait=1`. A single event that is refused is
        answered by its problem; those refused in a list leave the others be.
        """
        wait = request.query_params.get("wait", "").lower() in TRUE
        said: Any = request.data
        is_list = isinstance(said, list)
        outcomes = self._outcomes(said if is_list else [said], wait=wait)
        if not is_list and outcomes[0].problem:
            raise outcomes[0].problem
        told = told_outcomes(outcomes, with_progress=wait)
        data = {"outcomes": told} if is_list else told[0]
        return Response(data, status=200 if wait else 202)

    def _outcomes(self, said: list[Any], *, wait: bool) -> list[AssertionOutcome]:
        """Return an outcome for each event; what can't be read is refused here already."""
        if len(said) > MAX_BATCH:
            raise BatchTooLarge(detail=f"At most {MAX_BATCH} events at a time.")
        read = [read_assertion(one) for one in said]
        answers = iter(
            assert_progress(
                principal=principal_of(self.request),
                assertions=[one for one in read if isinstance(one, Assertion)],
                at=now(),
                project=wait,
            )
        )
        return [next(answers) if isinstance(one, Assertion) else one for one in read]

    def answer_reference(self, response: Response) -> dict[str, Any]:
        """Keep the ids of the events and why others were refused; progress is read anew."""
        data: Any = response.data
        is_list = "outcomes" in data
        outcomes = data["outcomes"] if is_list else [data]
        return {
            "is_list": is_list,
            "wait": response.status_code == 200,
            "outcomes": [
                {**outcome, "id": outcome["id"] and str(outcome["id"]), "course_progress": None}
                for outcome in outcomes
            ],
        }

    def render_again(self, request: Request, answer: dict[str, Any]) -> Any:
        outcomes = answer["outcomes"]
        if answer["wait"]:
            ids = [outcome["id"] for outcome in outcomes if outcome["id"]]
            events = ProgressEvent.objects.in_bulk(ids)
            progress = progress_of(events.values())
            for outcome in outcomes:
                event = events.get(UUID(outcome["id"])) if outcome["id"] else None
                outcome["course_progress"] = progress.get(place(event)) if event else None
        return {"outcomes": outcomes} if answer["is_list"] else outcomes[0]


def read_assertion(said: Any) -> Assertion | AssertionOutcome:
    """Return what one event says, or its refusal when its fields can't be read."""
    serializer = AssertionSerializer(data=said)
    try:
        serializer.is_valid(raise_exception=True)
    except ValidationError as error:
        return AssertionOutcome(REFUSED, problem=as_problem(error))
    return assertion_of(serializer.validated_data)


def told_outcomes(
    outcomes: Sequence[AssertionOutcome], *, with_progress: bool
) -> list[dict[str, Any]]:
    """Return what became of each event, as the client is told."""
    events = [outcome.event for outcome in outcomes if outcome.event]
    progress = progress_of(events) if with_progress else {}
    return [
        {
            "id": str(outcome.event.id) if outcome.event else None,
            "outcome": REFUSED if outcome.problem else ACCEPTED,
            "problem": outcome.problem.as_dict() if outcome.problem else None,
            "course_progress": progress.get(place(outcome.event)) if outcome.event else None,
        }
        for outcome in outcomes
    ]


def place(event: ProgressEvent) -> tuple[UUID | None, UUID | None]:
    """Return the enrolment and course that an event is about."""
    return event.enrollment_id, event.course_id


def progress_of(
    events: Iterable[ProgressEvent],
) -> dict[tuple[UUID | None, UUID | None], ReturnDict[Any, Any]]:
    """Return the course progress of everything that these events are about, in one statement."""
    enrollments = {event.enrollment_id for event in events}
    rows = CourseProgress.objects.filter(enrollment_id__in=filter(None, enrollments))
    return {(row.enrollment_id, row.course_id): CourseProgressSerializer(row).data for row in rows}
