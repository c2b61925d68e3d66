"""/v1/ai: sessions, what was said in them, and its erasure."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django_filters import IsoDateTimeFilter
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from apps.ai_logs.api.conversation_serializers import (
    ConversationSerializer,
    conversation_as_data,
)
from apps.ai_logs.api.serializers import (
    AiSessionEndSerializer,
    AiSessionEraseSerializer,
    AiSessionSerializer,
    NewAiSessionSerializer,
)
from apps.ai_logs.models import AiContent, AiSession
from apps.ai_logs.selectors.contents import open_content
from apps.ai_logs.selectors.conversations import State, reconstruct
from apps.ai_logs.selectors.sessions import is_own, visible_contents, visible_sessions
from apps.ai_logs.services.budgets import refusal_of_new
from apps.ai_logs.services.erasure import erase_session
from apps.ai_logs.services.sessions import SessionTerms, end_session, start_session
from apps.ai_logs.vocabulary import ContentKind, ErasureReason
from apps.cohorts.api.base import contact_named, named
from apps.cohorts.models import CohortEnrollment
from apps.contacts.api import Requires, actor_of
from apps.contacts.capabilities import Capability
from apps.contacts.principal import Principal
from apps.contacts.services import record_admin_action
from apps.core.api import ApiView
from apps.core.clock import now
from apps.core.problems import Conflict, Forbidden
from apps.programs.api.filters import IdFilterSet
from apps.programs.models import ModuleItem

INGESTING = ("create", "end")

# Sent as what they are; everything else as bytes, so that no browser runs it in our name.
HARMLESS = frozenset(
    {"application/pdf", "image/gif", "image/jpeg", "image/png", "image/webp", "text/plain"}
)


class ContentDamaged(Conflict):
    """The members `state` and `detail` say what is wrong."""

    code = "ai-content-not-readable"
    title = "This content can't be read."


class SessionFilter(IdFilterSet):
    """Exact matches, and sessions that started in a span of time."""

    started_after = IsoDateTimeFilter(field_name="started_at", lookup_expr="gte")
    started_before = IsoDateTimeFilter(field_name="started_at", lookup_expr="lt")

    class Meta:
        model = AiSession
        fields = [
            "contact",
            "enrollment",
            "enrollment__cohort",
            "module_item",
            "session_type",
            "conversation_id",
            "source",
        ]


def principal_of(request: Request) -> Principal:
    """Return who asks; the permission classes have let nobody else in."""
    principal: Principal = request.principal  # type: ignore[attr-defined]
    return principal


class AiSessionViewSet(
    ApiView,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[AiSession],
):
    """AI sessions: one's own, those of the cohorts one staffs, or all."""

    queryset = AiSession.objects.all()
    serializer_class = AiSessionSerializer
    filterset_class = SessionFilter

    def get_permissions(self) -> list[BasePermission]:
        is_ingest = self.action in INGESTING
        return [Requires(Capability.INGEST_AI if is_ingest else None)()]

    def get_queryset(self) -> QuerySet[AiSession]:
        rows = super().get_queryset().select_related("erasure")
        if getattr(self, "swagger_fake_view", False) or self.action in INGESTING:
            return rows
        return visible_sessions(principal_of(self.request)).select_related("erasure")

    @extend_schema(
        request=NewAiSessionSerializer,
        responses={201: AiSessionSerializer, 200: AiSessionSerializer},
    )
    def create(self, request: Request) -> Response:
        """Begin a session; 200 for a conversation of this contact that is known already.

        429 for a new one when the month's budget is spent.
        """
        said = NewAiSessionSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        session, is_new = start_session(
            terms=terms_of(said.validated_data),
            created_by=actor_of(request),
            spent=refusal_of_new(at=now()),
        )
        return Response(AiSessionSerializer(session).data, status=201 if is_new else 200)

    @extend_schema(request=AiSessionEndSerializer)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, **kwargs: Any) -> Response:
        """Say that the conversation is over; a second time changes nothing."""
        session = self.get_object()
        said = AiSessionEndSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        at = now()
        ended = end_session(
            session=session, at=said.validated_data.get("ended_at") or max(at, session.started_at)
        )
        return Response(AiSessionSerializer(ended).data)

    @extend_schema(request=AiSessionEraseSerializer)
    @action(detail=True, methods=["post"])
    def erase(self, request: Request, **kwargs: Any) -> Response:
        """Destroy what was said, for good. Learners may for themselves, administrators for all.

        The log, its tokens and costs stay. A second time changes nothing.
        """
        session = self.get_object()
        principal = principal_of(request)
        own = is_own(session, principal)
        if not own and not principal.has(Capability.ERASE_CONVERSATIONS):
            raise Forbidden
        said = AiSessionEraseSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        erase_session(
            session=session,
            reason=ErasureReason.LEARNER_REQUEST if own else ErasureReason.ORGANIZATION,
            actor=actor_of(request),
            note=said.validated_data.get("note", ""),
        )
        return Response(AiSessionSerializer(self.get_queryset().get(pk=session.pk)).data)

    @extend_schema(responses=ConversationSerializer)
    @action(detail=True)
    def conversation(self, request: Request, **kwargs: Any) -> Response:
        """Read what was said, every text checked. Reading somebody else's is put on record."""
        session = self.get_object()
        found = reconstruct(session)
        on_record(request, session)
        return Response(conversation_as_data(found))


def terms_of(data: dict[str, Any]) -> SessionTerms:
    """Return what a validated body says of a session. Raises NotFound, naming the field."""
    enrollment = _named(CohortEnrollment.objects.select_related("contact"), data, "enrollment")
    contact_id = data.get("contact")
    contact = contact_named(contact_id) if contact_id else None
    return SessionTerms(
        contact=contact or (enrollment.contact if enrollment else None),
        enrollment=enrollment,
        module_item=_named(ModuleItem.objects.all(), data, "module_item"),
        session_type=data["session_type"],
        conversation_id=data.get("conversation_id", ""),
        service_name=data.get("service_name", ""),
        started_at=data.get("started_at") or now(),
    )


def _named(rows: QuerySet[Any], data: dict[str, Any], field: str) -> Any:
    row_id: UUID | None = data.get(field)
    return named(rows, row_id, field=field) if row_id else None


def on_record(request: Request, session: AiSession) -> None:
    """Leave a row of `admin_actions` when somebody reads what another one said."""
    if not is_own(session, principal_of(request)):
        record_admin_action(actor=actor_of(request), action="aisession.read", entity=session)


class ArtefactView(ApiView):
    """The bytes of a file that a call made."""

    permission_classes = [Requires(None)]

    def get_queryset(self) -> QuerySet[AiContent]:
        if getattr(self, "swagger_fake_view", False):
            return AiContent.objects.all()
        artefacts = visible_contents(principal_of(self.request)).filter(kind=ContentKind.ARTEFACT)
        return artefacts.select_related("session")

    @extend_schema(responses={200: OpenApiResponse(OpenApiTypes.BINARY)})
    def get(self, request: Request, pk: UUID) -> HttpResponse:
        """Download the file. 409 where it was erased or is damaged, and why."""
        content = named(self.get_queryset(), pk, field="")
        kept = open_content(content)
        if kept.text is None:
            raise ContentDamaged(kept.detail, state=str(State(kept.state)))
        on_record(request, content.session)
        is_harmless = content.media_type in HARMLESS
        response = HttpResponse(
            kept.text.data,
            content_type=content.media_type if is_harmless else "application/octet-stream",
        )
        response["Content-Disposition"] = f'attachment; filename="{content.id}"'
        return response
