"""/v1: contacts, members, tokens, the record of admin actions."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from apps.contacts.api import Requires, actor_of
from apps.contacts.capabilities import Capability
from apps.contacts.definitions_api import Tagged
from apps.contacts.members import change_member, invite_member
from apps.contacts.models import AdminAction, ApiToken, Contact
from apps.contacts.serializers import (
    AdminActionSerializer,
    ContactSerializer,
    InvitationSerializer,
    MemberChangeSerializer,
    MemberSerializer,
    MergeSerializer,
    MeSerializer,
    NewTokenSerializer,
    TokenSerializer,
)
from apps.contacts.services import (
    check_may_make_tokens,
    create_api_token,
    create_contact,
    merge_contacts,
    record_admin_action,
)
from apps.core.api import ApiView
from apps.core.clock import now
from apps.organizations.models import OrgMembership

C = Capability


class MeView(ApiView):
    """Who is asking."""

    permission_classes = [Requires(None)]

    @extend_schema(responses=MeSerializer)
    def get(self, request: Request) -> Response:
        principal = request.principal  # type: ignore[attr-defined]
        cohorts = principal.visible_cohorts
        return Response(
            MeSerializer(
                {
                    "contact_id": principal.contact_id,
                    "org_role": principal.org_role,
                    "capabilities": sorted(c for c in Capability if principal.has(c)),
                    "cohorts": None if cohorts is None else sorted(cohorts),
                }
            ).data
        )


class ContactViewSet(
    ApiView,
    mixins.ListModelMixin,
    mixins.CreateModelMixin,
    Tagged,
    viewsets.GenericViewSet[Contact],
):
    """The people of the organisation."""

    permission_classes = [Requires(C.MANAGE_CONTACTS, read=C.VIEW_LEARNERS)]
    serializer_class = ContactSerializer
    filterset_fields = {"external_id": ["exact"], "display_name": ["icontains"]}
    http_method_names = ["get", "post", "put", "patch", "head"]

    def get_queryset(self) -> QuerySet[Contact]:
        contacts = Contact.objects.prefetch_related("channels")
        if getattr(self, "swagger_fake_view", False):
            return contacts
        cohorts = self.request.principal.visible_cohorts  # type: ignore[attr-defined]
        if cohorts is None:
            return contacts
        return contacts.filter(enrollments__cohort__in=cohorts).distinct()

    def perform_create(self, serializer: BaseSerializer[Any]) -> None:
        contact = create_contact(**serializer.validated_data)
        serializer.instance = contact
        record_admin_action(actor=actor_of(self.request), action="contact.created", entity=contact)

    def perform_update(self, serializer: BaseSerializer[Any]) -> None:
        contact = serializer.save()
        record_admin_action(
            actor=actor_of(self.request),
            action="contact.changed",
            entity=contact,
            details={"fields": sorted(serializer.validated_data)},
        )

    @extend_schema(request=MergeSerializer, responses=ContactSerializer)
    @action(detail=True, methods=["post"])
    def merge(self, request: Request, **kwargs: Any) -> Response:
        """Merge another contact into this one; its history stays and counts for this one."""
        into = self.get_object()
        asked = MergeSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        source = self.get_queryset().filter(pk=asked.validated_data["contact"]).first()
        if source is None:
            self.permission_denied(request, code="unknown-source")
        merged = merge_contacts(source=source, into=into, actor=actor_of(request))
        return Response(self.get_serializer(merged).data)


class MemberViewSet(ApiView, mixins.ListModelMixin, viewsets.GenericViewSet[OrgMembership]):
    """Logins of the organisation and their roles."""

    permission_classes = [Requires(C.MANAGE_MEMBERS, read=C.MANAGE_MEMBERS)]
    serializer_class = MemberSerializer
    filterset_fields = ["org_role", "status"]

    def get_queryset(self) -> QuerySet[OrgMembership]:
        return OrgMembership.objects.select_related("user")

    @extend_schema(request=MemberChangeSerializer, responses=MemberSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a member's role, or deactivate them: they are signed out at once."""
        self.get_object()
        asked = MemberChangeSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        member = change_member(
            membership_id=self.kwargs["pk"],
            principal=request.principal,  # type: ignore[attr-defined]
            actor=actor_of(request),
            **asked.validated_data,
        )
        return Response(self.get_serializer(member).data)

    @extend_schema(request=InvitationSerializer, responses={201: InvitationSerializer})
    @action(detail=False, methods=["post"])
    def invite(self, request: Request) -> Response:
        """Invite an address by mail; an older open invitation of it is replaced."""
        asked = InvitationSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        invitation = invite_member(
            email=asked.validated_data["email"],
            org_role=asked.validated_data["org_role"],
            principal=request.principal,  # type: ignore[attr-defined]
            actor=actor_of(request),
            at=now(),
        )
        return Response(InvitationSerializer(invitation).data, status=201)

    def render_again(self, request: Request, answer: dict[str, Any]) -> Any:
        return answer if self.action == "invite" else super().render_again(request, answer)


class TokenViewSet(
    ApiView,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[ApiToken],
):
    """One's own API tokens."""

    permission_classes = [Requires(None)]
    serializer_class = TokenSerializer

    def get_queryset(self) -> QuerySet[ApiToken]:
        if getattr(self, "swagger_fake_view", False):
            return ApiToken.objects.none()
        return ApiToken.objects.filter(
            contact_id=self.request.principal.contact_id  # type: ignore[attr-defined]
        )

    @extend_schema(request=TokenSerializer, responses={201: NewTokenSerializer})
    def create(self, request: Request) -> Response:
        """Make a token. Its secret is in this answer only, also under an Idempotency-Key."""
        asked = TokenSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        check_may_make_tokens(
            request.principal,  # type: ignore[attr-defined]
            by_token=isinstance(request.auth, ApiToken),
        )
        actor = actor_of(request)
        row, secret = create_api_token(contact=actor, **asked.validated_data)
        record_admin_action(actor=actor, action="apitoken.created", entity=row)
        row.secret = secret  # type: ignore[attr-defined]
        return Response(NewTokenSerializer(row).data, status=201)

    @extend_schema(request=None, responses=TokenSerializer)
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, **kwargs: Any) -> Response:
        """End a token at once."""
        row = self.get_object()
        if row.revoked_at is None:
            row.revoked_at = now()
            row.save(update_fields=["revoked_at"])
            record_admin_action(actor=actor_of(request), action="apitoken.revoked", entity=row)
        return Response(self.get_serializer(row).data)


class AdminActionViewSet(
    ApiView,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[AdminAction],
):
    """The record of what was done with elevated rights."""

    permission_classes = [Requires(C.AUDIT_READ, read=C.AUDIT_READ)]
    serializer_class = AdminActionSerializer
    queryset = AdminAction.objects.all()
    filterset_fields = ["action", "actor", "entity_type", "entity_id"]
