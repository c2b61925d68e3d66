"""/v1/ai: messages coming in, the log of them, and what people think of answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django_filters import BooleanFilter, IsoDateTimeFilter
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from apps.ai_logs.api.interaction_serializers import (
    NewInteractionSerializer,
    RecordedManySerializer,
    RecordedSerializer,
    interaction_of,
)
from apps.ai_logs.api.serializers import (
    AiFeedbackSerializer,
    AiInteractionSerializer,
    NewFeedbackSerializer,
)
from apps.ai_logs.api.session_views import on_record, principal_of
from apps.ai_logs.models import AiFeedback, AiInteraction, AiSession
from apps.ai_logs.selectors.budgets import standing
from apps.ai_logs.selectors.ciphers import ciphers_of
from apps.ai_logs.selectors.conversations import comment_of
from apps.ai_logs.selectors.sessions import (
    is_own,
    unpriced,
    visible_interactions,
    with_costs,
)
from apps.ai_logs.services.budgets import budget_spent, owe_alert
from apps.ai_logs.services.feedback import give_feedback
from apps.ai_logs.services.interactions import (
    REFUSED,
    NewInteraction,
    Recorded,
    record_interactions,
)
from apps.cohorts.api.base import contact_named, named
from apps.contacts.api import Requires, actor_of
from apps.contacts.capabilities import Capability
from apps.core.api import ApiView, as_problem
from apps.core.clock import now
from apps.core.problems import Forbidden, TooLarge
from apps.programs.api.filters import IdFilterSet

MAX_BATCH = 500
STATUS = {"created": 201, "repeated": 200}


class TooManyInteractions(TooLarge):
    code = "too-many-interactions"
    title = f"At most {MAX_BATCH} interactions at a time."


ONE_OR_MANY = PolymorphicProxySerializer(
    component_name="NewInteractions",
    serializers=[NewInteractionSerializer, NewInteractionSerializer(many=True)],
    resource_type_field_name=None,
    many=False,
)
OUTCOME_OR_OUTCOMES = PolymorphicProxySerializer(
    component_name="RecordedInteractions",
    serializers=[RecordedSerializer, RecordedManySerializer],
    resource_type_field_name=None,
)


class SessionInteractionsView(ApiView):
    """Where the messages of a session come in."""

    permission_classes = [Requires(Capability.INGEST_AI)]

    def get_queryset(self) -> QuerySet[AiSession]:
        return AiSession.objects.all()

    @extend_schema(
        request=ONE_OR_MANY, responses={201: OUTCOME_OR_OUTCOMES, 200: OUTCOME_OR_OUTCOMES}
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Record one message, or a list of up to 500 with an outcome each.

        One that is recorded now is answered 201, one whose span is known 200, and one that is
        refused by its problem (429 when the month's budget is spent). A list is answered 200;
        refused messages leave the others be.
        """
        session = named(self.get_queryset(), pk, field="")
        said: Any = request.data
        is_list = isinstance(said, list)
        outcomes = self._outcomes(session.id, said if is_list else [said])
        told = [_told(outcome) for outcome in outcomes]
        if is_list:
            return Response({"outcomes": told})
        if outcomes[0].problem:
            raise outcomes[0].problem
        return Response(told[0], status=STATUS[outcomes[0].outcome])

    def _outcomes(self, session_id: UUID, said: Sequence[Any]) -> list[Recorded]:
        if len(said) > MAX_BATCH:
            raise TooManyInteractions
        at = now()
        before = standing(at=at)
        read = [read_interaction(one) for one in said]
        answers = iter(
            record_interactions(
                [(session_id, one) for one in read if isinstance(one, NewInteraction)],
                asserted_by=actor_of(self.request),
                spent=budget_spent(before, at=at),
            )
        )
        owe_alert(at=at, before=before)
        return [next(answers) if isinstance(one, NewInteraction) else one for one in read]

    def answer_reference(self, response: Response) -> dict[str, Any]:
        """Keep ids, numbers and refusals: nothing that was said."""
        data: Any = response.data
        return {"data": data}

    def render_again(self, request: Request, answer: dict[str, Any]) -> Any:
        return answer["data"]


def read_interaction(said: Any) -> NewInteraction | Recorded:
    """Return what one message says, or its refusal when its fields can't be read."""
    serializer = NewInteractionSerializer(data=said)
    try:
        serializer.is_valid(raise_exception=True)
    except ValidationError as error:
        return Recorded(REFUSED, problem=as_problem(error))
    return interaction_of(serializer.validated_data, at=now())


def _told(outcome: Recorded) -> dict[str, Any]:
    row = outcome.interaction
    return {
        "id": str(row.id) if row else None,
        "seq": row.seq if row else None,
        "outcome": outcome.outcome,
        "problem": outcome.problem.as_dict() if outcome.problem else None,
    }


class InteractionFilter(IdFilterSet):
    """Exact matches, a span of time, and calls whose cost is known or unknown."""

    occurred_after = IsoDateTimeFilter(field_name="occurred_at", lookup_expr="gte")
    occurred_before = IsoDateTimeFilter(field_name="occurred_at", lookup_expr="lt")
    is_unpriced = BooleanFilter(method="by_price", label="Calls whose cost is unknown.")

    class Meta:
        model = AiInteraction
        fields = [
            "session",
            "session__contact",
            "session__enrollment",
            "session__session_type",
            "role",
            "provider",
            "responded_model",
            "requested_model",
            "trace_id",
        ]

    def by_price(
        self, rows: QuerySet[AiInteraction], name: str, value: bool
    ) -> QuerySet[AiInteraction]:
        unknown = unpriced(rows)
        return unknown if value else rows.exclude(id__in=unknown.values("id"))


class AiInteractionViewSet(
    ApiView,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[AiInteraction],
):
    """The log of messages; what they say is at the conversation."""

    permission_classes = [Requires(None)]
    queryset = AiInteraction.objects.all()
    serializer_class = AiInteractionSerializer
    filterset_class = InteractionFilter

    def get_queryset(self) -> QuerySet[AiInteraction]:
        if getattr(self, "swagger_fake_view", False):
            return super().get_queryset()
        principal = principal_of(self.request)
        if self.action == "feedback" and principal.has(Capability.INGEST_AI):
            return AiInteraction.objects.select_related("session")
        return with_costs(visible_interactions(principal)).select_related("session")

    @extend_schema(methods=["GET"], responses=AiFeedbackSerializer(many=True), filters=False)
    @extend_schema(
        methods=["POST"],
        request=NewFeedbackSerializer,
        responses={201: AiFeedbackSerializer, 200: AiFeedbackSerializer},
    )
    @action(detail=True, methods=["get", "post"], pagination_class=None)
    def feedback(self, request: Request, **kwargs: Any) -> Response:
        """What people think of this message, or what one thinks oneself.

        Who changes their mind says so again (201); the same again changes nothing (200). A flag
        asks somebody of the organisation to look.
        """
        interaction = self.get_object()
        if request.method == "POST":
            return self._give(request, interaction)
        rows = AiFeedback.objects.current().filter(interaction=interaction).order_by("id")
        if not self._may_read(interaction):
            raise Forbidden
        on_record(request, interaction.session)
        return Response(self._data(list(rows)))

    def _give(self, request: Request, interaction: AiInteraction) -> Response:
        said = NewFeedbackSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        actor, data = actor_of(request), said.validated_data
        contact = actor
        if data.get("contact", actor.id) != actor.id:
            if not principal_of(request).has(Capability.INGEST_AI):
                raise Forbidden("Only a client that records for others may name a contact.")
            contact = contact_named(data["contact"])
        feedback, is_new = give_feedback(
            interaction=interaction,
            contact=contact,
            rating=data["rating"],
            comment=data.get("comment", ""),
            asserted_by=actor if contact != actor else None,
        )
        return Response(self._data([feedback])[0], status=201 if is_new else 200)

    def _may_read(self, interaction: AiInteraction) -> bool:
        principal = principal_of(self.request)
        if is_own(interaction.session, principal):
            return True
        return visible_interactions(principal).filter(pk=interaction.pk).exists()

    def _data(self, rows: Sequence[AiFeedback]) -> Any:
        """Return the feedback on one message, with comments where its session has its key."""
        sessions = {row.interaction.session_id for row in rows[:1]}
        cipher = next(iter(ciphers_of(sessions).values()), None)
        comments = {row.id: comment_of(row, cipher) for row in rows}
        return AiFeedbackSerializer(rows, many=True, context={"comments": comments}).data

    def render_again(self, request: Request, answer: dict[str, Any]) -> Any:
        if self.action != "feedback":
            return super().render_again(request, answer)
        return self._data([AiFeedback.objects.get(pk=answer["id"])])[0]
