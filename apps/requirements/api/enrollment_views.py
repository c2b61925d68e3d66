"""/v1: one learner's standing, and what people say about it: sign-offs and waivers."""

from __future__ import annotations

from typing import Any, TypeVar
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import generics, mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.cohorts.api.base import CohortScoped, CohortScopedViewSet, named, principal_of
from apps.cohorts.models import CohortEnrollment
from apps.contacts.api import Requires, actor_of
from apps.contacts.capabilities import Capability
from apps.contacts.principal import Principal
from apps.core.clock import now
from apps.core.problems import Forbidden
from apps.programs.api.filters import filters
from apps.requirements.api.standing_serializers import StandingSerializer
from apps.requirements.api.word_serializers import (
    GiveSignOffSerializer,
    GrantWaiverSerializer,
    SignOffSerializer,
    WaiverSerializer,
    WithdrawWordSerializer,
)
from apps.requirements.models import RequirementNode, SignOff, Waiver
from apps.requirements.selectors.access import (
    may_sign_off,
    may_waive,
    visible_enrollments,
    visible_rows,
)
from apps.requirements.selectors.statuses import statuses
from apps.requirements.selectors.versions import node_in_force
from apps.requirements.services import sign_off, waive, withdraw_sign_off, withdraw_waiver

Word = TypeVar("Word", SignOff, Waiver)


class OfEnrollment(CohortScoped, generics.GenericAPIView[CohortEnrollment]):
    """An address below one enrolment."""

    queryset = CohortEnrollment.objects.all()

    def get_queryset(self) -> QuerySet[CohortEnrollment]:
        if getattr(self, "swagger_fake_view", False):
            return super().get_queryset()
        return visible_enrollments(principal_of(self.request))


def node_asked_for(enrollment: CohortEnrollment, node_id: UUID) -> RequirementNode:
    """Return the requirement that the body names, in the version that holds for the learner.

    One that does not hold comes back as it is: the service refuses it.
    """
    nodes = RequirementNode.objects.select_related("version__definition")
    node = named(nodes, node_id, field="node")
    return node_in_force(enrollment.id, node, as_of=now()) or node


class StandingView(OfEnrollment):
    """How a learner stands in their requirements."""

    permission_classes = [Requires(None)]
    serializer_class: Any = StandingSerializer

    @extend_schema(responses=StandingSerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        """Every requirement with its status, why it is so, and what to do next.

        For the learner, and for staff of the cohort. Computed from the facts of now.
        """
        enrollment, at = self.get_object(), now()
        standing = {"id": enrollment.id, "as_of": at, "sets": statuses(enrollment.id, at=at)}
        return Response(StandingSerializer(standing).data)


class SignOffsView(OfEnrollment):
    """Signing off."""

    permission_classes = [Requires(Capability.SIGN_OFF)]
    serializer_class: Any = SignOffSerializer

    @extend_schema(
        request=GiveSignOffSerializer,
        responses={
            201: SignOffSerializer,
            200: OpenApiResponse(SignOffSerializer, "It was signed off before."),
        },
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Sign off a requirement of this learner; needs the capability that it names as well."""
        enrollment = self.get_object()
        asked = GiveSignOffSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        node, at = node_asked_for(enrollment, asked.validated_data["node"]), now()
        refuse_signatory(principal_of(request), node, enrollment.cohort_id)
        given = sign_off(
            enrollment=enrollment,
            node=node,
            actor=actor_of(request),
            at=at,
            reason=asked.validated_data["reason"],
        )
        return Response(SignOffSerializer(given).data, status=_status(given, at))

    def render_again(self, request: Request, answer: dict[str, Any]) -> Any:
        return SignOffSerializer(SignOff.objects.get(pk=answer["id"])).data


class WaiversView(OfEnrollment):
    """Waiving."""

    permission_classes = [Requires(Capability.WAIVE)]
    serializer_class: Any = WaiverSerializer

    @extend_schema(
        request=GrantWaiverSerializer,
        responses={
            201: WaiverSerializer,
            200: OpenApiResponse(WaiverSerializer, "The same waiver was granted before."),
        },
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Waive a requirement for this learner, for good or until a moment."""
        enrollment = self.get_object()
        asked = GrantWaiverSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        node, at = node_asked_for(enrollment, asked.validated_data["node"]), now()
        if not may_waive(principal_of(request), cohort_id=enrollment.cohort_id):
            raise Forbidden
        granted = waive(
            enrollment=enrollment,
            node=node,
            actor=actor_of(request),
            at=at,
            reason=asked.validated_data["reason"],
            expires_at=asked.validated_data["expires_at"],
        )
        return Response(WaiverSerializer(granted).data, status=_status(granted, at))

    def render_again(self, request: Request, answer: dict[str, Any]) -> Any:
        return WaiverSerializer(Waiver.objects.get(pk=answer["id"])).data


def refuse_signatory(principal: Principal, node: RequirementNode, cohort_id: UUID) -> None:
    """Raise Forbidden for who may not sign off this requirement in this cohort."""
    if not may_sign_off(principal, node=node, cohort_id=cohort_id):
        raise Forbidden


def _status(word: SignOff | Waiver, at: Any) -> int:
    """Return 201 for what was said by this request, 200 for what was said before."""
    return 200 if word.occurred_at < at else 201


class WordViewSet(CohortScopedViewSet[Word], mixins.ListModelMixin, mixins.RetrieveModelMixin):
    """What was said, and what was taken back."""

    permission_classes = [Requires(None)]

    def visible(self, rows: QuerySet[Word], principal: Principal) -> QuerySet[Word]:
        return visible_rows(rows, principal)

    def _asked(self, request: Request, word: Word) -> dict[str, Any]:
        """Return what taking this word back needs."""
        asked = WithdrawWordSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        at = now()
        return {
            "enrollment": word.enrollment,
            "node": node_in_force(word.enrollment_id, word.node, as_of=at) or word.node,
            "actor": actor_of(request),
            "at": at,
            "reason": asked.validated_data["reason"],
            "only": word.id,
        }


class SignOffViewSet(WordViewSet[SignOff]):
    """Sign-offs, given and withdrawn; what was given stays on record."""

    queryset = SignOff.objects.select_related("enrollment", "node__version__definition", "actor")
    serializer_class = SignOffSerializer
    filterset_class = filters(SignOff, "enrollment", "contact", "node", "status", "actor")

    @extend_schema(request=WithdrawWordSerializer, responses=SignOffSerializer)
    @action(detail=True, methods=["post"], permission_classes=[Requires(Capability.SIGN_OFF)])
    def withdraw(self, request: Request, **kwargs: Any) -> Response:
        """Take a sign-off back, with a reason; 409 when it is no longer in force."""
        word = self.get_object()
        refuse_signatory(principal_of(request), word.node, word.enrollment.cohort_id)
        withdrawn = withdraw_sign_off(**self._asked(request, word))
        return Response(SignOffSerializer(withdrawn).data)


class WaiverViewSet(WordViewSet[Waiver]):
    """Waivers, granted and withdrawn; what was granted stays on record."""

    queryset = Waiver.objects.select_related("enrollment", "node__version__definition", "actor")
    serializer_class = WaiverSerializer
    filterset_class = filters(Waiver, "enrollment", "contact", "node", "status", "actor")

    @extend_schema(request=WithdrawWordSerializer, responses=WaiverSerializer)
    @action(detail=True, methods=["post"], permission_classes=[Requires(Capability.WAIVE)])
    def withdraw(self, request: Request, **kwargs: Any) -> Response:
        """Take a waiver back, with a reason; 409 when it is no longer in force."""
        word = self.get_object()
        if not may_waive(principal_of(request), cohort_id=word.enrollment.cohort_id):
            raise Forbidden
        withdrawn = withdraw_waiver(**self._asked(request, word))
        return Response(WaiverSerializer(withdrawn).data)
