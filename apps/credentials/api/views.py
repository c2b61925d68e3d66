"""/v1: certification templates, awards, holds."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.cohorts.api.base import CohortScopedViewSet, named, principal_of
from apps.cohorts.models import CohortEnrollment
from apps.cohorts.selectors import of_staffed, of_staffed_or_own
from apps.contacts.api import Requires, actor_of
from apps.contacts.capabilities import Capability
from apps.contacts.definitions_api import DefinitionViewSet, VersionViewSet
from apps.contacts.principal import Principal
from apps.core.clock import now
from apps.credentials import services
from apps.credentials.api.serializers import (
    AwardEventSerializer,
    AwardReasonSerializer,
    AwardSerializer,
    CertificationTemplateSerializer,
    CertificationTemplateVersionSerializer,
    CredentialSerializer,
    GrantSerializer,
    HoldSerializer,
    OpenHoldSerializer,
    ResolveSerializer,
)
from apps.credentials.models import (
    AwardHold,
    CertificationAward,
    CertificationTemplate,
    CertificationTemplateVersion,
    CredentialDocument,
)
from apps.credentials.selectors.awards import visible_awards, visible_holds
from apps.credentials.selectors.issuers import issuer
from apps.credentials.services import AwardOutcome
from apps.programs.api.filters import filters

AWARD = Capability.AWARD


@extend_schema_view(
    draft=extend_schema(request=None, responses={201: CertificationTemplateVersionSerializer})
)
class CertificationTemplateViewSet(DefinitionViewSet):
    """What can be earned in a program."""

    queryset = CertificationTemplate.objects.all()
    serializer_class = CertificationTemplateSerializer
    version_serializer_class = CertificationTemplateVersionSerializer
    filterset_class = filters(CertificationTemplate, "slug", "program", "type")


class CertificationTemplateVersionViewSet(VersionViewSet):
    """Versions of certification templates: what the credentials say."""

    queryset = CertificationTemplateVersion.objects.all()
    serializer_class = CertificationTemplateVersionSerializer
    filterset_class = filters(
        CertificationTemplateVersion, "definition", "status", "number", "requirement_set"
    )


class _WithIssuer(CohortScopedViewSet[Any]):
    """Rows whose addresses name the organisation's host."""

    def get_serializer_context(self) -> dict[str, Any]:
        context = dict(super().get_serializer_context())
        if not getattr(self, "swagger_fake_view", False):
            context["issuer"] = issuer()
        return context


class AwardViewSet(_WithIssuer, mixins.ListModelMixin, mixins.RetrieveModelMixin):
    """Awards: credentials held by learners. Learners see their own."""

    permission_classes = [Requires(AWARD, read=None)]
    queryset = CertificationAward.objects.all()
    serializer_class = AwardSerializer
    filterset_class = filters(
        CertificationAward, "template", "enrollment", "contact", "certificate_number"
    )

    def visible(self, rows: QuerySet[Any], principal: Principal) -> QuerySet[CertificationAward]:
        return visible_awards(principal, at=now())

    @extend_schema(
        request=GrantSerializer,
        responses={
            201: AwardSerializer,
            200: OpenApiResponse(AwardSerializer, "It was awarded before."),
            202: OpenApiResponse(HoldSerializer, "A person has to look at it first."),
        },
    )
    def create(self, request: Request) -> Response:
        """Award by hand. What a fresh look does not confirm becomes a hold, not an award."""
        asked = GrantSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        people = of_staffed_or_own(
            CohortEnrollment.objects.all(),
            principal_of(request),
            cohort="cohort",
            contact="contact",
        )
        outcome = services.grant_award(
            enrollment=named(people, asked.validated_data["enrollment"], field="enrollment"),
            template=named(
                CertificationTemplate.objects.all(),
                asked.validated_data["template"],
                field="template",
            ),
            actor=actor_of(request),
            reason=asked.validated_data["reason"],
            at=now(),
        )
        return self._granted(outcome)

    def _granted(self, outcome: AwardOutcome) -> Response:
        if outcome.award is None:
            return Response(HoldSerializer(outcome.hold).data, status=202)
        award = self.get_queryset().get(pk=outcome.award.pk)
        return Response(self.get_serializer(award).data, status=201 if outcome.is_new else 200)

    @extend_schema(request=AwardReasonSerializer, responses=AwardSerializer)
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, **kwargs: Any) -> Response:
        """Revoke for good. The status list shows it at once."""
        return self._changed(services.revoke_award)

    @extend_schema(request=AwardReasonSerializer, responses=AwardSerializer)
    @action(detail=True, methods=["post"])
    def suspend(self, request: Request, **kwargs: Any) -> Response:
        """Suspend until it is reinstated or revoked."""
        return self._changed(services.suspend_award)

    @extend_schema(request=AwardReasonSerializer, responses=AwardSerializer)
    @action(detail=True, methods=["post"])
    def reinstate(self, request: Request, **kwargs: Any) -> Response:
        """End a suspension."""
        return self._changed(services.reinstate_award)

    def _changed(self, service: Any) -> Response:
        award = self.get_object()
        asked = AwardReasonSerializer(data=self.request.data)
        asked.is_valid(raise_exception=True)
        changed = service(
            award=award,
            actor=actor_of(self.request),
            reason=asked.validated_data["reason"],
            at=now(),
        )
        return Response(self.get_serializer(changed).data)

    @extend_schema(responses=AwardEventSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def events(self, request: Request, **kwargs: Any) -> Response:
        """Everything that happened to the award, in order."""
        line = self.get_object().events.order_by("revision")
        return Response(AwardEventSerializer(line, many=True).data)

    def render_again(self, request: Request, answer: dict[str, Any]) -> Any:
        hold = AwardHold.objects.filter(pk=answer["id"]).first()
        return HoldSerializer(hold).data if hold else super().render_again(request, answer)


class AwardHoldViewSet(
    CohortScopedViewSet[AwardHold], mixins.ListModelMixin, mixins.RetrieveModelMixin
):
    """What about awards waits for a person."""

    permission_classes = [Requires(AWARD, read=Capability.VIEW_LEARNERS)]
    queryset = AwardHold.objects.all()
    serializer_class = HoldSerializer
    filterset_class = filters(
        AwardHold, "template", "enrollment", "contact", "award", "code", "resolution"
    )

    def visible(self, rows: QuerySet[AwardHold], principal: Principal) -> QuerySet[AwardHold]:
        return visible_holds(principal)

    @extend_schema(request=OpenHoldSerializer, responses={201: HoldSerializer})
    def create(self, request: Request) -> Response:
        """Hold an award back, or ask whether one that is made still stands."""
        asked = OpenHoldSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        people = of_staffed(CohortEnrollment.objects.all(), principal_of(request), cohort="cohort")
        hold = services.open_hold(
            enrollment=named(people, asked.validated_data["enrollment"], field="enrollment"),
            template=named(
                CertificationTemplate.objects.all(),
                asked.validated_data["template"],
                field="template",
            ),
            actor=actor_of(request),
            reason=asked.validated_data["reason"],
            at=now(),
        )
        return Response(self.get_serializer(hold).data, status=201)

    @extend_schema(request=ResolveSerializer, responses=HoldSerializer)
    @action(detail=True, methods=["post"])
    def resolve(self, request: Request, **kwargs: Any) -> Response:
        """Decide: released lets the award go on or stand, refused means that there is none."""
        hold = self.get_object()
        asked = ResolveSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        resolved = services.resolve_hold(
            hold=hold,
            actor=actor_of(request),
            resolution=asked.validated_data["resolution"],
            reason=asked.validated_data["reason"],
            at=now(),
        )
        return Response(self.get_serializer(resolved).data)


class CredentialViewSet(_WithIssuer, mixins.ListModelMixin):
    """Signed credentials: where their bytes are, and their digest. Learners see their own."""

    permission_classes = [Requires(None)]
    queryset = CredentialDocument.objects.select_related("award")
    serializer_class = CredentialSerializer
    filterset_class = filters(CredentialDocument, "award", "media_type", "sha256")

    def visible(
        self, rows: QuerySet[CredentialDocument], principal: Principal
    ) -> QuerySet[CredentialDocument]:
        return of_staffed_or_own(
            rows, principal, cohort="award__enrollment__cohort", contact="award__contact"
        )
